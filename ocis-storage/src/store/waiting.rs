//! Until the files hold what the memory holds: for those who read files.

use std::sync::Arc;

use ocis_core::{Cx, Error, Result};

use super::Store;
use super::change::Change;

impl Store {
    /// As [`Self::change`], but again when the journal has got on, as long as `work` finds what it
    /// needs behind in the files (none).
    pub(super) async fn change_when_written<T: Send + 'static>(
        self: &Arc<Self>,
        cx: &Cx,
        work: impl Fn(&mut Change<'_>) -> Result<Option<T>> + Clone + Send + 'static,
    ) -> Result<T> {
        let mut reports = self.memory.reports.subscribe();
        loop {
            reports.mark_unchanged();
            if let Some(result) = self.change(cx, work.clone()).await? {
                return Ok(result);
            }
            if self.journal.has_failed() {
                return Err(Error::unavailable("the storage failed; it must be opened again"));
            }
            reports.changed().await.map_err(|_| Error::unavailable("the storage is closing"))?;
        }
    }

    /// Waits until the files hold every change that was made before, but for sizes of folders.
    pub(super) async fn catch_up(&self) -> Result<()> {
        let Some(youngest) = self.memory.state.read().youngest() else { return Ok(()) };
        let look = || Ok(self.memory.state.read().has_applied(youngest));
        self.when_written(look, |applied| *applied).await.map(drop)
    }

    /// Reads files on a thread that may block.
    pub(super) async fn reading<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(self);
        tokio::task::spawn_blocking(move || read(&store))
            .await
            .map_err(|error| Error::internal("reading broke off").because(error))?
    }

    /// Looks until what is found is written: again whenever the journal has got on.
    pub(super) async fn when_written<T>(
        &self,
        look: impl Fn() -> Result<T>,
        is_written: impl Fn(&T) -> bool,
    ) -> Result<T> {
        let mut reports = self.memory.reports.subscribe();
        loop {
            reports.mark_unchanged();
            let found = look()?;
            if is_written(&found) || self.journal.has_failed() {
                return Ok(found);
            }
            reports.changed().await.map_err(|_| Error::unavailable("the storage is closing"))?;
        }
    }
}
