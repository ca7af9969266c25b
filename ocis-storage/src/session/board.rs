//! Who is at work on which session. One request at a time; a later one asks the one before to break
//! off, because a client that comes back has given its former connection up.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use ocis_core::upload::SessionId;
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedMutexGuard, watch};

use super::saved::Saved;
use crate::digest::Digester;

/// Sessions that are kept in memory at most, apart from those that somebody works on; some 3 KiB
/// each. What is kept of the others is on the disk; only their digests are computed again.
const KEPT: usize = 1000;

/// The sessions of a store.
#[derive(Debug, Default)]
pub(crate) struct Board {
    seats: Mutex<HashMap<SessionId, Arc<Seat>>>,
    /// Sessions that are to be processed, in the order in which they became whole.
    whole: Mutex<VecDeque<SessionId>>,
    wake: Notify,
}

/// A session's place on the board.
#[derive(Debug)]
pub(crate) struct Seat {
    /// What is known of the session; none means that its files say.
    known: Arc<tokio::sync::Mutex<Option<Live>>>,
    /// Counts those who came.
    callers: watch::Sender<u64>,
}

/// A session in memory.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) saved: Saved,
    /// Bytes that are durable.
    pub(crate) offset: u64,
    /// Over all of them; none where they were not all seen.
    pub(crate) digester: Option<Digester>,
}

/// The right to work on a session. What is known of it is forgotten unless [`Held::keep`] is
/// called, so that after anything unexpected its files are read again.
#[derive(Debug)]
pub(crate) struct Held {
    known: OwnedMutexGuard<Option<Live>>,
    /// Tells when somebody else comes.
    pub(crate) others: watch::Receiver<u64>,
}

impl Board {
    fn seat(&self, id: &SessionId) -> Arc<Seat> {
        let mut seats = self.seats.lock();
        if seats.len() > KEPT {
            let is_used = |seat: &Arc<Seat>| {
                Arc::strong_count(seat) > 1 || Arc::strong_count(&seat.known) > 1
            };
            seats.retain(|_, seat| is_used(seat));
        }
        let seat = seats.entry(id.clone()).or_insert_with(|| {
            Arc::new(Seat { known: Arc::default(), callers: watch::Sender::new(0) })
        });
        Arc::clone(seat)
    }

    /// Asks whoever works on the session to break off, and waits.
    pub(crate) async fn take(&self, id: &SessionId) -> (Held, Option<Live>) {
        let seat = self.seat(id);
        seat.callers.send_modify(|count| *count += 1);
        let known = Arc::clone(&seat.known).lock_owned().await;
        Held::new(known, &seat)
    }

    /// Waits until nobody works on the session.
    pub(crate) async fn wait(&self, id: &SessionId) -> (Held, Option<Live>) {
        let seat = self.seat(id);
        let known = Arc::clone(&seat.known).lock_owned().await;
        Held::new(known, &seat)
    }

    /// A session is to be processed.
    pub(crate) fn push(&self, id: SessionId) {
        self.whole.lock().push_back(id);
        self.wake.notify_one();
    }

    /// Forgets what is to be processed.
    pub(crate) fn drain(&self) {
        self.whole.lock().clear();
    }

    /// The next session to be processed, as soon as there is one.
    pub(crate) async fn next(&self) -> SessionId {
        loop {
            if let Some(id) = self.whole.lock().pop_front() {
                return id;
            }
            self.wake.notified().await;
        }
    }

    /// None when somebody works on the session.
    pub(crate) fn try_take(&self, id: &SessionId) -> Option<(Held, Option<Live>)> {
        let seat = self.seat(id);
        let known = Arc::clone(&seat.known).try_lock_owned().ok()?;
        Some(Held::new(known, &seat))
    }

    /// Forgets a session that is over.
    pub(crate) fn forget(&self, id: &SessionId) {
        self.seats.lock().remove(id);
    }
}

impl Held {
    fn new(mut known: OwnedMutexGuard<Option<Live>>, seat: &Seat) -> (Self, Option<Live>) {
        let live = known.take();
        (Self { known, others: seat.callers.subscribe() }, live)
    }

    /// Ends the work; `live` is what the files say.
    pub(crate) fn keep(mut self, live: Live) {
        *self.known = Some(live);
    }
}
