//! Ending by signal: the first asks the server to drain, the second ends it at once.

use ocis_core::{Error, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end the server, as in oCIS: SIGINT, SIGTERM, SIGQUIT, SIGHUP.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    hangup: Signal,
}

impl Signals {
    /// Begins to catch the signals; from now on they no longer end the process by themselves.
    pub fn catch() -> Result<Self> {
        let catch = |kind| {
            signal(kind).map_err(|error| Error::internal("signals cannot be caught").because(error))
        };
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
            quit: catch(SignalKind::quit())?,
            hangup: catch(SignalKind::hangup())?,
        })
    }

    /// Waits for the next of them, and names it.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.quit.recv() => "SIGQUIT",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }
}
