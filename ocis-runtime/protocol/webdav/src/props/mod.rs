//! The properties of files and folders, as text.
//!
//! What is wanted is worked out once a request ([`Plan`]); for each node the plan then appends to
//! one buffer. No tree is built, and nothing is allocated per node.

mod live;
mod lock;
mod plan;

pub(crate) use live::{Facts, Live, letters, own};
pub(crate) use lock::discovery;
pub(crate) use plan::Plan;
