//! `ocis`: all services and the command line in one binary.
//!
//! The command line is thin: it parses, calls the libraries, prints, and turns errors into the exit
//! code 1. What a command does stands in `commands`, one file each.

mod cli;
mod commands;
mod help;
mod table;

use std::process::ExitCode;

use ocis_runtime::services;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Fails only when a provider is installed already, which is then as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let registry = services::all();
    let result = cli::parse(&registry, std::env::args_os()).and_then(|call| call.run(&registry));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
