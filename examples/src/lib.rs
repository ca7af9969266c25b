//! Holds nothing: what is worth reading are the programs beside this folder, each run with
//! `cargo run -p ocis-examples --example <name>`.
