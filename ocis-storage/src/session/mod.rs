//! Upload sessions: uploads that come in pieces and survive a restart.
//!
//! A session is two files in the folder `uploads`, as in oCIS: `<id>` holds the bytes, and
//! `<id>.info` its description (`saved.rs`). Its id is that of the content that it becomes.
//!
//! 1. **Begun**: what a simple upload checks is checked. The file for the bytes is made first, then
//!    the description; without one, the bytes are swept away when the store is opened.
//! 2. **Receiving**: bytes are added at the end and flushed before the answer (`append.rs`). What
//!    the file holds is the offset. A chunk that comes with a checksum counts only once it was
//!    verified: until then the description says where it began.
//! 3. **Whole**: the content becomes a blob and is committed as that of a simple upload is, and the
//!    same journal record removes both files (`finish.rs`). After a crash, either they are gone and
//!    the content is there, or the session goes on; its description marks a blob without a file.
//!
//! 4. **Processed**, where there are [`step`]s: the record of the content marks the file instead,
//!    and the session stays until the steps are done (`process.rs`).
//!
//! Descriptions change through the journal, so that they never disagree with the tree.

mod act;
mod append;
pub(crate) mod board;
pub mod clamav;
mod finish;
mod list;
mod process;
pub(crate) mod saved;
pub mod step;

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ocis_core::port::{
    ActOnSession, CreateSession, GetSession, ListSessions, OpenSession, Page, SetLength,
    UploadSessions,
};
use ocis_core::time::Timestamp;
use ocis_core::upload::{SessionId, UploadSession};
use ocis_core::{Caller, Cx, Error, Result};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

pub use self::append::{Append, Appended};
use self::board::{Held, Live};
use self::saved::{Saved, Stage, gone};
use crate::blob::stopped;
use crate::digest::Digester;
use crate::fs::{Entry, Fs, Kind, Open};
use crate::journal::broken;
use crate::layout::paths;
use crate::store::Store;
use crate::ticket::{Purpose, Tickets};

/// How long it is waited for whoever may only look at a session.
const A_LOOK: Duration = Duration::from_secs(1);

/// What a ticket for a session claims.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionClaims {
    /// The session to which bytes may be added.
    pub id: SessionId,
}

/// The port [`UploadSessions`] of a store. All values for one store share what they know.
#[derive(Debug, Clone)]
pub struct StoreSessions {
    store: Arc<Store>,
    tickets: Tickets,
}

impl StoreSessions {
    /// Sessions of `store`, to which bytes are sent through a [`crate::data::DataPlane`] with the
    /// same `tickets`.
    pub fn new(store: Arc<Store>, tickets: Tickets) -> Self {
        Self { store, tickets }
    }

    /// Takes a session that the caller may know of, to work on it.
    async fn of(&self, cx: &Cx, id: &SessionId) -> Result<(Held, Live)> {
        let (held, live) = self.store.take_session(id).await?;
        live.saved.of(&cx.caller)?;
        Ok((held, live))
    }
}

#[async_trait]
impl UploadSessions for StoreSessions {
    async fn create(&self, cx: &Cx, request: CreateSession) -> Result<OpenSession> {
        let store = &self.store;
        let saved = store.look(cx, |change| change.prepare_session(&request))?;
        let claims = SessionClaims { id: saved.id.clone() };
        let ticket = self.tickets.sign(Purpose::Session, &claims, cx.now)?;
        let session = saved.view(0);
        let (store, cx) = (Arc::clone(store), cx.clone());
        unbroken(async move {
            store.begin_session(&cx, &saved).await?;
            if saved.length != Some(0) {
                return Ok(());
            }
            let (held, live) = store.take_session(&saved.id).await?;
            finish::finish(store, held, live, cx.now).await.map(drop)
        })
        .await?;
        Ok(OpenSession { session, ticket })
    }

    async fn get(&self, cx: &Cx, request: GetSession) -> Result<UploadSession> {
        // Whoever only looks does not break anything off.
        let (saved, offset) = match self.store.sessions.try_take(&request.id) {
            Some((held, live)) => {
                let (held, live) = self.store.known_session(held, live, &request.id).await?;
                let seen = (live.saved.clone(), live.offset);
                held.keep(live);
                seen
            }
            None => {
                let (store, id) = (Arc::clone(&self.store), request.id);
                blocking(move || store.read_session(&id)).await?
            }
        };
        saved.of(&cx.caller)?;
        Ok(saved.view(offset))
    }

