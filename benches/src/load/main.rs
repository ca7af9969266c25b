//! `load --bin target/release/ocis`: requests per second and latency of the running server, beside
//! a bare hyper server that sends the same bytes over the same TLS in the same run.
//!
//! The bare server is this program in a process of its own. It answers every request with what
//! `ocis` answered once, so that both send and receive the same; what differs is the work. The two
//! are measured by turns, and the middle one of the runs counts.
#![allow(clippy::print_stdout, reason = "its output is its result")]

mod bare;
mod drive;
mod report;
mod work;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use ocis_conformance::harness::{Launch, Server};

use crate::bare::Bare;
use crate::drive::{Drive, Sample};
use crate::report::Report;
use crate::work::Work;

/// Load on a running `ocis`, beside a bare hyper server.
#[derive(Debug, Parser)]
struct Args {
    /// The server binary.
    #[arg(long, default_value = "target/release/ocis")]
    bin: PathBuf,
    /// Keep-alive connections at a time.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds of each run.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Runs of each work and server.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Only works whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// One short run, for the gate.
    #[arg(long)]
    brief: bool,
    /// Fail below the goals: 0.3 of the bare server for small GETs, 200 PROPFINDs a second.
    #[arg(long)]
    check: bool,
    /// Be the bare server, with the answers in this file.
    #[arg(long, hide = true)]
    bare: Option<PathBuf>,
}

fn main() -> Result<()> {
    let mut args = Args::parse();
    if let Some(answers) = &args.bare {
        return bare::serve(answers);
    }
    if args.brief {
        (args.runs, args.seconds) = (1, 2.0);
    }
    let bin = args.bin.canonicalize().with_context(|| args.bin.display().to_string())?;
    let server = Launch::new(&bin)?.start()?;
    let works: Vec<Work> =
        work::all().into_iter().filter(|work| work.name.contains(&args.only)).collect();
    work::prepare(&server)?;
    let bare = Bare::start(&server, &works)?;
    let drive = Drive::new(args.connections, Duration::from_secs_f64(args.seconds))?;
    let mut report = Report::new(&args.bin, args.connections);
    for work in &works {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        // Both warm: the first requests are nobody's result.
        drive.warm(work, server.address())?;
        drive.warm(work, bare.address())?;
        for _ in 0..args.runs {
            theirs.push(drive.run(work, bare.address(), bare.pid())?);
            ours.push(drive.run(work, server.address(), server.pid())?);
        }
        report.add(work, middle(ours)?, middle(theirs)?);
    }
    report.end(&server)?;
    ensure!(!args.check || report.goals_met(), "below the goals");
    Ok(())
}

/// The run whose rate is in the middle.
fn middle(mut samples: Vec<Sample>) -> Result<Sample> {
    samples.sort_by(|left, right| left.rate().total_cmp(&right.rate()));
    let at = samples.len() / 2;
    samples.into_iter().nth(at).context("no run")
}

/// What the server holds when all is done.
fn resident(server: &Server) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", server.pid()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.split_whitespace().next().unwrap_or_default().parse::<u64>()? * 1024)
}
