//! A store on a disk in memory, the short ways to change it, and everything that can be seen of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use http_body_util::BodyExt as _;
use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::data::{HttpService, TICKET, full};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::lock::LockScope;
use ocis_core::node::NodeKind;
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, Copy, CreateFolder, CreateSpace, Delete, List, ListTrash, ListVersions, LockNode,
    Move, Nodes, OpenUpload, PageRequest, Spaces, Trash, Uploads, Versions,
};
use ocis_core::reference::Reference;
use ocis_core::time::{SystemClock, Timestamp};
use ocis_core::trash::TrashItem;
use ocis_core::user::UserRole;
use ocis_core::version::Version;
use ocis_core::{Error, ErrorKind, Result};
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::data::DataPlane;
use ocis_storage::fs::Fs;
use ocis_storage::ticket::Tickets;
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Store};
use tower::ServiceExt as _;

pub(crate) type Seen = BTreeMap<String, String>;

pub(crate) struct World {
    pub(crate) store: Arc<Store>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) driver: Driver,
    pub(crate) uploads: StoreUploads,
    pub(crate) data: HttpService,
    pub(crate) cx: Cx,
}

pub(crate) fn person(name: &str) -> Cx {
    let identity = Identity {
        id: UserId::parse(name).unwrap(),
        idp: "https://localhost:9200".into(),
        username: name.into(),
        display_name: name.into(),
        mail: format!("{name}@example.org"),
        groups: Vec::new(),
        role: UserRole::User,
        scope: ocis_core::scope::Scope::Everything,
    };
    let now = Timestamp::from_unix(1_767_225_600, 0).unwrap();
    Cx::new(Caller::User(Arc::new(identity)), now)
}

pub(crate) fn storage() -> StorageId {
    StorageId::parse("storage").unwrap()
}

pub(crate) fn at(owner: &str, path: &str) -> Reference {
    let space = SpaceId::personal(&UserId::parse(owner).unwrap());
    Reference::below(ResourceId::root(storage(), space), SpacePath::parse(path).unwrap())
}

pub(crate) fn me(path: &str) -> Reference {
    at("einstein", path)
}

impl World {
    pub(crate) fn open(fs: Arc<dyn Fs>) -> Result<Self> {
        Self::with(fs, Options::new(storage()))
    }

    pub(crate) fn with(fs: Arc<dyn Fs>, options: Options) -> Result<Self> {
        let root = Path::new("/store");
        let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
        // One file a record, so that purges have more than one.
        let options = Options { purge_steps: 1, ..options };
        let store = Store::open(fs, Arc::clone(&blobs), root, options)?;
        let tickets =
            Tickets::new(b"secret", &storage(), Duration::from_secs(86400 * 36500)).unwrap();
        let driver = Driver::new(Arc::clone(&store), tickets.clone());
        let uploads = StoreUploads::new(Arc::clone(&store), tickets.clone());
        let clock = Arc::new(SystemClock);
        let data = DataPlane::new(Arc::clone(&store), Arc::clone(&blobs), tickets, clock).service();
        Ok(Self { store, blobs, driver, uploads, data, cx: person("einstein") })
    }

    pub(crate) async fn home(&self, name: &str) -> Result<()> {
        let request = CreateSpace::personal(UserId::parse(name).unwrap(), name);
        self.driver.create(&person(name), request).await.map(drop)
    }

    pub(crate) async fn mkdir(&self, path: &str) -> Result<()> {
        let request = CreateFolder { target: me(path), conditions: Conditions::default() };
        self.driver.create_folder(&self.cx, request).await.map(drop)
    }

