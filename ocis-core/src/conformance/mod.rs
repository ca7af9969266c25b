//! What every implementation of a port must do, as code: run by the tests of each implementation.
//!
//! A suite takes the port as a trait object and panics at the first promise that is not kept. It
//! leaves what it made behind, so hand it a store of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a suite speaks by panicking, as a test does"
)]

mod accounts;
mod across;
mod documents;
mod events;
mod grants;
mod locks;
mod memory_documents;
mod nodes;
mod provisioning;
mod roles;
mod scopes;
mod sessions;
mod settings;
mod spaces;
mod subject;
pub mod switch;
mod trash;
mod versions;

pub use accounts::{authenticate, groups, users};
pub use across::across;
pub use documents::documents;
pub use events::{event, events};
pub use grants::grants;
pub use locks::locks;
pub use memory_documents::MemoryDocuments;
pub use nodes::nodes;
pub use provisioning::{Accounts, provisioning, read_only};
pub use roles::roles;
pub use scopes::scopes;
pub use sessions::sessions;
pub use settings::settings;
pub use spaces::spaces;
pub use subject::Subject;
pub use trash::trash;
pub use versions::versions;
