//! Sockets and what every listener has in common: accepting, TLS, limits against slow or hostile
//! clients, and the layers in front of the service that answers.

mod activity;
mod admit;
mod body;
mod cors;
mod descriptors;
pub(crate) mod layer;
pub mod listen;
pub(crate) mod observe;
mod panics;
mod request_id;
mod security;
pub mod stack;
mod stream;
pub mod tls;

#[cfg(test)]
mod hostile;

pub use cors::Cors;
pub use descriptors::raise_descriptors;
pub(crate) use listen::back_off;
pub use listen::{Limits, PeerAddr, bind, serve};
pub use request_id::RequestId;
pub use stack::{PublicSettings, public};
