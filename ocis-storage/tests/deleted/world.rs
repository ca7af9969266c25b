//! A store on a disk in memory, as the programs use it.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::TryStreamExt as _;
use ocis_core::Result;
use ocis_core::checksum::Checksums;
use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::node::NodeKind;
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, Copy, CreateFolder, CreateSpace, Delete, List, ListTrash, ListVersions, Move,
    Nodes, OpenUpload, PageRequest, PurgeRule, PurgeTrash, PurgeVersions, RestoreTrash,
    RestoreVersion, Spaces, Trash, Versions,
};
use ocis_core::reference::Reference;
use ocis_core::time::Timestamp;
use ocis_core::trash::{Collision, TrashItem};
use ocis_core::user::UserRole;
use ocis_core::version::Version;
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::fs::{Fs, MemoryFs};
use ocis_storage::store::{CommitUpload, Content};
use ocis_storage::ticket::Tickets;
use ocis_storage::{Driver, Options, Store};

use crate::model::{File, Op, Tree, content};

pub(crate) struct World {
    pub(crate) store: Arc<Store>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) driver: Driver,
    pub(crate) cx: Cx,
    /// What names in the trash what the model has there.
    pub(crate) keys: Mutex<Vec<String>>,
}

pub(crate) fn at(path: &str) -> Reference {
    let storage = StorageId::parse("storage").unwrap();
    let space = SpaceId::personal(&UserId::parse("einstein").unwrap());
    Reference::below(ResourceId::root(storage, space), SpacePath::parse(path).unwrap())
}

impl World {
    pub(crate) fn open(disk: &MemoryFs, cached_nodes: usize) -> Self {
        let (fs, root): (Arc<dyn Fs>, _) = (Arc::new(disk.clone()), Path::new("/store"));
        let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
        let storage = StorageId::parse("storage").unwrap();
        let options = Options { cached_nodes, ..Options::new(storage.clone()) };
        let store = Store::open(fs, Arc::clone(&blobs), root, options).unwrap();
        let tickets = Tickets::new(b"secret", &storage, Duration::from_secs(600)).unwrap();
        let driver = Driver::new(Arc::clone(&store), tickets);
        let identity = Identity {
            id: UserId::parse("einstein").unwrap(),
            idp: "https://localhost:9200".into(),
            username: "einstein".into(),
            display_name: "einstein".into(),
            mail: "einstein@example.org".into(),
            groups: Vec::new(),
            role: UserRole::User,
            scope: ocis_core::scope::Scope::Everything,
        };
        let now = Timestamp::from_unix(1_767_225_600, 0).unwrap();
        let cx = Cx::new(Caller::User(Arc::new(identity)), now);
        Self { store, blobs, driver, cx, keys: Mutex::default() }
    }

    pub(crate) async fn home(&self) {
        let request = CreateSpace::personal(UserId::parse("einstein").unwrap(), "einstein");
        self.driver.create(&self.cx, request).await.unwrap();
    }

    pub(crate) async fn write(&self, path: &str, seed: u8) -> Result<()> {
        let bytes = content(seed);
        let (conditions, size) = (Conditions::default(), bytes.len() as u64);
        let request = OpenUpload {
            target: at(path),
            length: Some(size),
            // Always the same, so that versions and tags have to be told apart.
            mtime: Some(self.cx.now),
            checksum: None,
            conditions: conditions.clone(),
        };
        let prepared = self.store.prepare_upload(&self.cx, &request).await?;
        let upload = CommitUpload {
            prepared,
            conditions,
            mtime: request.mtime,
            size,
            checksums: Checksums { sha1: [0; 20], md5: [0; 16], adler32: [0; 4] },
            content: Content::Inline(bytes.into()),
        };
        self.store.commit_upload(&self.cx, upload).await.map(drop)
    }

