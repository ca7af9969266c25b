//! Storage.

pub mod blob;
pub mod data;
pub mod digest;
mod driver;
pub mod fs;
mod journal;
mod layout;
pub mod store;
pub mod ticket;
pub mod upload;

pub use driver::Driver;
pub use store::{Options, Store};
