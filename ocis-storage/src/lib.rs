//! To be written.

pub mod blob;
pub mod digest;
pub mod fs;
pub mod ticket;
