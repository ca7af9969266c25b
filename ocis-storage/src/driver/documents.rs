//! Small documents of services, as files of metadata spaces: what oCIS's storage-system does.

use std::sync::Arc;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use moka::sync::Cache;
use ocis_core::data::full;
use ocis_core::etag::{Etag, EtagMatch};
use ocis_core::id::{BlobId, ResourceId, SpaceId, UserId};
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, CreateSpace, Delete, Document, DocumentCondition, DocumentKey, KeyValue,
    OpenUpload, PurgeTrash, PutDocument,
};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::{Cx, Error, ErrorKind, Result};

use super::only_for_the_server;
use crate::store::{Change, ContentRef, Store};
use crate::upload::{WriteClaims, receive};

/// Documents that are kept in memory at most, in bytes.
const CACHED: u64 = 16 * 1024 * 1024;
/// How often a call begins anew because somebody else changed what it works on.
const ATTEMPTS: usize = 16;

/// The port [`KeyValue`] over a store of metadata spaces. A space is made with its first document.
///
/// ```
/// use std::sync::Arc;
///
/// use ocis_core::id::{StorageId, UserId};
/// use ocis_storage::blob::{BlobStore, PosixBlobs};
/// use ocis_storage::fs::{Fs, MemoryFs};
/// use ocis_storage::{Documents, Options, Store};
///
/// # fn main() -> ocis_core::Result<()> {
/// let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
/// let root = std::path::Path::new("/metadata");
/// let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
/// let options = Options { versioning: false, ..Options::new(StorageId::random()) };
/// let store = Store::open(fs, blobs, root, options)?;
/// let documents = Documents::new(Arc::clone(&store), UserId::random());
/// # drop(documents);
/// store.close()
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Documents {
    store: Arc<Store>,
    owner: UserId,
    /// A content never changes, so nothing in here becomes wrong.
    contents: Cache<BlobId, Arc<[u8]>>,
}

impl Documents {
    /// The documents in `store`, whose new spaces belong to `owner` (`OCIS_SYSTEM_USER_ID`).
    pub fn new(store: Arc<Store>, owner: UserId) -> Self {
        let contents = Cache::builder()
            .weigher(|_, bytes: &Arc<[u8]>| u32::try_from(bytes.len()).unwrap_or(u32::MAX))
            .max_capacity(CACHED)
            .build();
        Self { store, owner, contents }
    }

    fn at(&self, key: &DocumentKey) -> Result<Reference> {
        let space = SpaceId::parse(&key.space)?;
        let root = ResourceId::root(self.store.options.storage.clone(), space);
        Ok(Reference::below(root, SpacePath::parse(&key.path)?))
    }

    async fn content(&self, content: &ContentRef) -> Result<Vec<u8>> {
        let Some(blob) = content.blob.as_ref().filter(|_| content.size > 0) else {
            return Ok(Vec::new());
        };
        if let Some(bytes) = self.contents.get(blob) {
            return Ok(bytes.to_vec());
        }
        let pieces = self.store.blobs.read(&content.space, blob, 0..content.size).await?;
        let read = pieces.try_fold(Vec::new(), |mut bytes, piece| async move {
            bytes.extend_from_slice(&piece);
            Ok(bytes)
        });
        let bytes = read.await?;
        if bytes.len() as u64 != content.size {
            return Err(Error::internal("a document has the wrong length"));
        }
        self.contents.insert(blob.clone(), bytes.as_slice().into());
        Ok(bytes)
    }

