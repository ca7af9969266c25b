//! Contents in an S3 bucket: a store that keeps files, folders and all that is said of them on disk,
//! and their contents behind S3. The S3 server runs in this program, over a folder.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::{path::Path, sync::Arc, time::Duration};

use http::Request;
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use ocis_core::config::Secret;
use ocis_core::data::{TICKET, empty, full};
use ocis_core::port::{CreateSpace, Nodes as _, OpenRead, OpenUpload, Spaces as _, Uploads as _};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Caller, Cx, id::StorageId, path::SpacePath, reference::Reference, space};
use ocis_storage::blob::{BlobStore as _, ObjectBlobs, Patience, S3Settings};
use ocis_storage::{Driver, Options, Store, data::DataPlane, fs::RealFs};
use ocis_storage::{ticket::Tickets, upload::StoreUploads};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tokio::{net::TcpListener, runtime::Handle};
use tower::ServiceExt as _;

/// An S3 server with the bucket `blobs` in `folder`; gives its address.
async fn serve(folder: &Path) -> anyhow::Result<String> {
    std::fs::create_dir_all(folder.join("blobs"))?;
    let files = s3s_fs::FileSystem::new(folder).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single("access", "secret"));
    let (service, listener) = (service.build(), TcpListener::bind("127.0.0.1:0").await?);
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    Ok(endpoint)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // As `STORAGE_USERS_S3NG_*` would say it.
    let settings = S3Settings {
        endpoint: serve(&folder.path().join("s3")).await?,
        region: "default".into(),
        bucket: "blobs".into(),
        access_key: "access".into(),
        secret_key: Secret::new("secret"),
        path_style: true,
        multipart: true,
        part_size: 0,
        at_once: 4,
        send_md5: true,
        unsigned_content: false,
        patience: Patience::default(),
    };
    let (root, id) = (folder.path().join("store"), StorageId::parse("example")?);
    let blobs = ObjectBlobs::s3(&settings, (Arc::new(RealFs), &root), Handle::current())?;
    // Better now than at the first upload: is it there, and does it let us in?
    blobs.probe().await?;
    let blobs = Arc::new(blobs);
    let tickets = Tickets::new(b"a secret of the program", &id, Duration::from_secs(3600))?;
    let store = Store::open(Arc::new(RealFs), blobs.clone(), &root, Options::new(id))?;
    let driver = Driver::new(store.clone(), tickets.clone());
    let uploads = StoreUploads::new(store.clone(), tickets.clone());
    let data = DataPlane::new(store.clone(), blobs.clone(), tickets, Arc::new(SystemClock));
    let data = data.service();

    let cx = Cx::new(Caller::Service("example".into()), SystemClock.now());
    let request = CreateSpace::new(space::SpaceKind::Project, "Example");
    let space = driver.create(&cx, request).await?.root;
    let target = Reference::below(space.clone(), SpacePath::parse("hello.txt")?);
    let ticket = uploads.open(&cx, OpenUpload::new(target.clone())).await?.ticket;
    let request = Request::put("/").header(TICKET, ticket).body(full("Hello, bucket!"))?;
    println!("stored: {}", data.clone().oneshot(request).await?.status());
    let ticket = driver.open_read(&cx, OpenRead { target }).await?.ticket;
    let request = Request::get("/").header(TICKET, ticket).body(empty())?;
    let content = data.oneshot(request).await?.into_body().collect().await?.to_bytes();
    println!("read back: {}", String::from_utf8_lossy(&content));

    tokio::task::spawn_blocking(move || {
        blobs.list(&space.space, &mut |_, size| println!("in the bucket: {size} bytes"))?;
        store.close()
    })
    .await??;
    Ok(())
}
