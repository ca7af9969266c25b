//! `ocis-conformance --bin target/release/ocis`: starts real servers on temporary directories and
//! drives them with clients that we did not write, and with hostile input that no client sends.
//!
//! Every check prints one line with its time; the last line counts. A missing client fails its
//! checks: nothing is skipped. No check needs a network beyond 127.0.0.0/8, and none leaves a
//! process behind: a server dies with its handle.
#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test program: its output is its report, and a panic in a check is a failed check"
)]

mod checks;
mod facts;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use ocis_conformance::harness::{Plan, World};

/// Black-box tests of the `ocis` binary.
#[derive(Debug, Parser)]
struct Args {
    /// The server binary to test.
    #[arg(long, default_value = "target/release/ocis")]
    bin: PathBuf,
    /// Run only checks whose name contains this text; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// More rounds and larger files than the gate has time for.
    #[arg(long)]
    long: bool,
    /// Seed of everything random; printed, so that a failure can be repeated.
    #[arg(long, default_value_t = u64::from(std::process::id()))]
    seed: u64,
    /// Only list the checks.
    #[arg(long)]
    list: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let mut plan = Plan::default();
    checks::register(&mut plan);
    facts::register(&mut plan);
    plan.keep(&args.only);
    if args.list {
        plan.print_names();
        return Ok(ExitCode::SUCCESS);
    }
    let world = World::new(&args.bin, args.long, args.seed)?;
    let failed = plan.run(&world);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
