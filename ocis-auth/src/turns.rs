//! Work that is slow on purpose, so much of it at once, and only so much waiting.

use std::sync::Arc;

use ocis_core::{Error, Result};
use tokio::sync::Semaphore;

/// Who may work, and who may wait for it.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    running: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Turns {
    /// At most `parallel` (at least 1) at once, and `waiting` more that wait.
    pub(crate) fn new(parallel: usize, waiting: usize) -> Self {
        let parallel = parallel.max(1);
        Self {
            running: Arc::new(Semaphore::new(parallel)),
            queue: Arc::new(Semaphore::new(parallel + waiting)),
        }
    }

    /// Does `work` on a thread for blocking work when it is its turn.
    /// [`ocis_core::ErrorKind::Unavailable`] when too many are waiting.
    pub(crate) async fn take<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let closed = |_| Error::unavailable("the server is stopping");
        let place = Arc::clone(&self.queue)
            .try_acquire_owned()
            .map_err(|_| Error::unavailable("too many people are signing in at this moment"))?;
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(closed)?;
        // The permits go with the work: a caller that goes away does not stop it.
        let work = move || {
            let _permits = (place, turn);
            work()
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Error::internal("checking credentials failed").because(error))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_would_wait_too_long_is_refused() {
        let turns = Turns::new(1, 2);
        let _all = turns.queue.acquire_many(3).await.unwrap();
        let error = turns.take(|| Ok(())).await.unwrap_err();
        assert_eq!(error.kind(), ocis_core::ErrorKind::Unavailable);
    }
}
