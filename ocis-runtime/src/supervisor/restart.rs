//! Keeping one unit alive: whatever of it fails or panics, the unit is built and started again,
//! later and later, and the other units do not notice more than calls that fail meanwhile.

use std::any::Any;
use std::net::TcpListener;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use ocis_core::data::HttpService;
use ocis_core::port::Late;
use ocis_core::{Error, Result};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use super::health::{Health, State};
use crate::late_http::late_http;
use crate::peers::Peers;
use crate::registry::{Build, Entry};
use crate::service::{Job, Serve, Step, Stop, Unit};

/// The pause before the first restart; every further one is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The back-off of oCIS.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// After so many failures in a row a unit is given up.
const MOST_FAILURES: u32 = 10;
/// A unit that ran for so long failed for a new reason: the count begins anew.
const STABLE_AFTER: Duration = Duration::from_secs(60);

/// How long the jobs of a unit may take to end before they are cut off.
const LONGEST_END: Duration = Duration::from_secs(10);

/// What becomes of a unit that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// It is started again; when it keeps failing, it is given up and the others go on.
    BackOff,
    /// The server ends, and whoever started it starts it again: a service that runs alone has an
    /// external supervisor.
    Never,
}

/// How long to wait before which restart.
#[derive(Debug, Default)]
struct BackOff {
    failures: u32,
}

impl BackOff {
    /// The pause after one more failure; none means that it is enough.
    fn next(&mut self) -> Option<Duration> {
        self.failures += 1;
        let doubled = FIRST_PAUSE * 2u32.saturating_pow(self.failures.min(16) - 1);
        (self.failures < MOST_FAILURES).then(|| doubled.min(LONGEST_PAUSE))
    }
}

/// A listening socket of a unit. It stays open over restarts, so that nobody else takes the port.
pub(crate) struct Door {
    pub(crate) socket: TcpListener,
    pub(crate) service: Late<HttpService>,
    pub(crate) serve: Serve,
}

/// The two moments of ending: first nothing new is accepted and what is under way is answered,
/// then the jobs stop and the stores are closed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    pub(crate) drain: Stop,
    pub(crate) stop: Stop,
    pub(crate) doors: TaskTracker,
}

/// What is needed to keep a unit alive.
pub(crate) struct Keeper {
    pub(crate) entry: Entry,
    pub(crate) build: Build,
    pub(crate) peers: Peers,
    pub(crate) health: Arc<Health>,
    pub(crate) doors: Vec<Door>,
    pub(crate) restart: Restart,
    pub(crate) ending: Ending,
}

/// The jobs of a unit that runs.
pub(crate) struct Active {
    jobs: JoinSet<(&'static str, Result<()>)>,
    stop: Stop,
    close: Option<Step>,
}

/// The accept loops that run, one a door.
#[derive(Default)]
struct Loops {
    tasks: JoinSet<Result<()>>,
    handles: Vec<Option<AbortHandle>>,
}

impl Keeper {
    /// Starts a unit whose offers are bound already.
    pub(crate) async fn start(&self, mut unit: Unit) -> Result<Active> {
        if let Some(start) = unit.start.take() {
            start().await?;
        }
        let stop = self.ending.stop.child_token();
        let mut jobs = JoinSet::new();
        for Job { name, run } in unit.jobs {
            let job = run(stop.clone());
            jobs.spawn(async move { (name, job.await) });
        }
        self.health.running(unit.ready);
        Ok(Active { jobs, stop, close: unit.close })
    }

    /// Binds what a unit offers, in this process and at its doors.
    pub(crate) fn bind(&self, unit: &mut Unit) -> Result<()> {
        let offers = std::mem::take(&mut unit.offers);
        self.peers.bind(self.entry.name, offers, unit.http.take())?;
        for (door, listener) in self.doors.iter().zip(std::mem::take(&mut unit.listeners)) {
            door.service.bind(Arc::new(listener.service));
        }
        Ok(())
    }

    fn unbind(&self) {
        self.peers.unbind(self.entry.name);
        self.doors.iter().for_each(|door| door.service.unbind());
    }

