//! An open store: spaces and the trees in them.
//!
//! All that is known of nodes is kept in memory as far as it fits (`state.rs`), which is right
//! because one process owns the store. A change is worked out on that memory under one short lock,
//! becomes visible to others in this process, is queued for the journal under the same lock (so the
//! journal has the order of the changes), and is answered when the journal says that it is durable
//! and applied.

mod access;
mod announce;
mod change;
mod check;
mod copy;
mod create;
mod extended;
mod fetch;
mod grants;
mod load;
mod locks;
mod owner;
mod pending;
mod process;
mod purge_space;
pub(crate) mod reindex;
mod remove;
mod repair;
mod session;
mod space_list;
mod spaces;
mod state;
mod tags;
mod transfer;
mod trash;
mod upkeep;
mod upload;
mod versions;
mod view;
mod waiting;
mod work;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ocis_core::id::StorageId;
use ocis_core::node::Node;
use ocis_core::{Cx, Error, ErrorKind, Result};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::blob::BlobStore;
use crate::blob::drops::Drops;
use crate::fs::Fs;
use crate::journal::{self, Applier, Events, Journal, Notes, Tree, Unwritten};
use crate::outbox::{Handover, Outbox, Outlet};
use crate::session::board::{self, Board};
use crate::session::saved::Saved;
use crate::session::step::Processing;
pub use announce::announcement;
pub(crate) use change::Change;
use change::Submitted;
pub use check::Part;
pub(crate) use copy::{CopyPlan, as_copy};
pub use owner::{Waiting, WhenOwned};
pub(crate) use process::Ending;
use state::State;
pub use upload::{CommitUpload, Content, ContentRef, Prepared};

/// How often to wait until the files are what is in memory before giving up.
const PATIENCE: usize = 100;
/// The folder of ours beside oCIS's.
const OURS: &str = ".ocis-rs";

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// The id under which the store's spaces are known (`STORAGE_USERS_MOUNT_ID`).
    pub storage: StorageId,
    /// Whether a file's former content is kept as a version (not `OCIS_DISABLE_VERSIONING`).
    pub versioning: bool,
    /// The largest quota that a space can have, in bytes; none for no limit
    /// (`OCIS_SPACES_MAX_QUOTA`).
    pub max_quota: Option<u64>,
    /// Nodes, and names in folders, that are kept in memory at most; a node and its name take some
    /// 1,800 bytes.
    pub cached_nodes: usize,
    /// Bytes of the disk that are never given to contents, so that metadata can still be written.
    pub reserve: u64,
    /// Bytes of a segment of the journal. A full one is removed as soon as the file system is
    /// flushed; a crash replays two or three at most.
    pub segment: u64,
    /// Where changes tell of themselves; without it, events are not even collected.
    pub events: Option<Outlet>,
    /// What to do while another process owns the store.
    pub when_owned: WhenOwned,
    /// By what the wait for another process can be given up.
    pub waiting: Waiting,
    /// Whether this is a command that works on the store and ends: who finds it owned waits so long.
    pub is_command: bool,
    /// How long an upload session is kept (`STORAGE_USERS_UPLOAD_EXPIRATION`).
    pub upload_expiration: Duration,
    /// What contents go through before they can be read.
    pub processing: Processing,
    /// Steps after which one record of a purge is long enough; a file takes some six of them.
    pub purge_steps: usize,
}

impl Options {
    /// The defaults: versions kept, 200,000 nodes in memory, 64 MiB in reserve, segments of 32 MiB,
    /// upload sessions for a day.
    pub fn new(storage: StorageId) -> Self {
        Self {
            storage,
            versioning: true,
            max_quota: None,
            cached_nodes: 200_000,
            reserve: 64 * 1024 * 1024,
            segment: 32 * 1024 * 1024,
            events: None,
            when_owned: WhenOwned::Refuse,
            waiting: Waiting::default(),
            is_command: false,
            upload_expiration: Duration::from_secs(86_400),
            processing: Processing::default(),
            purge_steps: 1000,
        }
    }
}

/// An open store. Dropping it leaves the journal to be replayed; [`Store::close`] ends cleanly.
pub struct Store {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) options: Options,
    pub(crate) sessions: Board,
    root: PathBuf,
    uploads: PathBuf,
    memory: Arc<Memory>,
    journal: Journal,
    pub(crate) drops: Drops,
    outbox: Arc<Outbox>,
    handover: Option<Handover>,
    owned: Mutex<Option<owner::Owned>>,
    /// Held by whoever changes what is in the trash, so that it can be read before the change.
    trash: tokio::sync::Mutex<()>,
    orders: trash::Orders,
}

/// What changes and the journal's threads share.
#[derive(Debug)]
pub(crate) struct Memory {
    state: RwLock<State>,
    /// Counts what the journal's threads report, for those who wait for it.
    reports: watch::Sender<u64>,
}

impl Events for Memory {
    fn applied(&self, lsn: u64) {
        self.state.write().applied(lsn);
        self.reports.send_modify(|count| *count += 1);
    }