    /// Makes the space and the folders above a document, as far as they are not there.
    async fn make_way(&self, cx: &Cx, target: &Reference) -> Result<()> {
        let (root, path) = (target.base.clone(), target.path.clone());
        let space = CreateSpace {
            id: Some(root.space.clone()),
            owner: Some(self.owner.clone()),
            ..CreateSpace::new(SpaceKind::Metadata, "Metadata")
        };
        let work = move |change: &mut Change<'_>| {
            if change.place(&Reference::node(root.clone())).is_err() {
                change.create_space(&space)?;
            }
            let mut folder = SpacePath::root();
            for name in path.parent().unwrap_or_default().components() {
                folder = folder.join(name)?;
                let target = Reference::below(root.clone(), folder.clone());
                if change.place(&target).is_err() {
                    change.create_folder(&target, &Conditions::default())?;
                }
            }
            Ok(())
        };
        self.store.change(cx, work).await
    }

    async fn write(&self, cx: &Cx, upload: &OpenUpload, content: &[u8]) -> Result<Etag> {
        let prepared = self.store.prepare_upload(cx, upload).await?;
        let length = content.len() as u64;
        let claims = WriteClaims {
            prepared,
            conditions: upload.conditions.clone(),
            length: Some(length),
            mtime: None,
            checksum: None,
            caller: cx.caller.clone(),
            trace: Arc::clone(&cx.trace),
        };
        let (store, body) = (&self.store, full(content.to_vec()));
        let written = receive(store, &store.blobs, claims, Some(length), body, cx.now).await?;
        Ok(written.node.info.etag.clone())
    }
}

/// Whether nothing is there: also where a file stands in the way of a folder.
fn is_nothing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict)
}

#[async_trait]
impl KeyValue for Documents {
    async fn get(&self, cx: &Cx, key: DocumentKey) -> Result<Option<Document>> {
        only_for_the_server(cx)?;
        let target = self.at(&key)?;
        let mut attempts = 0..ATTEMPTS;
        loop {
            let (node, content) = match self.store.content(cx, &target).await {
                Err(error) if is_nothing(&error) => return Ok(None),
                found => found?,
            };
            let Some(content) = content else { return Ok(None) };
            match self.content(&content).await {
                // It was replaced between the two looks, and the old content is gone.
                Err(error) if error.kind() == ErrorKind::NotFound && attempts.next().is_some() => {}
                content => {
                    let etag = node.info.etag.clone();
                    return Ok(Some(Document { content: content?, etag }));
                }
            }
        }
    }

    async fn put(&self, cx: &Cx, request: PutDocument) -> Result<Etag> {
        only_for_the_server(cx)?;
        let target = self.at(&request.key)?;
        let mut upload = OpenUpload::new(target);
        upload.length = Some(request.content.len() as u64);
        match request.condition {
            DocumentCondition::None => {}
            DocumentCondition::Absent => upload.conditions.if_none_match = Some(EtagMatch::Any),
            DocumentCondition::Is(etag) => {
                upload.conditions.if_match = Some(EtagMatch::OneOf(vec![etag]));
            }
        }
        let mut attempts = 0..ATTEMPTS;
        loop {
            match self.write(cx, &upload, &request.content).await {
                Err(error) if is_nothing(&error) && attempts.next().is_some() => {
                    if upload.conditions.if_match.is_some() {
                        return Err(Error::precondition("it is not there any more"));
                    }
                    self.make_way(cx, &upload.target).await?;
                }
                written => return written,
            }
        }
    }

    async fn remove(&self, cx: &Cx, key: DocumentKey) -> Result<()> {
        only_for_the_server(cx)?;
        let target = self.at(&key)?;
        let space = target.base.clone();
        let work = move |change: &mut Change<'_>| {
            let node = change.place(&target)?.id()?;
            change.delete(&Delete { target, conditions: Conditions::default() })?;
            Ok(node)
        };
        let node = match self.store.change(cx, work).await {
            Err(error) if is_nothing(&error) => return Ok(()),
            removed => removed?,
        };
        // The document is gone with the change; this makes room. What cannot be removed now stays in
        // the trash of the space, where oCIS leaves everything.
        let purge = PurgeTrash { space, key: Some(node.to_string()), before: None };
        if let Err(error) = self.store.purge_trash(cx, purge).await {
            tracing::warn!(?error, "a removed document stays in the trash");
        }
        Ok(())
    }

    async fn names(&self, cx: &Cx, key: DocumentKey) -> Result<Vec<String>> {
        only_for_the_server(cx)?;
        let target = self.at(&key)?;
        let listed = self.store.look(cx, |change| {
            let folder = change.place(&target)?;
            change.children(&folder.space, &folder.id()?, None, usize::MAX)
        });
        match listed {
            Err(error) if is_nothing(&error) => Ok(Vec::new()),
            names => Ok(names?.into_iter().map(|(name, _)| name.to_string()).collect()),
        }
    }
}
