//! A large content into and out of a bucket, beside a plain client of the same S3 server.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::MultipartStore as _;
use object_store::{ObjectStoreExt as _, path};
use ocis_core::config::Secret;
use ocis_storage::blob::{ObjectBlobs, Patience, S3Settings};
use ocis_storage::fs::{Fs, RealFs};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::engine::{Engine, options};
use crate::report::{Report, throughput};
use crate::{Size, bare, child, large};

/// The length of a part, and how many are under way at once, on both sides.
const PART: usize = 16 * 1024 * 1024;
const AT_ONCE: usize = 4;
const BUCKET: &str = "blobs";
const KEY: (&str, &str) = ("access", "secret");

/// An S3 server over `folder`, until the process is killed; prints its address.
pub(crate) async fn serve(folder: &str) -> Result<()> {
    fs::create_dir(Path::new(folder).join(BUCKET))?;
    let files = s3s_fs::FileSystem::new(folder).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(KEY.0, KEY.1));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        let service = service.clone();
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            // A client that leaves is no concern of the server.
            let _ = server.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

pub(crate) fn measure(
    dir: &Path,
    size: Size,
    runtime: &Runtime,
    report: &mut Report,
) -> Result<()> {
    // A bucket does not share the disk of the store. Memory is what every machine has beside it.
    let memory = Path::new("/dev/shm");
    let folder = tempfile::tempdir_in(if memory.is_dir() { memory } else { dir })?;
    let (mut server, endpoint) = child::start(&["s3", &folder.path().to_string_lossy()])?;
    let measured = beside(dir, endpoint.trim(), size, runtime, report);
    server.kill()?;
    server.wait()?;
    measured
}

fn beside(
    dir: &Path,
    endpoint: &str,
    size: Size,
    runtime: &Runtime,
    report: &mut Report,
) -> Result<()> {
    let source = dir.join("source");
    large::source(&source, size.large)?;
    let root = dir.join("store");
    fs::create_dir_all(&root)?;
    let engine = runtime.block_on(open(&root, endpoint, runtime))?;
    let client = Arc::new(client(endpoint)?);
    let mib = size.large >> 20;
    let send = || large::send(&engine, &source, size, runtime);
    let plain = || {
        let (client, source) = (Arc::clone(&client), File::open(&source)?);
        runtime.block_on(runtime.spawn(async move { put(&client, source).await }))?
    };
    report.compare(
        (&format!("{mib} MiB into a bucket, beside a plain client and the digests"), "0.8"),
        size.runs,
        throughput(size.large),
        Box::new(send),
        Box::new(|| {
            let (took, start) = (plain()?, Instant::now());
            bare::digests(&source)?;
            Ok(took + start.elapsed())
        }),
    )?;
    report.compare(
        (&format!("{mib} MiB into a bucket, beside a plain client"), "0.8"),
        size.runs,
        throughput(size.large),
        Box::new(send),
        Box::new(plain),
    )?;
    report.compare(
        (&format!("{mib} MiB out of a bucket, to a file, flushed"), "0.8"),
        size.runs,
        throughput(size.large),
        Box::new(|| {
            let (engine, out) = (engine.clone(), dir.join("out"));
            runtime.block_on(runtime.spawn(async move {
                let start = Instant::now();
                let body = engine.get("large").await?.into_data_stream();
                keep(body.map_err(anyhow::Error::from).boxed(), &out, start).await
            }))?
        }),
        Box::new(|| {
            let (client, out) = (Arc::clone(&client), dir.join("out"));
            runtime.block_on(runtime.spawn(async move {
                let start = Instant::now();
                let got = client.get(&path::Path::from("plain")).await?;
                keep(got.into_stream().map_err(anyhow::Error::from).boxed(), &out, start).await
            }))?
        }),
    )?;
    Ok(engine.store.close()?)
}

async fn open(root: &Path, endpoint: &str, runtime: &Runtime) -> Result<Engine> {
    let settings = S3Settings {
        endpoint: endpoint.to_owned(),
        region: "us-east-1".into(),
        bucket: BUCKET.into(),
        access_key: KEY.0.into(),
        secret_key: Secret::new(KEY.1),
        path_style: true,
        multipart: true,
        part_size: PART as u64,
        at_once: AT_ONCE,
        send_md5: false,
        unsigned_content: true,
        patience: Patience::default(),
    };
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let blobs = ObjectBlobs::s3(&settings, (Arc::clone(&fs), root), runtime.handle().clone())?;
    Engine::open_over(fs, Arc::new(blobs), root, options()?).await
}

fn client(endpoint: &str) -> Result<AmazonS3> {
    Ok(AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_region("us-east-1")
        .with_bucket_name(BUCKET)
        .with_access_key_id(KEY.0)
        .with_secret_access_key(KEY.1)
        .with_allow_http(true)
        .with_unsigned_payload(true)
        .build()?)
}

/// Sends a file in parts, as the store does, and nothing else.
async fn put(client: &AmazonS3, source: File) -> Result<Duration> {
    let (start, path) = (Instant::now(), path::Path::from("plain"));
    let id = client.create_multipart(&path).await?;
    let (id, path) = (&id, &path);
    let parts = futures::stream::unfold((source, 0), |(mut source, number)| async move {
        let mut part = Vec::with_capacity(PART);
        let read =
            tokio::task::block_in_place(|| (&mut source).take(PART as u64).read_to_end(&mut part));
        match read {
            Ok(0) => None,
            read => Some((read.map(|_| (number, Bytes::from(part))), (source, number + 1))),
        }
    });
    let sent = parts.map_err(anyhow::Error::from).map_ok(|(number, part)| async move {
        Ok(client.put_part(path, id, number, part.into()).await?)
    });
    let sent: Vec<_> = sent.try_buffered(AT_ONCE).try_collect().await?;
    client.complete_multipart(path, id, sent).await?;
    Ok(start.elapsed())
}

/// Writes a content into a file and flushes it; gives how long everything took.
async fn keep(
    mut content: futures::stream::BoxStream<'_, Result<Bytes>>,
    out: &Path,
    start: Instant,
) -> Result<Duration> {
    let mut file = File::create_new(out)?;
    while let Some(bytes) = content.try_next().await? {
        tokio::task::block_in_place(|| file.write_all(&bytes))?;
    }
    tokio::task::block_in_place(|| file.sync_all())?;
    let took = start.elapsed();
    ensure!(file.metadata()?.len() > 0, "nothing came");
    fs::remove_file(out)?;
    Ok(took)
}
