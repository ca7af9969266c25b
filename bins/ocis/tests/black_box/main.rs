//! The real binary on temporary directories and free ports: what it prints, what it answers, how
//! it ends.

mod commands;
mod harness;
mod password;
mod selection;
mod start;
mod stop;
