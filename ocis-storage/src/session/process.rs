//! The processing of contents: the steps one after the other, and what they decide.
//!
//! While a content is processed, its file shows it, marked as being processed, and nobody can read
//! it. The state stands in the session's description and changes with the tree in one record:
//!
//! | outcome | the file | the session |
//! |---|---|---|
//! | continue | can be read | is over |
//! | delete | has its former content, or is gone | is over, bytes and all |
//! | abort | has its former content, or is gone | keeps the bytes, until it is restarted or expires |
//! | retry | waits | goes on after a pause, and is aborted after so many |
//!
//! Work goes on after a restart with the step that was under way.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use ocis_core::time::Clock;
use ocis_core::upload::SessionId;
use ocis_core::{Caller, Cx, ErrorKind, Result};
use tokio::sync::Semaphore;

use super::board::{Held, Live};
use super::saved::{Progress, Saved, Stage};
use super::step::{Done, Incoming, Outcome, Step};
use super::{StoreSessions, blocking, finish, list};
use crate::fs::Open;
use crate::journal::broken;
use crate::layout::paths;
use crate::store::Ending;

/// Steps that run at once at most; those that wait do not count.
const WORKERS: usize = 4;

impl StoreSessions {
    /// Processes what is there and whatever comes, until it is dropped. To be run once for a store,
    /// beside everything else: without it, contents wait.
    pub async fn run(&self, clock: Arc<dyn Clock>) -> Result<()> {
        let workers = Semaphore::new(WORKERS);
        let store = Arc::clone(&self.store);
        let mut work = FuturesUnordered::new();
        // What waits there is in the list as well.
        store.sessions.drain();
        for id in blocking(move || list::ids(&store)).await? {
            work.push(self.process(id, &*clock, &workers));
        }
        loop {
            tokio::select! {
                id = self.store.sessions.next() => work.push(self.process(id, &*clock, &workers)),
                Some(()) = work.next(), if !work.is_empty() => {}
            }
        }
    }

    /// Processes one session until nothing is left to be done.
    async fn process(&self, id: SessionId, clock: &dyn Clock, workers: &Semaphore) {
        loop {
            let pause = match self.advance(&id, clock, workers).await {
                Ok(Some(pause)) => pause,
                Ok(None) => return,
                Err(error) if error.kind() == ErrorKind::NotFound => return,
                Err(error) => {
                    tracing::warn!(?error, %id, "an upload cannot be processed; trying again");
                    self.store.options.processing.backoff
                }
            };
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// Does one step; gives how long to wait before the next one, none when there is none.
    async fn advance(
        &self,
        id: &SessionId,
        clock: &dyn Clock,
        workers: &Semaphore,
    ) -> Result<Option<Duration>> {
        let (held, live) = self.store.wait_for_session(id).await?;
        let Stage::Processing(progress) = live.saved.ours.stage.clone() else {
            return self.commit(held, live, clock).await.map(|()| None);
        };
        let processing = &self.store.options.processing;
        let Some(step) = processing.step(&progress.step) else {
            self.end(held, live.saved, Ending::Ready, clock).await?;
            return Ok(None);
        };
        let incoming = self.incoming(&live, &progress).await?;
        held.keep(live);
        let done = {
            let _worker = workers.acquire().await;
            let cx = server(clock);
            step.run(&cx, &incoming).await.unwrap_or_else(|error| {
                tracing::warn!(?error, %id, step = step.name(), "a processing step failed");
                Outcome::Retry.into()
            })
        };
        let (held, live) = self.store.wait_for_session(id).await?;
        // Somebody moved it on by hand meanwhile; that goes its own way.
        if live.saved.ours.stage != Stage::Processing(progress.clone()) {
            held.keep(live);
            return Ok(None);
        }
        self.decide(held, live, progress, &**step, done, clock).await
    }

    /// Commits a content that is whole and was not: its client may be gone, and a refusal ends the
    /// session. Of oCIS's sessions only those go on that it was processing, unless it found a virus.
    async fn commit(&self, held: Held, live: Live, clock: &dyn Clock) -> Result<()> {
        let (store, cx) = (Arc::clone(&self.store), server(clock));
        let has_virus = live.saved.scan.as_ref().is_some_and(|scan| !scan.found.is_empty());
        let is_receiving = live.saved.ours.stage == Stage::Receiving;
        if !live.is_whole() || !is_receiving || has_virus {
            held.keep(live);
            return Ok(());
        }
        if live.saved.is_ours {
            let finished = async move { finish::finish(store, held, live, cx.now).await };
            return super::unbroken(finished).await.map(drop);
        }
        if store.is_shown(&cx, &live.saved)? {
            let adopted = async move { store.adopt_session(&cx, held, live).await };
            return super::unbroken(adopted).await;
        }
        held.keep(live);
        Ok(())
    }

    async fn decide(
        &self,
        held: Held,
        mut live: Live,
        mut progress: Progress,
        step: &dyn Step,
        done: Done,
        clock: &dyn Clock,
    ) -> Result<Option<Duration>> {
        let processing = &self.store.options.processing;
        if done.scan.is_some() {
            live.saved.scan = done.scan;
        }
        let pause = match (done.outcome, processing.after(step)) {
            (Outcome::Continue, Some(next)) => {
                (progress.step, progress.failures) = (next, 0);
                Duration::ZERO
            }
            (Outcome::Retry, _) if done.after.is_some() => {
                held.keep(live);
                return Ok(done.after);
            }
            (Outcome::Retry, _) if progress.failures < processing.retries => {
                progress.failures += 1;
                processing.pause(progress.failures)
            }
            (outcome, _) => {
                let ending = match outcome {
                    Outcome::Continue => Ending::Ready,
                    Outcome::Delete => Ending::Reverted { keep: false },
                    Outcome::Abort | Outcome::Retry => Ending::Reverted { keep: true },
                };
                self.end(held, live.saved, ending, clock).await?;
                return Ok(None);
            }
        };
        live.saved.ours.stage = Stage::Processing(progress);
        self.end(held, live.saved, Ending::Later, clock).await?;
        Ok(Some(pause))
    }

    async fn end(&self, held: Held, saved: Saved, ending: Ending, clock: &dyn Clock) -> Result<()> {
        let (store, cx) = (Arc::clone(&self.store), server(clock));
        super::unbroken(async move { store.settle_session(&cx, held, saved, ending).await }).await
    }

    async fn incoming(&self, live: &Live, progress: &Progress) -> Result<Incoming> {
        let path = self.store.root().join(paths::session(&live.saved.id));
        let fs = Arc::clone(self.store.fs());
        let file = blocking(move || fs.open(&path, Open::Read).map_err(broken)).await?;
        let session = live.saved.view(live.offset);
        Ok(Incoming { session, size: live.offset, since: progress.since, file })
    }
}

fn server(clock: &dyn Clock) -> Cx {
    Cx::new(Caller::Service("postprocessing".into()), clock.now())
}