    fn written_back(&self, folders: &Unwritten) {
        self.state.write().written_back(folders);
    }

    fn refused(&self, unwritten: &Unwritten) {
        self.state.write().forget(unwritten.clone());
        self.reports.send_modify(|count| *count += 1);
    }

    fn failed(&self) {
        self.reports.send_modify(|count| *count += 1);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // No thread may touch the files when somebody else opens them; the journal sees to its own.
        self.drops.close();
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store at `root`, or makes one; blocking. Replays the journal and removes what a
    /// crash left half done. `Unavailable` when the folder cannot be written, or another process owns
    /// it that is no command and [`Options::when_owned`] does not say to wait.
    pub fn open(
        fs: Arc<dyn Fs>,
        blobs: Arc<dyn BlobStore>,
        root: &Path,
        options: Options,
    ) -> Result<Arc<Self>> {
        let ours = root.join(OURS);
        let unusable = |error| owner::unusable(root, error);
        fs.mkdir_all(&ours).map_err(unusable)?;
        let owned = owner::own(&*fs, root, &options)?;
        let uploads = root.join("uploads");
        extended::take_over(&*fs, root)?;
        lay_out(&*fs, root).map_err(unusable)?;
        let state = RwLock::new(State::new(options.cached_nodes));
        let memory = Arc::new(Memory { state, reports: watch::Sender::new(0) });
        let drops = Drops::new(Arc::clone(&fs), uploads.clone(), Arc::clone(&blobs));
        // Also without an outlet: the journal may hold events of an opening that had one.
        let limit = options.events.as_ref().map_or(Outlet::LIMIT, |outlet| outlet.limit);
        let outbox = Arc::new(Outbox::open(Arc::clone(&fs), &ours, limit).map_err(unusable)?);
        let applier = Applier {
            tree: Tree {
                fs: Arc::clone(&fs),
                blobs: Arc::clone(&blobs),
                drops: drops.clone(),
                root: root.to_owned(),
                uploads: uploads.clone(),
                replaying: false,
            },
            notes: Notes { unwritten: Unwritten::new(), outbox: Arc::clone(&outbox) },
        };
        let events = Arc::clone(&memory) as Arc<dyn Events>;
        let journal = Journal::open(&ours.join("journal"), applier, events, options.segment)?;
        drops.sweep()?;
        crate::session::sweep(&*fs, &uploads)?;
        purge_space::sweep(&*fs, &drops, root)?;
        // Not before: what was read from the journal is in the outbox now.
        let outlet = options.events.clone();
        let handover = outlet.map(|outlet| Handover::start(Arc::clone(&outbox), outlet.bus));
        let handover = handover.transpose().map_err(unusable)?;
        let owned = Mutex::new(Some(owned));
        let root = root.to_owned();
        let sessions = Board::default();
        let trash = tokio::sync::Mutex::default();
        let store = Self {
            fs,
            blobs,
            options,
            sessions,
            root,
            uploads,
            memory,
            journal,
            drops,
            outbox,
            handover,
            owned,
            trash,
            orders: trash::Orders::default(),
        };
        store.find_orders()?;
        store.work_in_pending()?;
        Ok(Arc::new(store))
    }

    /// Ends cleanly: everything is in oCIS's files, flushed, and the journal is empty. Blocking.
    /// Changes are refused from now on.
    pub fn close(&self) -> Result<()> {
        self.journal.stop();
        self.drops.close();
        let Some(owned) = self.owned.lock().take() else { return Ok(()) };
        self.handover.iter().for_each(Handover::stop);
        let mut applier = Applier {
            tree: Tree {
                fs: Arc::clone(&self.fs),
                blobs: Arc::clone(&self.blobs),
                drops: self.drops.clone(),
                root: self.root.clone(),
                uploads: self.uploads.clone(),
                replaying: false,
            },
            notes: Notes { unwritten: Unwritten::new(), outbox: Arc::clone(&self.outbox) },
        };
        if !self.journal.has_failed() {
            journal::finish(&mut applier, &self.root.join(OURS).join("journal"))?;
        }
        drop(owned);
        Ok(())
    }

    /// Whether a durable change could not be applied: the store must be opened again.
    pub fn has_failed(&self) -> bool {
        self.journal.has_failed()
    }

    /// How many contents wait to be removed from a blob store on another machine. They are tried
    /// again until they are gone, also by whoever opens the store next.
    pub fn waiting_drops(&self) -> usize {
        self.drops.waiting()
    }

    /// The file system under the store.
    pub fn fs(&self) -> &Arc<dyn Fs> {
        &self.fs
    }

    /// The folder of the store.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where contents are staged.
    pub fn uploads_dir(&self) -> &Path {
        &self.uploads
    }

    /// Works out a change under the lock of the memory and waits until it is durable and applied.
    /// `work` runs on a thread that may block, because it may have to read what is not in memory.
    pub(crate) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        cx: &Cx,
        work: impl FnOnce(&mut Change<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (store, cx) = (Arc::clone(self), cx.clone());
        let worked = tokio::task::spawn_blocking(move || store.begin(&cx, work));
        let (result, submitted) = worked
            .await
            .map_err(|error| Error::internal("a change broke off").because(error))??;
        if let Some(submitted) = submitted {
            self.arrived(submitted).await?;
        }
        Ok(result)
    }

    /// Waits until a change is durable and applied.
    async fn arrived(&self, Submitted { answered, drops }: Submitted) -> Result<()> {
        answered.await.map_err(|_| {
            Error::unavailable(
                "the storage stopped; whether it was done shows when it is opened again",
            )
        })??;
        if drops {
            self.drops.tried().await;
        }
        Ok(())
    }
}

/// Makes the folders and the list of migrations that oCIS expects.
fn lay_out(fs: &dyn Fs, root: &Path) -> std::io::Result<()> {
    for folder in
        ["spaces", "uploads", "indexes/by-user-id", "indexes/by-group-id", "indexes/by-type"]
    {
        fs.mkdir_all(&root.join(folder))?;
    }
    let migrations = root.join(".migrations");
    if crate::fs::is_missing(&fs.stat(&migrations)) {
        list_migrations(fs, &migrations)?;
    }
    Ok(())
}

/// Says that the store has the form of oCIS 7.
fn list_migrations(fs: &dyn Fs, path: &Path) -> std::io::Result<()> {
    let done = r#"{"State":"succeeded","Message":""}"#;
    let list: Vec<_> = (1..=5).map(|n| format!("\"{n:04}\":{done}")).collect();
    fs.write(path, format!("{{{}}}", list.join(",")).as_bytes())
}

impl Store {
    /// Finds the place of an upload and checks everything that can be checked beforehand.
    pub async fn prepare_upload(
        self: &Arc<Self>,
        cx: &Cx,
        request: &ocis_core::port::OpenUpload,
    ) -> Result<Prepared> {
        self.look(cx, |change| change.prepare(request))
    }

