//! Implementations of the event bus ([`ocis_core::port::EventBus`]).
//!
//! [`embedded`] is a durable log in a folder, for a server of one process; [`memory`] forgets
//! everything with the process, for tests and small programs. `patient.rs` keeps what a bus that is
//! away does not take. What a group of consumers is, is the
//! same in both (`group.rs`).

pub mod embedded;
mod group;
pub mod memory;
mod patient;

use std::time::Duration;

use ocis_core::port::{Delivery, Fetch};
use ocis_core::{Error, Result};
use tokio::sync::watch;
use tokio::time::Instant;

pub use embedded::{EmbeddedBus, Limits};
pub use memory::MemoryBus;
pub(crate) use patient::PatientBus;

/// Nobody waits longer in one call.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// What one look into the bus found, and when something will be due that is under way.
type Found = (Vec<Delivery>, Option<Instant>);

/// Looks until something is found or the time is over: again when the bus reports news, and when
/// something under way is due again.
async fn until_found<F>(
    request: &Fetch,
    mut news: watch::Receiver<()>,
    mut look: impl FnMut() -> F,
) -> Result<Vec<Delivery>>
where
    F: Future<Output = Result<Found>>,
{
    let end = Instant::now() + request.wait.min(LONGEST_WAIT);
    loop {
        news.mark_unchanged();
        let (found, due) = look().await?;
        if !found.is_empty() || Instant::now() >= end {
            return Ok(found);
        }
        let wake = due.map_or(end, |due| due.min(end));
        tokio::select! {
            changed = news.changed() => changed.map_err(|_| closed())?,
            () = tokio::time::sleep_until(wake) => {}
        }
    }
}

fn closed() -> Error {
    Error::unavailable("the event bus is closing")
}

fn no_group() -> Error {
    Error::not_found("there is no such group of consumers")
}
