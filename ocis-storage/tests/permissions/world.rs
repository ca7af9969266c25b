//! Einstein's space, in which marie has some permissions.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::data::{HttpService, TICKET, full};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, CreateFolder, CreateSpace, Delete, Nodes, OpenUpload, Spaces, Uploads,
};
use ocis_core::reference::Reference;
use ocis_core::time::{SystemClock, Timestamp};
use ocis_core::user::UserRole;
use ocis_core::{Error, Result};
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::data::DataPlane;
use ocis_storage::fs::{Fs, Kind, MemoryFs};
use ocis_storage::ticket::Tickets;
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Store};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// What is there: folders `d`, `d/e` and `d/hidden` (denied to marie), files `f` (with a version), `d/x`, and in the trash `gone`
/// and the folder `old` with `old/y`.
pub(crate) struct World {
    pub(crate) driver: Driver,
    pub(crate) uploads: StoreUploads,
    /// Who has the permissions.
    pub(crate) marie: Cx,
    data: HttpService,
    einstein: Cx,
    // Closed last.
    _store: Arc<Store>,
}

pub(crate) fn person(name: &str) -> Cx {
    let identity = Identity {
        id: UserId::parse(name).unwrap(),
        idp: "https://localhost:9200".into(),
        username: name.into(),
        display_name: name.into(),
        mail: String::new(),
        groups: Vec::new(),
        role: UserRole::User,
        scope: ocis_core::scope::Scope::Everything,
    };
    Cx::new(Caller::User(Arc::new(identity)), Timestamp::from_unix(1_767_225_600, 0).unwrap())
}

pub(crate) fn root() -> ResourceId {
    let storage = StorageId::parse("storage").unwrap();
    ResourceId::root(storage, SpaceId::parse("einstein").unwrap())
}

/// A path in einstein's space.
pub(crate) fn at(path: &str) -> Reference {
    Reference::below(root(), SpacePath::parse(path).unwrap())
}

/// Gives marie an entry on the node of this name, or of the root of the space.
fn grant(disk: &MemoryFs, name: &str, entry: &str) {
    let mut folders = vec![PathBuf::from("/store/spaces/ei/nstein/nodes")];
    while let Some(folder) = folders.pop() {
        for found in disk.read_dir(&folder).unwrap() {
            let path = folder.join(&found.name);
            if found.kind == Kind::Folder {
                folders.push(path);
                continue;
            }
            if !found.name.ends_with(".mpk") {
                continue;
            }
            let mut map: BTreeMap<String, serde_bytes::ByteBuf> =
                rmp_serde::from_slice(&disk.read(&path).unwrap()).unwrap();
            if map.get("user.ocis.name").is_some_and(|has| has.ends_with(name.as_bytes())) {
                let entry = serde_bytes::ByteBuf::from(entry.as_bytes());
                map.insert("user.ocis.grant.u:marie".into(), entry);
                disk.write(&path, &rmp_serde::to_vec(&map).unwrap()).unwrap();
            }
        }
    }
}

impl World {
    /// The world, in which marie has the permissions of these letters on the root of the space.
    pub(crate) fn prepare(runtime: &Runtime, letters: &str) -> Self {
        let disk = MemoryFs::default();
        let world = Self::open(&disk);
        runtime.block_on(world.fill()).unwrap();
        world._store.close().unwrap();
        drop(world);
        // As a real oCIS writes them.
        grant(&disk, "nstein", &format!("\0t=A:f=:p={letters}:c=einstein:e=0\n"));
        let of_marie =
            BTreeMap::from([("einstein", "../../../spaces/ei/nstein/nodes/ei/ns/te/in")]);
        let index = Path::new("/store/indexes/by-user-id/marie.mpk");
        disk.write(index, &rmp_serde::to_vec(&of_marie).unwrap()).unwrap();
        grant(&disk, "hidden", "\0t=D:f=:p=:c=einstein:e=0\n");
        Self::open(&disk)
    }

    fn open(disk: &MemoryFs) -> Self {
        let (fs, root): (Arc<dyn Fs>, _) = (Arc::new(disk.clone()), Path::new("/store"));
        let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
        let storage = StorageId::parse("storage").unwrap();
        let options = Options::new(storage.clone());
        let store = Store::open(fs, Arc::clone(&blobs), root, options).unwrap();
        // Tickets outlive the difference between the clock and the time of the requests.
        let lifetime = Duration::from_secs(86400 * 36500);
        let tickets = Tickets::new(b"secret", &storage, lifetime).unwrap();
        let driver = Driver::new(Arc::clone(&store), tickets.clone());
        let uploads = StoreUploads::new(Arc::clone(&store), tickets.clone());
        let clock = Arc::new(SystemClock);
        let data = DataPlane::new(Arc::clone(&store), blobs, tickets, clock).service();
        let (marie, einstein) = (person("marie"), person("einstein"));
        Self { driver, uploads, marie, data, einstein, _store: store }
    }

    async fn fill(&self) -> Result<()> {
        let request = CreateSpace::personal(UserId::parse("einstein").unwrap(), "einstein");
        self.driver.create(&self.einstein, request).await?;
        for path in ["d", "d/e", "d/hidden", "old"] {
            let request = CreateFolder { target: at(path), conditions: Conditions::default() };
            self.driver.create_folder(&self.einstein, request).await?;
        }
        for path in ["f", "f", "d/x", "gone", "old/y"] {
            self.put(&self.einstein, path).await?;
        }
        for path in ["gone", "old"] {
            let request = Delete { target: at(path), conditions: Conditions::default() };
            self.driver.delete(&self.einstein, request).await?;
        }
        Ok(())
    }

    /// Writes a few bytes.
    pub(crate) async fn put(&self, cx: &Cx, path: &str) -> Result<()> {
        let ticket = self.uploads.open(cx, OpenUpload::new(at(path))).await?.ticket;
        let request = http::Request::put("/data").header(TICKET, ticket);
        self.send(request.body(full(path.as_bytes().to_vec())).unwrap()).await
    }

    /// Fetches what a ticket stands for.
    pub(crate) async fn fetch(&self, ticket: String) -> Result<()> {
        let request = http::Request::get("/data").header(TICKET, ticket);
        self.send(request.body(ocis_core::data::empty()).unwrap()).await
    }

    fn send(
        &self,
        request: http::Request<ocis_core::data::Body>,
    ) -> impl Future<Output = Result<()>> {
        let answer = self.data.clone().oneshot(request);
        async move {
            let answer = answer.await.unwrap();
            let is_done = answer.status().is_success();
            let body = answer.into_body().collect().await?.to_bytes();
            if is_done { Ok(()) } else { Err(serde_json::from_slice::<Error>(&body).unwrap()) }
        }
    }
}