    /// Makes a content visible, whole or not at all, and durable when it returns.
    pub async fn commit_upload(
        self: &Arc<Self>,
        cx: &Cx,
        upload: CommitUpload,
    ) -> Result<ocis_core::data::Written> {
        // A new file needs what the opening of its upload has just looked at: then the change costs
        // less than to hand it to another thread.
        let warm = match upload.prepared.exists {
            true => None,
            false => self.begin_warm(cx, |change| change.commit(upload.clone(), None)),
        };
        let Some(worked) = warm else {
            return self.change(cx, move |change| change.commit(upload, None)).await;
        };
        let (written, submitted) = worked?;
        if let Some(submitted) = submitted {
            self.arrived(submitted).await?;
        }
        Ok(written)
    }

    /// The same for a content that came through a session.
    pub(crate) async fn commit_session(
        self: &Arc<Self>,
        cx: &Cx,
        upload: CommitUpload,
        session: Saved,
    ) -> Result<ocis_core::data::Written> {
        self.change(cx, move |change| change.commit(upload, Some(&session))).await
    }

    /// Ends the processing of a session in one step with its file, or goes on with it.
    pub(crate) async fn settle_session(
        self: &Arc<Self>,
        cx: &Cx,
        held: board::Held,
        saved: Saved,
        ending: Ending,
    ) -> Result<()> {
        let mut is_deleted = false;
        for _ in 0..PATIENCE {
            let session = saved.clone();
            // Who brings something back from the trash reads its files first, and writes what was read.
            let trash = if is_deleted { Some(self.trash.lock().await) } else { None };
            let settled = self.change(cx, move |change| {
                if !is_deleted && change.is_deleted(&session)? {
                    return Ok(false);
                }
                change.settle_session(&session, ending).map(|()| true)
            });
            let settled = settled.await;
            drop(trash);
            match settled {
                Ok(false) => is_deleted = true,
                Err(error) if error.kind() == ErrorKind::Unavailable && !self.has_failed() => {
                    let store = Arc::clone(self);
                    let waited = tokio::task::spawn_blocking(move || store.journal.settle());
                    waited.await.map_err(crate::blob::stopped)??;
                }
                settled => {
                    if settled.is_ok() && ending != Ending::Later {
                        self.sessions.forget(&saved.id);
                    }
                    drop(held);
                    return settled.map(drop);
                }
            }
        }
        Err(Error::unavailable("the storage is too busy"))
    }

    /// A node and, for a file, where its content is. Who asks for a file that is just being written
    /// waits until it is: its content is not there before.
    pub async fn content(
        self: &Arc<Self>,
        cx: &Cx,
        target: &ocis_core::reference::Reference,
    ) -> Result<(Node, Option<ContentRef>)> {
        let (node, content, _) = self
            .when_written(
                || self.look(cx, |change| change.content(target)),
                |(_, _, is_written)| *is_written,
            )
            .await?;
        Ok((node, content))
    }
}