    async fn set_length(&self, cx: &Cx, request: SetLength) -> Result<UploadSession> {
        let (held, mut live) = self.of(cx, &request.id).await?;
        live.saved.receiving(cx.now)?;
        let is_other = live.saved.length.is_some_and(|length| length != request.length);
        if is_other || request.length < live.offset {
            held.keep(live);
            return Err(Error::conflict("the upload has another length, or more bytes already"));
        }
        self.store.look(cx, |change| change.fits(&live.saved.prepared, request.length))?;
        live.saved.length = Some(request.length);
        let view = live.saved.view(live.offset);
        let (store, cx) = (Arc::clone(&self.store), cx.clone());
        unbroken(async move {
            store.save_session(&cx, &live.saved).await?;
            if live.is_whole() {
                return finish::finish(store, held, live, cx.now).await.map(drop);
            }
            held.keep(live);
            Ok(())
        })
        .await?;
        Ok(view)
    }

    async fn abort(&self, cx: &Cx, request: GetSession) -> Result<()> {
        let (held, live) = self.of(cx, &request.id).await?;
        let (store, cx) = (Arc::clone(&self.store), cx.clone());
        unbroken(async move { act::give_up(&store, &cx, held, live).await }).await
    }

    async fn list(&self, cx: &Cx, request: ListSessions) -> Result<Page<UploadSession>> {
        for_the_server(cx)?;
        let (store, now) = (Arc::clone(&self.store), cx.now);
        blocking(move || list::page(&store, &request, now)).await
    }

    async fn act(&self, cx: &Cx, request: ActOnSession) -> Result<UploadSession> {
        for_the_server(cx)?;
        act::act(&self.store, cx, request).await
    }

    async fn expire(&self, cx: &Cx, now: Timestamp) -> Result<u64> {
        for_the_server(cx)?;
        let store = Arc::clone(&self.store);
        let names = blocking(move || list::ids(&store)).await?;
        let mut count = 0;
        for id in names {
            // Whoever only looks at it is done at once; whoever sends bytes is not.
            let taken = tokio::time::timeout(A_LOOK, self.store.sessions.wait(&id)).await;
            let Ok((held, live)) = taken else { continue };
            // It ended meanwhile.
            let Ok((held, live)) = self.store.known_session(held, live, &id).await else {
                continue;
            };
            let is_processed = live.saved.view(live.offset).processing.is_some();
            if is_processed || !live.saved.is_expired(now) {
                held.keep(live);
                continue;
            }
            let (store, cx) = (Arc::clone(&self.store), cx.clone());
            unbroken(async move { store.end_session(&cx, held, live).await }).await?;
            count += 1;
        }
        Ok(count)
    }
}

/// Removes bytes of sessions that have no description: those ended, or never began; blocking. To be
/// called when a store is opened, after the journal was replayed.
pub(crate) fn sweep(fs: &dyn Fs, uploads: &Path) -> Result<()> {
    let entries = fs.read_dir(uploads).map_err(broken)?;
    let names: HashSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    for Entry { name, kind } in &entries {
        let is_bytes = *kind == Kind::File && uuid::Uuid::parse_str(name).is_ok();
        if is_bytes && !names.contains(format!("{name}.info").as_str()) {
            fs.unlink(&uploads.join(name)).map_err(broken)?;
        }
    }
    Ok(())
}

/// For a change that writes no time.
fn quiet() -> Result<Cx> {
    Ok(Cx::new(Caller::Service("uploads".into()), Timestamp::from_unix(0, 0)?))
}

/// Refuses everybody but the server itself.
fn for_the_server(cx: &Cx) -> Result<()> {
    match cx.caller {
        Caller::Service(_) => Ok(()),
        _ => Err(Error::denied("this is for the server itself")),
    }
}

/// Runs `work` to its end, also when the client goes away: a change that is under way must not be
/// taken for one that was not made.
async fn unbroken<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work).await.map_err(stopped)?
}

/// Runs `work` on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    spawn_blocking(work).await.map_err(stopped)?
}

