//! An open store with what stands in front of it, as a server uses it: ports and data plane.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use ocis_core::data::{Body, HttpService, TICKET, empty, full};
use ocis_core::id::{ResourceId, StorageId, UserId};
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, CreateFolder, CreateSpace, Cursor, List, Nodes, OpenRead, OpenUpload, PageRequest,
    SetMetadata, Spaces as _, Touch, Uploads as _,
};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, ErrorKind, Identity};
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::data::DataPlane;
use ocis_storage::fs::{Fs, RealFs};
use ocis_storage::ticket::{DEFAULT_LIFETIME, Tickets};
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Store};

/// Tasks that work at once.
pub(crate) const TASKS: usize = 16;
const OWNER: &str = "4c510ada-c86b-4815-8820-42cdf82c3d51";

/// An open store. Clones share it.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) store: Arc<Store>,
    driver: Driver,
    uploads: StoreUploads,
    data: HttpService,
    pub(crate) home: ResourceId,
    pub(crate) cx: Cx,
}

/// The store at `root`, in the file system of the machine.
pub(crate) fn options() -> Result<Options> {
    Ok(Options::new(StorageId::parse("storage")?))
}

impl Engine {
    /// Opens the store at `root` and makes the space when there is none.
    pub(crate) async fn open(root: &Path) -> Result<Self> {
        Self::open_with(Arc::new(RealFs), root, options()?).await
    }

    pub(crate) async fn open_with(fs: Arc<dyn Fs>, root: &Path, options: Options) -> Result<Self> {
        let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
        Self::open_over(fs, blobs, root, options).await
    }

    pub(crate) async fn open_over(
        fs: Arc<dyn Fs>,
        blobs: Arc<dyn BlobStore>,
        root: &Path,
        options: Options,
    ) -> Result<Self> {
        let storage = options.storage.clone();
        let store = Store::open(fs, Arc::clone(&blobs), root, options)?;
        let tickets = Tickets::new(b"secret", &storage, DEFAULT_LIFETIME)?;
        let driver = Driver::new(Arc::clone(&store), tickets.clone());
        let uploads = StoreUploads::new(Arc::clone(&store), tickets.clone());
        let data =
            DataPlane::new(Arc::clone(&store), blobs, tickets, Arc::new(SystemClock)).service();
        let owner = UserId::parse(OWNER)?;
        let identity = Identity {
            id: owner.clone(),
            idp: "https://localhost:9200".into(),
            username: "einstein".into(),
            display_name: "Albert Einstein".into(),
            mail: String::new(),
            groups: Vec::new(),
            role: UserRole::User,
            scope: ocis_core::scope::Scope::Everything,
        };
        let cx = Cx::new(Caller::User(Arc::new(identity)), SystemClock.now());
        let space = CreateSpace {
            kind: SpaceKind::Personal,
            name: "Albert Einstein".into(),
            owner: Some(owner.clone()),
            alias: None,
            quota: None,
            description: String::new(),
            id: None,
        };
        match driver.create(&cx, space).await {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
        let home = ResourceId::root(storage, ocis_core::id::SpaceId::personal(&owner));
        Ok(Self { store, driver, uploads, data, home, cx })
    }

    fn at(&self, path: &str) -> Result<Reference> {
        Ok(Reference::below(self.home.clone(), SpacePath::parse(path)?))
    }

    /// Makes a folder.
    pub(crate) async fn folder(&self, path: &str) -> Result<ResourceId> {
        let create = CreateFolder { target: self.at(path)?, conditions: Conditions::default() };
        Ok(self.driver.create_folder(&self.cx, create).await?.info.id.clone())
    }

    /// Makes an empty file.
    pub(crate) async fn touch(&self, path: &str) -> Result<()> {
        let touch = Touch { target: self.at(path)?, conditions: Conditions::default() };
        self.driver.touch(&self.cx, touch).await?;
        Ok(())
    }

    /// Uploads a content; gives the file.
    pub(crate) async fn put(&self, path: &str, content: Bytes) -> Result<()> {
        let length = content.len() as u64;
        self.send(path, length, full(content)).await
    }

    /// Uploads a content that comes in pieces.
    pub(crate) async fn send(&self, path: &str, length: u64, body: Body) -> Result<()> {
        let mut upload = OpenUpload::new(self.at(path)?);
        upload.length = Some(length);
        let ticket = self.uploads.open(&self.cx, upload).await?.ticket;
        let request = Request::put("/data").header(TICKET, ticket).body(body)?;
        let answer = self.answer(request).await?;
        ensure!(answer.status().is_success(), "{}", answer.status());
        Ok(())
    }

    /// Reads a content; gives its body.
    pub(crate) async fn get(&self, path: &str) -> Result<Body> {
        let request = OpenRead { target: self.at(path)? };
        let ticket = self.driver.open_read(&self.cx, request).await?.ticket;
        let request = Request::get("/data").header(TICKET, ticket).body(empty())?;
        Ok(self.answer(request).await?.into_body())
    }

    /// Reads a small content whole; gives its length.
    pub(crate) async fn read(&self, path: &str) -> Result<usize> {
        Ok(self.get(path).await?.collect().await?.to_bytes().len())
    }

    async fn answer(&self, request: Request<Body>) -> Result<http::Response<Body>> {
        use tower::ServiceExt as _;
        let Ok(answer) = self.data.clone().oneshot(request).await;
        Ok(answer)
    }

    /// Lists a folder in pages of 1,000; gives how many children it has.
    pub(crate) async fn list(&self, path: &str) -> Result<usize> {
        let (mut count, mut cursor) = (0, None::<Cursor>);
        loop {
            let page = PageRequest { cursor, limit: 1000 };
            let list = List { target: self.at(path)?, page };
            let page = Nodes::list(&self.driver, &self.cx, list).await?;
            count += page.items.len();
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(count),
            }
        }
    }

    /// Gives a file a property.
    pub(crate) async fn mark(&self, path: &str, value: &str) -> Result<()> {
        let request = SetMetadata {
            target: self.at(path)?,
            set: vec![("http://owncloud.org/ns/mark".into(), value.into())],
            unset: Vec::new(),
            mtime: None,
            favorite: None,
            conditions: Conditions::default(),
        };
        self.driver.set_metadata(&self.cx, request).await?;
        Ok(())
    }

    /// Does `work` for each of `count` numbers, [`TASKS`] at a time, on the workers of the runtime.
    pub(crate) async fn all<F>(
        &self,
        count: usize,
        work: impl Fn(Self, usize) -> F + Clone + Send + 'static,
    ) -> Result<()>
    where
        F: Future<Output = Result<()>> + Send,
    {
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let (engine, work) = (self.clone(), work.clone());
                tokio::spawn(async move {
                    for number in (task..count).step_by(TASKS) {
                        work(engine.clone(), number).await?;
                    }
                    Ok::<_, anyhow::Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await.context("a task broke off")??;
        }
        Ok(())
    }
}
