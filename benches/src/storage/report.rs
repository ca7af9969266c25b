//! One line a measurement: the middle of its runs, and how far they lie apart.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// Prints lines.
#[derive(Debug)]
pub(crate) struct Report;

/// What one run took.
pub(crate) type Run<'a> = Box<dyn FnMut() -> Result<Duration> + 'a>;

impl Report {
    pub(crate) fn new() -> Self {
        println!("| what | goal | storage | plain system calls | ratio | lowest to highest |");
        println!("|---|---|---|---|---|---|");
        Self
    }

    /// Runs both by turns, `runs` times each, and prints how many times as fast the storage is.
    /// `show` tells what a time means.
    pub(crate) fn compare(
        &mut self,
        (what, goal): (&str, &str),
        runs: usize,
        show: impl Fn(Duration) -> String,
        mut ours: Run<'_>,
        mut bare: Run<'_>,
    ) -> Result<()> {
        let mut pairs = Vec::new();
        for run in 0..runs {
            // Who is first gains or loses by what the other leaves behind.
            pairs.push(if run % 2 == 0 {
                let first = bare()?;
                (ours()?, first)
            } else {
                let first = ours()?;
                (first, bare()?)
            });
        }
        let ratio = |(ours, bare): &(Duration, Duration)| bare.as_secs_f64() / ours.as_secs_f64();
        let mut ratios: Vec<f64> = pairs.iter().map(ratio).collect();
        ratios.sort_by(f64::total_cmp);
        let (ours, bare): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        println!(
            "| {what} | {goal} | {} | {} | {:.2} | {:.2} to {:.2} |",
            show(middle(ours)?),
            show(middle(bare)?),
            ratios.get(ratios.len() / 2).context("no run")?,
            ratios.first().context("no run")?,
            ratios.last().context("no run")?,
        );
        Ok(())
    }

    /// Prints the middle of `runs` runs of something that has no baseline.
    pub(crate) fn alone(
        &mut self,
        (what, goal): (&str, &str),
        runs: usize,
        show: impl Fn(Duration) -> String,
        mut run: Run<'_>,
    ) -> Result<()> {
        let mut times = (0..runs).map(|_| run()).collect::<Result<Vec<_>>>()?;
        times.sort();
        let (low, high) = (times.first().context("no run")?, times.last().context("no run")?);
        let spread = format!("{} to {}", show(*low), show(*high));
        println!("| {what} | {goal} | {} | | | {spread} |", show(middle(times)?));
        Ok(())
    }

    /// Prints something that was counted.
    pub(crate) fn counted(&mut self, (what, goal): (&str, &str), value: &str) {
        println!("| {what} | {goal} | {value} | | | |");
    }
}

fn middle(mut times: Vec<Duration>) -> Result<Duration> {
    times.sort();
    times.get(times.len() / 2).copied().context("no run")
}

/// As so many of `count` a second.
pub(crate) fn rate(count: usize) -> impl Fn(Duration) -> String {
    move |time| format!("{:.0}/s", count as f64 / time.as_secs_f64())
}

/// As the time of one of `count`.
pub(crate) fn each(count: usize) -> impl Fn(Duration) -> String {
    move |time| format!("{:.2} us", time.as_secs_f64() * 1e6 / count as f64)
}

/// As milliseconds.
pub(crate) fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// As throughput of so many bytes.
pub(crate) fn throughput(bytes: u64) -> impl Fn(Duration) -> String {
    move |time| format!("{:.0} MB/s", bytes as f64 / 1e6 / time.as_secs_f64())
}
