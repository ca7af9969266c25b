//! A place for contents of one's own: a `BlobStore` that keeps them in memory, below a store that
//! keeps everything else on disk.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::{collections::BTreeMap, ops::Range, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use ocis_core::data::{TICKET, empty, full};
use ocis_core::id::{BlobId, SpaceId, StorageId};
use ocis_core::port::{CreateSpace, Nodes as _, OpenRead, OpenUpload, Spaces as _, Uploads as _};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Caller, Cx, Error, Result, path::SpacePath, reference::Reference, space};
use ocis_storage::blob::{BlobStore, Content, conformance};
use ocis_storage::{Driver, Options, Store, data::DataPlane, fs::RealFs};
use ocis_storage::{ticket::Tickets, upload::StoreUploads};
use parking_lot::RwLock;
use tower::ServiceExt as _;

/// Contents by space and blob. They do not outlive the process, so neither may the store above.
#[derive(Debug, Default)]
struct InMemory(RwLock<BTreeMap<(SpaceId, BlobId), Bytes>>);

impl InMemory {
    fn get(&self, space: &SpaceId, blob: &BlobId) -> Result<Bytes> {
        let bytes = self.0.read().get(&(space.clone(), blob.clone())).cloned();
        bytes.ok_or_else(|| Error::not_found("there is no such blob"))
    }
}

#[async_trait]
impl BlobStore for InMemory {
    // A large content comes as a file that is complete, and that the store removes later.
    async fn put(&self, space: &SpaceId, blob: &BlobId, staged: &Path) -> Result<()> {
        let read = tokio::fs::read(staged).await;
        let bytes = read.map_err(|error| Error::unavailable("no staged file").because(error))?;
        self.put_inline(space, blob, &bytes)
    }
    fn put_inline(&self, space: &SpaceId, blob: &BlobId, bytes: &[u8]) -> Result<()> {
        self.0.write().insert((space.clone(), blob.clone()), Bytes::copy_from_slice(bytes));
        Ok(())
    }
    async fn read(&self, space: &SpaceId, blob: &BlobId, range: Range<u64>) -> Result<Content> {
        let part = self.get(space, blob)?.slice(range.start as usize..range.end as usize);
        Ok(Box::pin(futures::stream::iter([Ok(part)])))
    }
    async fn copy(&self, from: (&SpaceId, &BlobId), to: (&SpaceId, &BlobId)) -> Result<()> {
        self.put_inline(to.0, to.1, &self.get(from.0, from.1)?)
    }
    fn delete(&self, space: &SpaceId, blob: &BlobId) -> Result<()> {
        self.0.write().remove(&(space.clone(), blob.clone()));
        Ok(())
    }
    fn len(&self, space: &SpaceId, blob: &BlobId) -> Result<Option<u64>> {
        Ok(self.get(space, blob).ok().map(|bytes| bytes.len() as u64))
    }
    fn list(&self, space: &SpaceId, visit: &mut dyn FnMut(BlobId, u64)) -> Result<()> {
        let blobs = self.0.read();
        let of_space = blobs.iter().filter(|((other, _), _)| other == space);
        of_space.for_each(|((_, blob), bytes)| visit(blob.clone(), bytes.len() as u64));
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Every promise of a blob store, as code. It belongs into the tests of an implementation.
    let (folder, blobs) = (tempfile::tempdir()?, Arc::new(InMemory::default()));
    conformance::blob_store(&*blobs, &RealFs, folder.path()).await;

    let (root, id) = (folder.path().join("store"), StorageId::parse("example")?);
    let tickets = Tickets::new(b"a secret of the program", &id, Duration::from_secs(3600))?;
    let store = Store::open(Arc::new(RealFs), blobs.clone(), &root, Options::new(id))?;
    let driver = Driver::new(store.clone(), tickets.clone());
    let uploads = StoreUploads::new(store.clone(), tickets.clone());
    let data = DataPlane::new(store.clone(), blobs, tickets, Arc::new(SystemClock)).service();

    // The program acts on its own account, which may do everything.
    let cx = Cx::new(Caller::Service("example".into()), SystemClock.now());
    let request = CreateSpace::new(space::SpaceKind::Project, "Example");
    let space = driver.create(&cx, request).await?;

    // A port says who may, and hands out a ticket; the bytes go past it, as HTTP.
    let target = Reference::below(space.root, SpacePath::parse("hello.txt")?);
    let ticket = uploads.open(&cx, OpenUpload::new(target.clone())).await?.ticket;
    let request = Request::put("/").header(TICKET, ticket).body(full("Hello, memory!"))?;
    println!("stored: {}", data.clone().oneshot(request).await?.status());
    let ticket = driver.open_read(&cx, OpenRead { target }).await?.ticket;
    let request = Request::get("/").header(TICKET, ticket).body(empty())?;
    let content = data.oneshot(request).await?.into_body().collect().await?.to_bytes();
    println!("read back: {}", String::from_utf8_lossy(&content));

    tokio::task::spawn_blocking(move || store.close()).await??;
    Ok(())
}
