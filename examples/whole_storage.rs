//! What a storage keeps for its users, without any server: versions of a file, the trash, a grant to
//! somebody else, and a check that mends.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::{sync::Arc, time::Duration};

use ocis_core::access::{Grant, Grantee};
use ocis_core::data::{TICKET, full};
use ocis_core::id::{StorageId, UserId};
use ocis_core::permissions::Permissions;
use ocis_core::port::{Check, Conditions, CreateSpace, Delete, Grants, ListTrash, ListVersions};
use ocis_core::port::{Maintenance as _, Nodes as _, OpenUpload, PageRequest, PurgeRule};
use ocis_core::port::{PurgeVersions, RestoreTrash, RestoreVersion, SetGrant, Spaces as _};
use ocis_core::port::{Trash, Uploads as _, Versions};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::trash::Collision;
use ocis_core::{Caller, Cx, path::SpacePath, reference::Reference, space::SpaceKind};
use ocis_storage::{Driver, Options, Store, blob::PosixBlobs, data::DataPlane, fs::RealFs};
use ocis_storage::{ticket::Tickets, upload::StoreUploads};
use tower::ServiceExt as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (folder, id) = (tempfile::tempdir()?, StorageId::parse("example")?);
    let tickets = Tickets::new(b"a secret of the program", &id, Duration::from_secs(3600))?;
    let blobs = Arc::new(PosixBlobs::new(Arc::new(RealFs), folder.path()));
    let store =
        Store::open(Arc::new(RealFs), blobs.clone(), folder.path(), Options::new(id.clone()))?;
    let driver = Driver::new(store.clone(), tickets.clone());
    let uploads = StoreUploads::new(store.clone(), tickets.clone());
    let data = DataPlane::new(store.clone(), blobs, tickets, Arc::new(SystemClock)).service();
    let page = PageRequest { cursor: None, limit: 100 };

    let cx = Cx::new(Caller::Service("example".into()), SystemClock.now());
    let space = driver.create(&cx, CreateSpace::new(SpaceKind::Project, "Example")).await?.root;
    let target = Reference::below(space.clone(), SpacePath::parse("plan.txt")?);
    for content in ["first", "second", "third"] {
        let ticket = uploads.open(&cx, OpenUpload::new(target.clone())).await?.ticket;
        let request = http::Request::put("/").header(TICKET, ticket).body(full(content))?;
        anyhow::ensure!(data.clone().oneshot(request).await?.status().is_success());
    }

    // Two former contents; the newest comes first.
    let list = ListVersions { target: target.clone(), page: page.clone() };
    let versions = Versions::list(&driver, &cx, list).await?.items;
    println!("versions: {}", versions.len());
    let key = versions.last().map(|oldest| oldest.key.clone()).unwrap_or_default();
    let (at, conditions) = (target.clone(), Conditions::default());
    let node =
        Versions::restore(&driver, &cx, RestoreVersion { target: at, key, conditions }).await?;
    println!("the first content has {} bytes", node.info.size);
    let purge = PurgeVersions { target: target.clone(), rule: PurgeRule::All, dry_run: false };
    println!("purged: {:?}", Versions::purge(&driver, &cx, purge).await?);

    // Into the trash and back.
    let conditions = Conditions::default();
    driver.delete(&cx, Delete { target: target.clone(), conditions }).await?;
    let list = ListTrash { space: space.clone(), key: None, page };
    let deleted = Trash::list(&driver, &cx, list).await?.items.remove(0);
    println!("in the trash: {}", deleted.origin);
    let (key, lock_tokens) = (deleted.key, Vec::new());
    let collision = Collision::KeepBoth;
    let back = RestoreTrash { space, key, to: None, collision, lock_tokens };
    println!("restored as {}", Trash::restore(&driver, &cx, back).await?.node.path);

    // Marie may read it for a day.
    let grant = Grant {
        grantee: Grantee::User(UserId::parse("marie")?),
        permissions: Permissions::STAT | Permissions::DOWNLOAD,
        expires: Some(cx.now.plus(Duration::from_secs(86_400))),
        creator: None,
    };
    let grant = SetGrant { target: target.clone(), grant, lock_tokens: Vec::new() };
    Grants::set(&driver, &cx, grant).await?;

    let request = Check { repair: true, ..Check::default() };
    println!("findings: {}", driver.check(&cx, request).await?.findings.len());
    tokio::task::spawn_blocking(move || store.close()).await??;
    Ok(())
}
