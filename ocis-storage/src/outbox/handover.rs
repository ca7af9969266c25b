//! The thread that hands events over to the bus.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures::future::{Either, select};
use ocis_core::event::Event;
use ocis_core::port::EventBus;
use ocis_core::{Caller, Cx, Error, Result};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::{Batch, Outbox};

/// Events that are handed over at once.
const BATCH: usize = 200;
/// How long to wait after a failure: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(10));
/// How often it is noted what was handed over, while there is more.
const MARK: Duration = Duration::from_secs(1);
/// How long a store that is closed waits for the bus.
const GRACE: Duration = Duration::from_secs(2);

/// Hands events over until it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Handover {
    outbox: Arc<Outbox>,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    thread: JoinHandle<()>,
    /// Gives up a call that is under way.
    cancel: oneshot::Sender<()>,
    ended: mpsc::Receiver<()>,
}

impl Handover {
    /// Begins. The bus is called in the runtime that this is called in, if there is one.
    pub(crate) fn start(outbox: Arc<Outbox>, bus: Arc<dyn EventBus>) -> std::io::Result<Self> {
        let (cancel, cancelled) = oneshot::channel();
        let (end, ended) = mpsc::channel();
        let runtime = Handle::try_current().ok();
        let shared = Arc::clone(&outbox);
        let run = move || {
            Worker { outbox: shared, bus, runtime, cancelled }.run();
            drop(end);
        };
        let thread = std::thread::Builder::new().name("outbox".into()).spawn(run)?;
        Ok(Self { outbox, running: Mutex::new(Some(Running { thread, cancel, ended })) })
    }

    /// Hands over what waits, if the bus takes it soon, and ends. Blocking.
    pub(crate) fn stop(&self) {
        self.end(GRACE);
    }

    fn end(&self, grace: Duration) {
        self.outbox.end();
        let Some(running) = self.running.lock().take() else { return };
        // An error means that the thread has ended.
        if running.ended.recv_timeout(grace) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = running.cancel.send(());
        }
        // A thread that panicked has been reported by the panic.
        let _ = running.thread.join();
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        // No thread may touch the files when somebody else opens them.
        self.end(Duration::ZERO);
    }
}

struct Worker {
    outbox: Arc<Outbox>,
    bus: Arc<dyn EventBus>,
    runtime: Option<Handle>,
    cancelled: oneshot::Receiver<()>,
}

impl Worker {
    fn run(mut self) {
        let (mut pause, mut marked) = (PAUSES.0, Instant::now());
        while let Some(batch) = self.outbox.next(BATCH) {
            match batch.map_err(crate::journal::broken).and_then(|batch| self.hand_over(&batch)) {
                Ok((is_last, batch)) => {
                    pause = PAUSES.0;
                    if is_last || marked.elapsed() >= MARK {
                        marked = Instant::now();
                        self.mark(&batch);
                    }
                }
                Err(_) if self.outbox.is_ending() => return,
                Err(error) => {
                    if pause == PAUSES.1 || pause == PAUSES.0 {
                        tracing::warn!(?error, "events wait: the event bus does not take them");
                    }
                    self.outbox.pause(pause);
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    /// Hands a batch over; says whether nothing else waits.
    fn hand_over(&mut self, batch: &Batch) -> Result<(bool, Vec<Event>)> {
        let events = batch.events.clone();
        self.publish(events.clone())?;
        let is_last = self.outbox.handed_over(batch).map_err(crate::journal::broken)?;
        Ok((is_last, events))
    }

    fn publish(&mut self, events: Vec<Event>) -> Result<()> {
        let Some(last) = events.last() else { return Ok(()) };
        let cx = Cx::new(Caller::Service("storage".into()), last.time);
        let (bus, cancelled) = (&self.bus, &mut self.cancelled);
        let call = async {
            match select(bus.publish(&cx, events), cancelled).await {
                Either::Left((published, _)) => published,
                Either::Right(_) => Err(Error::unavailable("the storage is closing")),
            }
        };
        match &self.runtime {
            Some(runtime) => runtime.block_on(call),
            None => futures::executor::block_on(call),
        }
    }

    fn mark(&self, batch: &[Event]) {
        let Some(last) = batch.last() else { return };
        if let Err(error) = self.outbox.mark(&last.id) {
            tracing::warn!(%error, "after a crash, more events will come twice than need to");
        }
    }
}
