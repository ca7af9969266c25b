//! A table for people, and whether the goals are met.

use std::path::Path;

use anyhow::Result;
use ocis_conformance::harness::Server;

use crate::drive::Sample;
use crate::work::Work;

/// Share of the bare server's rate that a small GET should reach.
const SMALL_GET: f64 = 0.3;
/// PROPFINDs of 1,000 children a second, on two cores shared with this program.
const PROPFIND: f64 = 200.0;

/// Lines as they come, and the two figures that have a goal.
#[derive(Debug)]
pub(crate) struct Report {
    small_get: Option<f64>,
    propfind: Option<f64>,
}

impl Report {
    /// Prints the head of the table.
    pub(crate) fn new(bin: &Path, connections: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        println!(
            "{} over TLS, {connections} connections, {cores} cores shared with this program",
            bin.display()
        );
        println!("latency in ms; processor time a request in microseconds, server + client\n");
        println!(
            "{:<15} {:<5} {:>10} {:>9} {:>7} {:>8} {:>8} {:>8} {:>16}",
            "work", "", "requests/s", "MB/s", "ratio", "p50", "p90", "p99", "cost"
        );
        Self { small_get: None, propfind: None }
    }

    /// Prints one work's two lines.
    pub(crate) fn add(&mut self, work: &Work, ours: Sample, theirs: Sample) {
        let ratio = ours.rate() / theirs.rate();
        line(work, "bare", &theirs, "");
        line(work, "ocis", &ours, &format!("{ratio:.2}"));
        match work.name {
            "GET 1 KiB" => self.small_get = Some(ratio),
            "PROPFIND 1,000" => self.propfind = Some(ours.rate()),
            _ => {}
        }
    }

    /// Prints what is to be said at the end.
    pub(crate) fn end(&self, server: &Server) -> Result<()> {
        println!("\nresident memory of ocis after all: {} MiB", crate::resident(server)? >> 20);
        if let Some(ratio) = self.small_get {
            println!("small GET: {ratio:.2} of the bare server, goal {SMALL_GET}");
        }
        if let Some(rate) = self.propfind {
            println!("PROPFIND of 1,000 children: {rate:.0} a second, goal {PROPFIND}");
        }
        Ok(())
    }

    /// Whether what was measured reaches its goals.
    pub(crate) fn goals_met(&self) -> bool {
        self.small_get.is_none_or(|ratio| ratio >= SMALL_GET)
            && self.propfind.is_none_or(|rate| rate >= PROPFIND)
    }
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn line(work: &Work, who: &str, sample: &Sample, ratio: &str) {
    let (server, client) = sample.cost();
    println!(
        "{:<15} {who:<5} {:>10.0} {:>9.1} {ratio:>7} {:>8.2} {:>8.2} {:>8.2} {server:>8.0} +{client:>6.0}",
        work.name,
        sample.rate(),
        sample.rate() * work.payload as f64 / 1e6,
        sample.percentile(0.5),
        sample.percentile(0.9),
        sample.percentile(0.99),
    );
}
