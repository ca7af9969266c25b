//! A trash and versions that are always the same, beside the memory: what the protocol makes of them
//! is what is tested.

use async_trait::async_trait;
use ocis_core::etag::Etag;
use ocis_core::node::{Node, NodeKind};
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Changed, Conditions, CreateFolder, Cursor, ListTrash, ListVersions, Nodes, OpenRead,
    OpenVersion, Page, PurgeTrash, PurgeVersions, RestoreTrash, RestoreVersion, Stat, Trash,
    VersionRead, Versions,
};
use ocis_core::trash::{Collision, TrashItem};
use ocis_core::version::{Purged, Version};
use ocis_core::{Cx, Error, Result};

use crate::memory::Memory;

/// The folder in the trash.
pub(crate) const FOLDER: &str = "2aaac362-30d5-4e43-b2c3-f1d96475d5c4";
/// The file in the trash.
pub(crate) const FILE: &str = "9a16c845-bbcd-45db-9dfa-0d6a40451882";
/// The one version that every file has.
pub(crate) const VERSION: &str = "n.REV.2026-11-23T02:48:48.548762432Z";

/// The trash and the versions; what is restored becomes a folder of the memory.
#[derive(Debug, Clone)]
pub(crate) struct Bin(pub(crate) Memory);

fn item(key: &str, origin: &str, kind: NodeKind) -> TrashItem {
    TrashItem {
        key: key.into(),
        name: origin.rsplit('/').next().unwrap().into(),
        kind,
        origin: SpacePath::parse(origin).unwrap(),
        size: 12,
        deleted: "2026-11-23T02:49:07.556814646Z".parse().unwrap(),
    }
}

fn known(key: &str) -> Result<()> {
    let is_known = [FOLDER, FILE].iter().any(|top| key.split('/').next() == Some(*top));
    if is_known { Ok(()) } else { Err(Error::not_found("no such thing")) }
}

#[async_trait]
impl Trash for Bin {
    async fn list(&self, _: &Cx, request: ListTrash) -> Result<Page<TrashItem>> {
        let items = match (request.key, request.page.cursor) {
            (None, None) => {
                let items = vec![item(FOLDER, "deleted folder", NodeKind::Folder)];
                return Ok(Page { items, next: Some(Cursor("more".into())) });
            }
            (None, Some(_)) => vec![item(FILE, "a/<deleted>.txt", NodeKind::File)],
            (Some(key), _) => {
                known(&key)?;
                vec![item(&format!("{key}/x"), "deleted folder/x", NodeKind::File)]
            }
        };
        Ok(Page { items, next: None })
    }

    async fn restore(&self, cx: &Cx, request: RestoreTrash) -> Result<Changed> {
        known(&request.key)?;
        let target = request.to.unwrap();
        let there = self.0.stat(cx, Stat { target: target.clone() }).await;
        if let Ok(node) = there {
            return match request.collision {
                Collision::Refuse => Err(Error::precondition("it is there")),
                _ => Ok(Changed { node, created: false }),
            };
        }
        let request = CreateFolder { target, conditions: Conditions::default() };
        let node = self.0.create_folder(cx, request).await?;
        Ok(Changed { node, created: true })
    }

    async fn purge(&self, _: &Cx, request: PurgeTrash) -> Result<Purged> {
        request.key.map_or(Ok(()), |key| known(&key))?;
        Ok(Purged::default())
    }
}

fn version() -> Version {
    let time = "2026-11-23T02:48:48.548762432Z".parse().unwrap();
    Version {
        key: VERSION.into(),
        size: 4,
        mtime: time,
        replaced: time,
        etag: Etag::new("old"),
        checksums: None,
    }
}

#[async_trait]
impl Versions for Bin {
    async fn list(&self, cx: &Cx, request: ListVersions) -> Result<Page<Version>> {
        self.0.stat(cx, Stat { target: request.target }).await?;
        Ok(Page { items: vec![version()], next: None })
    }

    /// The content is that of the file as it is.
    async fn open_read(&self, cx: &Cx, request: OpenVersion) -> Result<VersionRead> {
        if request.key != VERSION {
            return Err(Error::not_found("no such version"));
        }
        let read = Nodes::open_read(&self.0, cx, OpenRead { target: request.target }).await?;
        Ok(VersionRead { node: read.node, version: version(), ticket: read.ticket })
    }

    async fn restore(&self, cx: &Cx, request: RestoreVersion) -> Result<Node> {
        if request.key != VERSION {
            return Err(Error::not_found("no such version"));
        }
        self.0.stat(cx, Stat { target: request.target }).await
    }

    async fn purge(&self, _: &Cx, _: PurgeVersions) -> Result<Purged> {
        Ok(Purged::default())
    }
}
