//! Identical sign-ins that come at once are verified once.

use std::collections::HashMap;
use std::sync::Arc;

use ocis_core::{Identity, Result};
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::Digest;

type Answer = OnceCell<Option<Arc<Identity>>>;

/// The verifications under way.
#[derive(Debug, Default)]
pub(super) struct Flights {
    running: Mutex<HashMap<Digest, Arc<Answer>>>,
}

impl Flights {
    /// The answer of `check`, or of the one that is under way for the same credentials. When the
    /// caller that does the work goes away or gets an error, the next one does it.
    pub(super) async fn join(
        &self,
        key: Digest,
        check: impl Future<Output = Result<Option<Arc<Identity>>>>,
    ) -> Result<Option<Arc<Identity>>> {
        let answer = Arc::clone(self.running.lock().entry(key).or_default());
        let seat = Seat { flights: self, key, answer };
        seat.answer.get_or_try_init(|| check).await.cloned()
    }
}

/// One of those who wait for an answer; the last to leave, even by being cancelled, cleans up.
struct Seat<'a> {
    flights: &'a Flights,
    key: Digest,
    answer: Arc<Answer>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut running = self.flights.running.lock();
        // Two: the map's and this one's. Others come and go only under the lock.
        if Arc::strong_count(&self.answer) <= 2 {
            running.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocis_core::Error;

    #[tokio::test]
    async fn nothing_is_left_behind() {
        let flights = Flights::default();
        assert!(flights.join([1; 32], async { Ok(None) }).await.unwrap().is_none());
        let error = flights.join([1; 32], async { Err(Error::unavailable("x")) }).await;
        assert!(error.is_err());
        let never = flights.join([1; 32], std::future::pending());
        assert!(futures::FutureExt::now_or_never(never).is_none());
        assert!(flights.running.lock().is_empty());
    }

    #[tokio::test]
    async fn the_next_one_takes_over() {
        let flights = Flights::default();
        let first = Box::pin(flights.join([1; 32], std::future::pending()));
        let mut second = Box::pin(flights.join([1; 32], async { Ok(None) }));
        let mut first = Some(first);
        assert!(futures::poll!(first.as_mut().unwrap()).is_pending());
        assert!(futures::poll!(&mut second).is_pending());
        first.take();
        assert!(second.await.unwrap().is_none());
        assert!(flights.running.lock().is_empty());
    }
}