impl Saved {
    /// Refuses unless bytes may still come.
    fn receiving(&self, now: Timestamp) -> Result<()> {
        match self.ours.stage {
            Stage::Processing(_) => Err(Error::conflict("all bytes of this upload are there")),
            Stage::Receiving if !self.is_expired(now) => Ok(()),
            Stage::Receiving | Stage::GivenUp(_) => Err(gone()),
        }
    }
}

impl Live {
    /// Whether all bytes are there.
    fn is_whole(&self) -> bool {
        self.saved.length == Some(self.offset)
    }
}

impl Store {
    /// Takes a session to work on it; whoever works on it now is asked to break off.
    async fn take_session(self: &Arc<Self>, id: &SessionId) -> Result<(Held, Live)> {
        let (held, live) = self.sessions.take(id).await;
        self.known_session(held, live, id).await
    }

    /// Takes a session to work on it, as soon as nobody does.
    async fn wait_for_session(self: &Arc<Self>, id: &SessionId) -> Result<(Held, Live)> {
        let (held, live) = self.sessions.wait(id).await;
        self.known_session(held, live, id).await
    }

    /// Reads what is not in memory, and makes the bytes that are there durable.
    async fn known_session(
        self: &Arc<Self>,
        held: Held,
        live: Option<Live>,
        id: &SessionId,
    ) -> Result<(Held, Live)> {
        if let Some(live) = live {
            return Ok((held, live));
        }
        let (store, wanted) = (Arc::clone(self), id.clone());
        // With the right to it: whoever waits may go away, and nobody else may come in between.
        let read = blocking(move || {
            let (saved, offset) = store.read_session(&wanted)?;
            let path = store.root().join(paths::session(&wanted));
            let file = match store.fs.open(&path, Open::Write) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    store.fs.open(&path, Open::CreateNew)
                }
                opened => opened,
            };
            let file = file.map_err(broken)?;
            if file.size().map_err(broken)? > offset {
                file.set_size(offset).map_err(broken)?;
            }
            file.sync().map_err(broken)?;
            Ok((held, saved, offset))
        });
        let (held, mut saved, offset) = match read.await {
            Err(error) if error.kind() == ocis_core::ErrorKind::NotFound => {
                self.sessions.forget(id);
                return Err(error);
            }
            read => read?,
        };
        if saved.ours.tentative.take().is_some() {
            self.save_session(&quiet()?, &saved).await?;
        }
        let digester = (offset == 0).then(Digester::new);
        Ok((held, Live { saved, offset, digester }))
    }

    /// A session and how many bytes of its file count; blocking.
    fn read_session(&self, id: &SessionId) -> Result<(Saved, u64)> {
        let info = match self.fs.read(&self.root().join(paths::session_info(id))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(gone()),
            info => info.map_err(broken)?,
        };
        let size = match self.fs.stat(&self.root().join(paths::session(id))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            stat => stat.map_err(broken)?.size,
        };
        let saved = Saved::decode(&info)?;
        let offset = saved.ours.tentative.map_or(size, |start| start.min(size));
        Ok((saved, offset))
    }

    /// Makes the files of a session, durably.
    async fn begin_session(self: &Arc<Self>, cx: &Cx, saved: &Saved) -> Result<()> {
        let (store, id) = (Arc::clone(self), saved.id.clone());
        let path = self.root().join(paths::session(&id));
        blocking(move || {
            store.fs.open(&path, Open::CreateNew).map_err(broken)?;
            let synced = store.fs.sync_dir(store.uploads_dir());
            if synced.is_err() {
                // If this fails too, it is swept away when the store is opened.
                let _ = store.fs.unlink(&path);
            }
            synced.map_err(broken)
        })
        .await?;
        self.save_session(cx, saved).await
    }

    /// Replaces the description of a session, durably.
    async fn save_session(self: &Arc<Self>, cx: &Cx, saved: &Saved) -> Result<()> {
        let saved = saved.clone();
        self.change(cx, move |change| {
            change.put_session(&saved);
            Ok(())
        })
        .await
    }

    /// Removes a session that nobody refers to, and the blob that may have been made of it.
    async fn end_session(self: &Arc<Self>, cx: &Cx, held: Held, live: Live) -> Result<()> {
        let (id, with_blob) = (live.saved.id.clone(), live.is_whole());
        self.change(cx, move |change| {
            change.drop_session(&live.saved, with_blob);
            Ok(())
        })
        .await?;
        self.sessions.forget(&id);
        drop(held);
        Ok(())
    }
}
