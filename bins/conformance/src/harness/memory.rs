//! How much memory a process holds, now and at its worst.

use std::fs::read_to_string;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use anyhow::{Context, Result};

/// `RssAnon` of `/proc/<pid>/status`, in bytes.
pub fn anonymous_memory(pid: u32) -> Result<u64> {
    let text = read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let digits = line.and_then(|line| line.split_whitespace().next()).unwrap_or_default();
    Ok(digits.parse::<u64>().context("RssAnon")? * 1024)
}

/// Looks at a process fifty times a second until it is asked for the most it saw.
#[derive(Debug)]
pub struct MemoryWatch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl MemoryWatch {
    /// Begins to look.
    pub fn of(pid: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = spawn(move || {
            let mut most = 0;
            while !stopped.load(Ordering::Relaxed) {
                most = most.max(anonymous_memory(pid).unwrap_or(0));
                sleep(Duration::from_millis(20));
            }
            most
        });
        Self { stop, thread }
    }

    /// Ends, and tells the most bytes that were seen.
    pub fn most(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("the watch panicked")
    }
}