    pub(crate) async fn run(&self, op: &Op) -> Result<()> {
        let conditions = Conditions::default();
        match op {
            Op::Folder(path) => {
                let request = CreateFolder { target: at(path), conditions };
                self.driver.create_folder(&self.cx, request).await.map(drop)
            }
            Op::Write(path, seed) => self.write(path, *seed).await,
            Op::Delete(path) => {
                self.driver.delete(&self.cx, Delete { target: at(path), conditions }).await
            }
            Op::Move(from, to) => {
                let request = Move { from: at(from), to: at(to), overwrite: true, conditions };
                self.driver.rename(&self.cx, request).await.map(drop)
            }
            Op::Copy(from, to) => {
                let (from, to) = (at(from), at(to));
                let request = Copy { from, to, overwrite: true, deep: true, conditions };
                self.driver.copy(&self.cx, request).await.map(drop)
            }
            Op::Version(path) => {
                let versions = self.versions(path).await?;
                let largest = versions.into_iter().max_by_key(|version| version.size);
                let key = largest.map(|version| version.key).unwrap_or_default();
                let request = RestoreVersion { target: at(path), key, conditions };
                Versions::restore(&self.driver, &self.cx, request).await.map(drop)
            }
            Op::Unversion(path) => {
                let (target, rule) = (at(path), PurgeRule::All);
                let request = PurgeVersions { target, rule, dry_run: false };
                Versions::purge(&self.driver, &self.cx, request).await.map(drop)
            }
            Op::Restore(number, path) => {
                let request = RestoreTrash {
                    space: at("").base,
                    key: self.key(*number),
                    to: Some(at(path)),
                    collision: Collision::Replace,
                    lock_tokens: Vec::new(),
                };
                Trash::restore(&self.driver, &self.cx, request).await.map(drop)
            }
            Op::Purge(number) => self.purge(Some(self.key(*number))).await,
            Op::PurgeAll => self.purge(None).await,
            Op::Reopen => Ok(()),
        }
    }

    pub(crate) async fn versions(&self, path: &str) -> Result<Vec<Version>> {
        let request = ListVersions { target: at(path), page: PageRequest::default() };
        Ok(Versions::list(&self.driver, &self.cx, request).await?.items)
    }

    pub(crate) async fn purge(&self, key: Option<String>) -> Result<()> {
        let request = PurgeTrash { space: at("").base, key, before: None };
        Trash::purge(&self.driver, &self.cx, request).await.map(drop)
    }

    pub(crate) fn key(&self, number: usize) -> String {
        self.keys.lock().unwrap().get(number).cloned().unwrap_or_else(|| "none".into())
    }

    pub(crate) async fn trash(&self, key: Option<String>) -> Vec<TrashItem> {
        let request = ListTrash { space: at("").base, key, page: PageRequest::default() };
        Trash::list(&self.driver, &self.cx, request).await.unwrap().items
    }

    /// Notes what came into the trash and what left it; the rest keeps its order.
    pub(crate) async fn note(&self) {
        let now: Vec<_> = self.trash(None).await.into_iter().map(|item| item.key).collect();
        let mut keys = self.keys.lock().unwrap();
        keys.retain(|key| now.contains(key));
        let new: Vec<_> = now.into_iter().filter(|key| !keys.contains(key)).collect();
        keys.extend(new);
    }

    /// What is in the trash, without contents: they are the store's to check.
    pub(crate) async fn see_trash(&self) -> Vec<(String, Vec<String>)> {
        let (mut seen, top) = (Vec::new(), self.trash(None).await);
        let keys = self.keys.lock().unwrap().clone();
        for key in keys {
            let item = top.iter().find(|item| item.key == key).unwrap();
            let (mut names, mut rest) = (Vec::new(), vec![item.clone()]);
            while let Some(folder) = rest.pop() {
                if folder.kind == NodeKind::Folder {
                    for item in self.trash(Some(folder.key)).await {
                        names.push(item.origin.to_string());
                        rest.push(item);
                    }
                }
            }
            names.sort();
            seen.push((item.origin.to_string(), names));
        }
        seen
    }

    pub(crate) async fn see(&self) -> Result<Tree> {
        let (mut seen, mut folders) = (Tree::new(), vec![String::new()]);
        while let Some(folder) = folders.pop() {
            let page = PageRequest { cursor: None, limit: 1000 };
            let request = List { target: at(&folder), page };
            for node in Nodes::list(&self.driver, &self.cx, request).await?.items {
                let path = node.path.to_string().trim_matches('/').to_owned();
                let (_, content) = self.store.content(&self.cx, &at(&path)).await?;
                let Some(content) = content else {
                    folders.push(path.clone());
                    seen.insert(path, None);
                    continue;
                };
                let bytes = match &content.blob {
                    Some(blob) => {
                        let range = 0..content.size;
                        let read = self.blobs.read(&content.space, blob, range).await?;
                        read.try_collect::<Vec<_>>().await?.concat()
                    }
                    None => Vec::new(),
                };
                let mut versions: Vec<_> =
                    self.versions(&path).await?.iter().map(|version| version.size).collect();
                versions.sort_unstable();
                seen.insert(path, Some(File { content: bytes, versions }));
            }
        }
        Ok(seen)
    }
}