    pub(crate) async fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        let request = OpenUpload {
            target: me(path),
            length: Some(content.len() as u64),
            mtime: None,
            checksum: None,
            conditions: Conditions::default(),
        };
        let ticket = self.uploads.open(&self.cx, request).await?.ticket;
        let request = http::Request::put("/data").header(TICKET, ticket);
        let request = request.body(full(content.to_vec())).unwrap();
        let answer = self.data.clone().oneshot(request).await.unwrap();
        let ok = answer.status().is_success();
        let body = answer.into_body().collect().await?.to_bytes();
        if ok { Ok(()) } else { Err(serde_json::from_slice::<Error>(&body).unwrap()) }
    }

    pub(crate) async fn lock(&self, path: &str) -> Result<String> {
        let request = LockNode {
            target: me(path),
            scope: LockScope::Exclusive,
            deep: true,
            owner: None,
            app_name: String::new(),
            expires: Some(self.cx.now.plus(Duration::from_secs(600))),
            create: true,
            conditions: Conditions::default(),
        };
        Ok(self.driver.lock(&self.cx, request).await?.lock.lock.token)
    }

    pub(crate) async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let request = Copy {
            from: me(from),
            to: me(to),
            overwrite: true,
            deep: true,
            conditions: Conditions::default(),
        };
        self.driver.copy(&self.cx, request).await.map(drop)
    }

    pub(crate) async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let conditions = Conditions::default();
        let request = Move { from: me(from), to: me(to), overwrite: true, conditions };
        self.driver.rename(&self.cx, request).await.map(drop)
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<()> {
        let request = Delete { target: me(path), conditions: Conditions::default() };
        self.driver.delete(&self.cx, request).await
    }

    /// Everything that can be seen, by owner and path.
    pub(crate) async fn see(&self) -> Result<Seen> {
        let mut seen = Seen::new();
        for owner in ["einstein", "marie"] {
            let cx = person(owner);
            let mut folders = vec![String::new()];
            while let Some(folder) = folders.pop() {
                let target = at(owner, &folder);
                let request = List { target, page: PageRequest { cursor: None, limit: 100 } };
                let page = match Nodes::list(&self.driver, &cx, request).await {
                    Err(error) if folder.is_empty() && error.kind() == ErrorKind::NotFound => break,
                    page => page?,
                };
                seen.insert(format!("{owner}/{folder}"), "folder".into());
                for node in page.items {
                    let path = node.path.to_string();
                    let path = path.trim_matches('/');
                    if node.info.kind == NodeKind::Folder {
                        folders.push(path.to_owned());
                        continue;
                    }
                    let (_, content) = self.store.content(&cx, &at(owner, path)).await?;
                    let mut bytes = Vec::new();
                    if let Some(content) = content
                        && let Some(blob) = &content.blob
                    {
                        let range = 0..content.size;
                        let read = self.blobs.read(&content.space, blob, range).await?;
                        bytes = read.try_collect::<Vec<_>>().await?.concat();
                    }
                    let (length, first) = (bytes.len(), bytes.first());
                    let (metadata, locks) = (&node.info.metadata, node.locks.len());
                    let versions = self.versions(&cx, at(owner, path)).await?;
                    // In no order: the clock of a change is behind that of the uploads before it.
                    let versions: BTreeSet<_> =
                        versions.iter().map(|version| version.size).collect();
                    let favorite = node.favorite;
                    let text =
                        format!("{length} {first:?} {metadata:?} {locks} {favorite} {versions:?}");
                    seen.insert(format!("{owner}/{path}"), text);
                }
            }
        }
        self.see_spaces(&mut seen).await?;
        let mut rest = vec![None];
        while let Some(key) = rest.pop() {
            for item in self.trash(key).await? {
                seen.insert(format!("trash/{}", item.origin), item.size.to_string());
                if item.kind == NodeKind::Folder {
                    rest.push(Some(item.key));
                }
            }
        }
        Ok(seen)
    }

    pub(crate) async fn versions(&self, cx: &Cx, target: Reference) -> Result<Vec<Version>> {
        let request = ListVersions { target, page: PageRequest::default() };
        Ok(Versions::list(&self.driver, cx, request).await?.items)
    }

    /// What is in the trash of einstein, or in a folder in it.
    pub(crate) async fn trash(&self, key: Option<String>) -> Result<Vec<TrashItem>> {
        let space = me("").base;
        let request = ListTrash { space, key, page: PageRequest::default() };
        Ok(Trash::list(&self.driver, &self.cx, request).await?.items)
    }
}
