//! Settings: to be written.
