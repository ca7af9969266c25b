//! What is known of each running service, for its debug address, the control port and the log.

use std::net::SocketAddr;

use ocis_core::{Error, Result};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::service::Probe;

/// How a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It opens what it needs.
    Starting,
    /// It does its work.
    Running,
    /// It failed and is about to be started again.
    Restarting,
    /// It failed too often and is not started again.
    GivenUp,
    /// It was asked to end.
    Stopped,
}

/// What the control port tells of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The name.
    pub name: String,
    /// How it is doing.
    pub state: State,
    /// How often it was started again since the server started.
    pub restarts: u32,
    /// Why it failed the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Its debug address, with the port that it really has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug: Option<SocketAddr>,
    /// Its public addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<SocketAddr>,
}

/// The record of one service; the supervisor writes it, everybody reads it.
pub(crate) struct Health {
    status: Mutex<Status>,
    probe: Mutex<Option<Probe>>,
}

impl Health {
    pub(crate) fn new(name: &str, debug: Option<SocketAddr>, listeners: Vec<SocketAddr>) -> Self {
        Self {
            status: Mutex::new(Status {
                name: name.into(),
                state: State::Starting,
                restarts: 0,
                last_error: None,
                debug,
                listeners,
            }),
            probe: Mutex::new(None),
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.status.lock().clone()
    }

    /// The service runs now, and `probe` tells whether it is ready.
    pub(crate) fn running(&self, probe: Option<Probe>) {
        *self.probe.lock() = probe;
        self.status.lock().state = State::Running;
    }

    /// The service failed because of `error`, and is now `state`.
    pub(crate) fn failed(&self, state: State, error: &Error) {
        *self.probe.lock() = None;
        let mut status = self.status.lock();
        status.state = state;
        status.last_error = Some(error.to_string());
        if state == State::Restarting {
            status.restarts += 1;
        }
    }

    pub(crate) fn stopped(&self) {
        *self.probe.lock() = None;
        self.status.lock().state = State::Stopped;
    }

    /// Whether the supervisor still cares for the service; a restart under way is healthy.
    pub(crate) fn alive(&self) -> Result<()> {
        let status = self.status.lock();
        match status.state {
            State::GivenUp => Err(Error::unavailable(describe(&status))),
            _ => Ok(()),
        }
    }

    /// Whether the service can answer now.
    pub(crate) fn ready(&self) -> Result<()> {
        {
            let status = self.status.lock();
            if status.state != State::Running {
                return Err(Error::unavailable(describe(&status)));
            }
        }
        let probe = self.probe.lock().clone();
        probe.map_or(Ok(()), |probe| probe())
    }
}

fn describe(status: &Status) -> String {
    let what = match status.state {
        State::Starting => "is starting",
        State::Running => "is running",
        State::Restarting => "failed and is being restarted",
        State::GivenUp => "failed too often and was given up",
        State::Stopped => "was stopped",
    };
    match &status.last_error {
        Some(error) => format!("{} {what}: {error}", status.name),
        None => format!("{} {what}", status.name),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn only_a_running_service_whose_probe_agrees_is_ready() {
        let health = Health::new("graph", None, Vec::new());
        assert!(health.alive().is_ok());
        assert_eq!(health.ready().unwrap_err().message(), "graph is starting");
        health.running(Some(Arc::new(|| Err(Error::unavailable("no index")))));
        assert_eq!(health.ready().unwrap_err().message(), "no index");
        health.running(None);
        assert!(health.ready().is_ok());
        health.failed(State::Restarting, &Error::internal("boom"));
        assert!(health.alive().is_ok());
        assert_eq!(
            health.ready().unwrap_err().message(),
            "graph failed and is being restarted: boom"
        );
        health.failed(State::GivenUp, &Error::internal("boom"));
        assert!(health.alive().is_err());
    }
}
