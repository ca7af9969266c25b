//! To be written.

pub mod digest;
pub mod fs;
pub mod ticket;
