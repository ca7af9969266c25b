//! Identical sign-ins that come at once are verified once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use ocis_core::Result;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

/// The verifications under way.
#[derive(Debug)]
pub(crate) struct Flights<K, T> {
    running: Mutex<HashMap<K, Arc<OnceCell<T>>>>,
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self { running: Mutex::default() }
    }
}

impl<K: Copy + Eq + Hash, T: Clone> Flights<K, T> {
    /// The answer of `check`, or of the one that is under way for the same credentials. When the
    /// caller that does the work goes away or gets an error, the next one does it.
    pub(crate) async fn join(&self, key: K, check: impl Future<Output = Result<T>>) -> Result<T> {
        let answer = Arc::clone(self.running.lock().entry(key).or_default());
        let seat = Seat { flights: self, key, answer };
        seat.answer.get_or_try_init(|| check).await.cloned()
    }
}

/// One of those who wait for an answer; the last to leave, even by being cancelled, cleans up.
struct Seat<'a, K: Copy + Eq + Hash, T> {
    flights: &'a Flights<K, T>,
    key: K,
    answer: Arc<OnceCell<T>>,
}

impl<K: Copy + Eq + Hash, T> Drop for Seat<'_, K, T> {
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
        let flights = Flights::<[u8; 32], Option<()>>::default();
        assert!(flights.join([1; 32], async { Ok(None) }).await.unwrap().is_none());
        let error = flights.join([1; 32], async { Err(Error::unavailable("x")) }).await;
        assert!(error.is_err());
        let never = flights.join([1; 32], std::future::pending());
        assert!(futures::FutureExt::now_or_never(never).is_none());
        assert!(flights.running.lock().is_empty());
    }

    #[tokio::test]
    async fn the_next_one_takes_over() {
        let flights = Flights::<[u8; 32], Option<()>>::default();
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