    /// Runs until the server ends, or the unit is given up: then with the error.
    pub(crate) async fn keep(mut self, mut active: Active) -> Result<()> {
        let mut loops = Loops::default();
        let mut back_off = BackOff::default();
        loop {
            let since = Instant::now();
            let failure = match self.open(&mut loops) {
                Ok(()) => self.until_failure(&mut active, &mut loops).await,
                Err(error) => Some(error),
            };
            let Some(mut failure) = failure else {
                self.finish(active).await;
                self.health.stopped();
                return Ok(());
            };
            self.unbind();
            self.finish(active).await;
            if since.elapsed() >= STABLE_AFTER {
                back_off = BackOff::default();
            }
            active = loop {
                let pause = match self.restart {
                    Restart::BackOff => back_off.next(),
                    Restart::Never => None,
                };
                let Some(pause) = pause else { return Err(self.give_up(failure)) };
                warn!(service = self.entry.name, error = %failure, pause_ms = pause.as_millis() as u64,
                    "the service failed and is restarted");
                self.health.failed(State::Restarting, &failure);
                tokio::select! {
                    () = sleep(pause) => {}
                    () = self.ending.drain.cancelled() => {
                        self.health.stopped();
                        return Ok(());
                    }
                }
                match self.revive().await {
                    Ok(active) => break active,
                    Err(error) => failure = error,
                }
            };
            info!(service = self.entry.name, "the service runs again");
        }
    }

    fn give_up(&self, failure: Error) -> Error {
        error!(service = self.entry.name, error = %failure, "the service keeps failing and is given up");
        self.health.failed(State::GivenUp, &failure);
        failure
    }

    /// Builds and starts the unit anew; a panic on the way is a failure like any other.
    async fn revive(&self) -> Result<Active> {
        let revive = async {
            let mut unit = (self.build)(&self.peers)?;
            self.bind(&mut unit)?;
            self.start(unit).await
        };
        let result = AssertUnwindSafe(revive).catch_unwind().await;
        result
            .unwrap_or_else(|panic| Err(panicked("starting", &*panic)))
            .inspect_err(|_| self.unbind())
    }

    /// Runs the accept loops that do not run.
    fn open(&self, loops: &mut Loops) -> Result<()> {
        loops.handles.resize(self.doors.len(), None);
        for (door, handle) in self.doors.iter().zip(&mut loops.handles) {
            if handle.as_ref().is_some_and(|handle| !handle.is_finished()) {
                continue;
            }
            let socket =
                door.socket.try_clone().and_then(tokio::net::TcpListener::from_std).map_err(
                    |error| Error::internal("a listening socket is lost").because(error),
                )?;
            let service = late_http(door.service.clone(), self.entry.name);
            let accept = (door.serve)(socket, service, self.ending.drain.clone());
            *handle = Some(loops.tasks.spawn(self.ending.doors.track_future(accept)));
        }
        Ok(())
    }

    /// Waits until the server ends (none) or something of the unit fails.
    async fn until_failure(&mut self, active: &mut Active, loops: &mut Loops) -> Option<Error> {
        loop {
            tokio::select! {
                () = self.ending.stop.cancelled() => return None,
                // The accept loops end by themselves; with the last handle of the socket, clients
                // are turned away at once.
                () = self.ending.drain.cancelled(), if !self.doors.is_empty() => self.doors.clear(),
                Some(ended) = active.jobs.join_next() => match ended {
                    Ok((_, Ok(()))) => {}
                    Ok((name, Err(error))) => return Some(error.with("job", name)),
                    Err(error) => return Some(joined(error)),
                },
                Some(ended) = loops.tasks.join_next() => match ended {
                    Ok(Ok(())) if self.ending.drain.is_cancelled() => {}
                    Ok(Ok(())) => return Some(Error::internal("an accept loop ended")),
                    Ok(Err(error)) => return Some(error),
                    Err(error) => return Some(joined(error)),
                },
            }
        }
    }

    /// Ends the jobs and closes what the unit had opened.
    pub(crate) async fn finish(&self, mut active: Active) {
        active.stop.cancel();
        let jobs = async {
            while let Some(ended) = active.jobs.join_next().await {
                if let Ok((job, Err(error))) = ended {
                    warn!(service = self.entry.name, job, %error, "a job failed while it was ending");
                }
            }
        };
        if timeout(LONGEST_END, jobs).await.is_err() {
            warn!(service = self.entry.name, "jobs that do not end are cut off");
            active.jobs.shutdown().await;
        }
        if let Some(close) = active.close.take()
            && let Err(error) = close().await
        {
            error!(service = self.entry.name, %error, "the service could not be closed");
        }
    }
}

fn joined(error: JoinError) -> Error {
    match error.try_into_panic() {
        Ok(panic) => panicked("a job", &*panic),
        Err(error) => Error::internal("a job was cancelled").because(error),
    }
}

fn panicked(what: &str, panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::internal(format!("{what} panicked: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let mut back_off = BackOff::default();
        let pauses: Vec<_> =
            std::iter::from_fn(|| back_off.next()).map(|p| p.as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3000, 3000, 3000, 3000]);
    }
}
