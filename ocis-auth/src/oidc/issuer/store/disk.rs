//! The file of the store: a redb database that one thread writes. What is asked for while it
//! writes is written together the next time, so a crowd of sign-ins shares one flush.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use ocis_core::{Error, Result};
use redb::backends::FileBackend;
use redb::{Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde::Serialize;
use tokio::sync::oneshot;

const SESSIONS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("sessions");
const GRANTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("grants");

/// All reads after the first come from memory, so the database needs next to none.
const CACHE_BYTES: usize = 1 << 20;

/// How many changes share one flush at most.
const BATCH: usize = 1024;

/// What an entry is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Session,
    Grant,
}

impl Kind {
    fn table(self) -> TableDefinition<'static, &'static str, &'static [u8]> {
        match self {
            Self::Session => SESSIONS,
            Self::Grant => GRANTS,
        }
    }
}

/// One entry that gets a value, or goes.
#[derive(Debug)]
pub(super) struct Change {
    kind: Kind,
    key: String,
    value: Option<Vec<u8>>,
}

impl Change {
    pub(super) fn put(kind: Kind, key: &str, value: &impl Serialize) -> Result<Self> {
        let value = serde_json::to_vec(value)
            .map_err(|error| Error::internal("an entry cannot be written").because(error))?;
        Ok(Self { kind, key: key.to_owned(), value: Some(value) })
    }

    pub(super) fn remove(kind: Kind, key: &str) -> Self {
        Self { kind, key: key.to_owned(), value: None }
    }
}

/// A change under way.
#[derive(Debug)]
pub(super) struct Written(oneshot::Receiver<()>);

impl Written {
    /// Waits until the change is on disk.
    pub(super) async fn done(self) -> Result<()> {
        self.0.await.map_err(|_| lost())
    }
}

struct Order {
    change: Change,
    done: Option<oneshot::Sender<()>>,
}

/// The file, and the thread that writes it. The thread ends with this value.
pub(super) struct Disk {
    orders: Option<Sender<Order>>,
    writer: Option<thread::JoinHandle<()>>,
}

impl Disk {
    /// Opens the file and hands every entry to `entry`. Once a write fails, `broken` is set, and
    /// nothing is written any more.
    pub(super) fn open(
        path: &Path,
        broken: Arc<AtomicBool>,
        mut entry: impl FnMut(Kind, &str, &[u8]) -> Result<()>,
    ) -> Result<Self> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::internal(format!("{} cannot be opened", path.display())).because(error)
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(error.into()))?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path).map_err(|error| failed(error.into()))?;
        let mut builder = Database::builder();
        let database = FileBackend::new(file)
            .and_then(|file| builder.set_cache_size(CACHE_BYTES).create_with_backend(file));
        let database = database.map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => Error::unavailable(format!(
                "{} is open in another process, maybe another server",
                path.display()
            )),
            error => failed(error.into()),
        })?;
        make_tables(&database).map_err(|error| failed(error.into()))?;
        let read = database.begin_read().map_err(|error| failed(error.into()))?;
        for kind in [Kind::Session, Kind::Grant] {
            let table = read.open_table(kind.table()).map_err(|error| failed(error.into()))?;
            for row in table.iter().map_err(|error| failed(error.into()))? {
                let (key, value) = row.map_err(|error| failed(error.into()))?;
                entry(kind, key.value(), value.value())?;
            }
        }
        drop(read);
        let (orders, queue) = channel();
        let writer = thread::Builder::new()
            .name("idp-store".to_owned())
            .spawn(move || write_all(&database, &queue, &broken))
            .map_err(|error| failed(error.into()))?;
        Ok(Self { orders: Some(orders), writer: Some(writer) })
    }

    /// Has a change written; nobody waits for it.
    pub(super) fn send(&self, change: Change) -> Result<()> {
        self.order(Order { change, done: None })
    }

    /// Has a change written.
    pub(super) fn write(&self, change: Change) -> Result<Written> {
        let (done, written) = oneshot::channel();
        self.order(Order { change, done: Some(done) })?;
        Ok(Written(written))
    }

    fn order(&self, order: Order) -> Result<()> {
        let sent = self.orders.as_ref().map(|orders| orders.send(order));
        sent.and_then(Result::ok).ok_or_else(lost)
    }
}

impl Drop for Disk {
    /// Writes what is still waiting, and closes the file.
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(writer) = self.writer.take() {
            // A panic of the thread was printed where it happened.
            let _ = writer.join();
        }
    }
}

fn lost() -> Error {
    Error::unavailable("the sessions of the provider cannot be written")
}

fn make_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    for kind in [Kind::Session, Kind::Grant] {
        transaction.open_table(kind.table())?;
    }
    transaction.commit()?;
    Ok(())
}

fn write_all(database: &Database, queue: &Receiver<Order>, broken: &AtomicBool) {
    while let Ok(first) = queue.recv() {
        let mut batch = vec![first];
        batch.extend(queue.try_iter().take(BATCH));
        if let Err(error) = write(database, &batch) {
            tracing::error!(service = "idp", %error, "sessions cannot be written");
            broken.store(true, Ordering::Release);
            // Whoever waits learns that it failed, as its sender is dropped.
            return;
        }
        for done in batch.into_iter().filter_map(|order| order.done) {
            // Who waited may have gone.
            let _ = done.send(());
        }
    }
}

fn write(database: &Database, batch: &[Order]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut sessions = transaction.open_table(SESSIONS)?;
        let mut grants = transaction.open_table(GRANTS)?;
        for Order { change, .. } in batch {
            let table = match change.kind {
                Kind::Session => &mut sessions,
                Kind::Grant => &mut grants,
            };
            match &change.value {
                Some(value) => table.insert(change.key.as_str(), value.as_slice())?,
                None => table.remove(change.key.as_str())?,
            };
        }
    }
    transaction.commit()?;
    Ok(())
}
