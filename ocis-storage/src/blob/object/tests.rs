//! Buckets in memory and behind a real S3 server in this process, and servers that do not do what
//! they should.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use ocis_core::config::Secret;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, block_in_place};

use super::*;
use crate::blob::arriving::arriving;
use crate::blob::faulty::{FaultyObjects, ObjectFault};
use crate::blob::{Patience, conformance, staged};
use crate::fs::{FaultyFs, MemoryFs, Open};

const SMALL: Cut = Cut { whole: 100_000, part: 30_000, at_once: 3, copy: u64::MAX };

fn local() -> (Arc<dyn Fs>, PathBuf) {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    fs.mkdir_all(Path::new("/store/uploads")).unwrap();
    (fs, "/store".into())
}

/// Ends its server when it is dropped.
struct Server {
    endpoint: String,
    task: JoinHandle<()>,
    requests: Arc<AtomicUsize>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// S3 over a folder with one bucket, `blobs`, for the key `access` and `secret`.
    async fn s3(folder: &Path) -> Self {
        std::fs::create_dir(folder.join("blobs")).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).unwrap());
        service.set_auth(SimpleAuth::from_single("access", "secret"));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let service = service.clone();
                connections.spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { endpoint, task, requests: Arc::default() }
    }

    /// Answers everything with this status and code of S3; never, when there is none.
    async fn dull(answer: Option<(u16, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let counter = Arc::clone(&counter);
                connections.spawn(async move {
                    let service = hyper_util::service::TowerToHyperService::new(tower::service_fn(
                        move |_| {
                            counter.fetch_add(1, Ordering::Relaxed);
                            async move {
                                let Some((status, code)) = answer else {
                                    return std::future::pending().await;
                                };
                                let body = format!("<Error><Code>{code}</Code></Error>");
                                let body = Full::<bytes::Bytes>::from(body);
                                let answer = http::Response::builder().status(status);
                                Ok::<_, Infallible>(answer.body(body).unwrap())
                            }
                        },
                    ));
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { endpoint, task, requests }
    }

    fn settings(&self) -> S3Settings {
        S3Settings {
            endpoint: self.endpoint.clone(),
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
            patience: Patience {
                connect: Duration::from_secs(2),
                answer: Duration::from_millis(300),
                retries: 2,
                retry_for: Duration::from_secs(1),
            },
        }
    }
}

fn open(settings: &S3Settings) -> ObjectBlobs {
    let (fs, root) = local();
    ObjectBlobs::s3(settings, (fs, &root), Handle::current()).unwrap()
}

/// Stages `bytes` and puts them.
async fn put(store: &ObjectBlobs, bytes: &[u8]) -> (SpaceId, BlobId, Result<()>) {
    let (space, blob) = (SpaceId::random(), BlobId::random());
    let path = staged::path(&store.0.uploads, &space, &blob);
    store.0.fs.open(&path, Open::CreateNew).unwrap().write_at(bytes, 0).unwrap();
    let result = store.put(&space, &blob, &path).await;
    store.0.fs.unlink(&path).unwrap();
    (space, blob, result)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blobs_in_a_bucket_in_memory_keep_the_contract() {
    let (fs, root) = local();
    let objects = Arc::new(object_store::memory::InMemory::new());
    for cut in [SMALL, Cut { whole: u64::MAX, ..SMALL }] {
        let place = (Arc::clone(&fs), &*root);
        let store = ObjectBlobs::new("a", Arc::clone(&objects), cut, place, Handle::current());
        conformance::blob_store(&store, &*fs, &root.join("uploads")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blobs_behind_s3_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::s3(folder.path()).await;
    let usual = S3Settings { patience: Patience::default(), ..server.settings() };
    let other = S3Settings { send_md5: false, unsigned_content: true, ..usual.clone() };
    for settings in [usual, other] {
        let store = open(&settings);
        store.probe().await.unwrap();
        conformance::blob_store(&store, &*store.0.fs, &store.0.uploads).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_content_goes_to_s3_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::s3(folder.path()).await;
    let settings = S3Settings { patience: Patience::default(), ..server.settings() };
    let store = open(&S3Settings { part_size: 5 << 20, ..settings });
    let bytes: Vec<u8> = (0..(72_u64 << 20) + 5).map(|n| (n % 251) as u8).collect();
    let (space, blob, result) = put(&store, &bytes).await;
    result.unwrap();
    let read = store.read(&space, &blob, 0..bytes.len() as u64).await.unwrap();
    assert!(read.try_collect::<Vec<_>>().await.unwrap().concat() == bytes);
    assert_eq!(store.0.fs.read_dir(&store.0.uploads).unwrap(), []);
    let key = folder.path().join("blobs").join(key(&space, &blob).unwrap().as_ref());
    assert_eq!(std::fs::metadata(key).unwrap().len(), bytes.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_is_whole_on_either_side_of_every_limit() {
    let (fs, root) = local();
    let objects = Arc::new(object_store::memory::InMemory::new());
    // In one request up to 100,000 bytes, copied in one up to 110,000.
    let cut = Cut { copy: 110_000, ..SMALL };
    let store = ObjectBlobs::new("a", objects, cut, (fs, &root), Handle::current());
    for limit in [1, 30_000, 100_000, 110_000, 120_000, 150_000_u64] {
        for size in limit - 1..=limit + 1 {
            let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            let (space, blob, result) = put(&store, &bytes).await;
            result.unwrap();
            let copy = BlobId::random();
            store.copy((&space, &blob), (&space, &copy)).await.unwrap();
            for blob in [blob, copy] {
                assert_eq!(store.len(&space, &blob).unwrap(), Some(size));
                let read = store.read(&space, &blob, 0..size).await.unwrap();
                assert!(read.try_collect::<Vec<_>>().await.unwrap().concat() == bytes, "{size}");
            }
        }
    }
    assert_eq!(store.0.fs.read_dir(&store.0.uploads).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_not_ours_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::s3(folder.path()).await;
    let other = Server::dull(Some((404, "NoSuchBucket"))).await;
    let wrong = S3Settings { secret_key: Secret::new("wrong"), ..server.settings() };
    let unknown = S3Settings { access_key: "unknown".into(), ..server.settings() };
    for (settings, reason) in [
        (other.settings(), "does not exist"),
        (wrong, "refuses the credentials"),
        (unknown, "refuses the credentials"),
    ] {
        let store = open(&settings);
        let (space, blob, put) = put(&store, b"content").await;
        let read = store.read(&space, &blob, 0..7).await.map(drop);
        let deleted = block_in_place(|| store.delete(&space, &blob));
        let inline = block_in_place(|| store.put_inline(&space, &blob, b"content"));
        for result in [store.probe().await, put, read, inline, deleted] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
            assert!(error.to_string().contains(reason), "{reason}: {error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_fails_is_asked_a_few_times_and_not_for_ever() {
    let server = Server::dull(Some((500, "InternalError"))).await;
    let store = open(&server.settings());
    let (_, _, result) = put(&store, b"content").await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(server.requests.load(Ordering::Relaxed), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_does_not_answer_is_not_waited_for_for_ever() {
    let server = Server::dull(None).await;
    let store = open(&server.settings());
    let asked = async {
        let (space, blob, result) = put(&store, b"content").await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Unavailable);
        let read = store.read(&space, &blob, 0..7).await.map(drop);
        assert_eq!(read.unwrap_err().kind(), ErrorKind::Unavailable);
    };
    tokio::time::timeout(Duration::from_secs(20), asked).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_at_the_address_is_told_soon() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let server = Server::dull(None).await;
    let store = open(&S3Settings { endpoint, ..server.settings() });
    let (_, _, result) = put(&store, b"content").await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrived_is_looked_at_before_it_is_a_success() {
    let (fs, root) = local();
    let objects = Arc::new(FaultyObjects::new());
    let place = (Arc::clone(&fs), &*root);
    let store = ObjectBlobs::new("a", Arc::clone(&objects), SMALL, place, Handle::current());
    let bytes = vec![1; 200_000];
    for size in [1000, bytes.len()] {
        let (.., result) = put(&store, &bytes[..size]).await;
        result.unwrap();
    }
    let asked = objects.trace();
    assert_eq!(asked.iter().filter(|call| call.contains(" head ")).count(), 2, "{asked:?}");
    // The question is the last request of a put.
    let process = FaultyFs::new(fs);
    let last = |calls: u64, requests: u64| calls + requests - 1;
    objects.plan(last(objects.calls(), 2), ObjectFault::Refuse, &process);
    let (.., result) = put(&store, &bytes[..1000]).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn what_cannot_be_settings_is_said() {
    let server = |endpoint: &str| S3Settings {
        endpoint: endpoint.into(),
        region: "default".into(),
        bucket: "blobs".into(),
        access_key: "access".into(),
        secret_key: Secret::new("not to be seen"),
        path_style: true,
        multipart: true,
        part_size: 1,
        at_once: 0,
        send_md5: true,
        unsigned_content: false,
        patience: Patience::default(),
    };
    let error = server("s3.example.org").build().unwrap_err();
    assert!(error.to_string().contains("s3.example.org"), "{error}");
    let error = server("").build().unwrap_err();
    assert!(error.to_string().contains("the endpoint is missing"), "{error}");
    let settings = server("https://s3.example.org/");
    assert_eq!(settings.cut(), Cut { whole: 5 << 20, part: 5 << 20, at_once: 1, copy: 5 << 30 });
    settings.build().unwrap();
    assert!(!format!("{settings:?}").contains("not to be seen"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_is_sent_at_once_and_shown_when_it_is_wanted() {
    let (fs, root) = local();
    let bucket = FaultyObjects::new();
    let place = (Arc::clone(&fs), &*root);
    let store = ObjectBlobs::new("a", Arc::new(bucket.clone()), SMALL, place, Handle::current());
    for is_wanted in [true, false] {
        let (space, blob) = (SpaceId::random(), BlobId::random());
        let path = staged::path(&store.0.uploads, &space, &blob);
        let file = fs.open(&path, Open::CreateNew).unwrap();
        let (arrivals, arriving) = arriving(200_000);
        let sending = tokio::spawn({
            let (store, space, blob, path) =
                (store.clone(), space.clone(), blob.clone(), path.clone());
            async move { store.put_arriving(&space, &blob, &path, arriving).await }
        });
        // Whole parts of 30,000.
        for (have, parts) in [(29_999, 0), (100_000, 3), (200_000, 7)] {
            file.write_at(&vec![7; have], 0).unwrap();
            arrivals.have(have as u64);
            while bucket.open_parts() < parts {
                tokio::task::yield_now().await;
            }
            assert_eq!(bucket.open_parts(), parts);
        }
        assert_eq!(store.len(&space, &blob).unwrap(), None);
        if is_wanted {
            arrivals.wanted();
            sending.await.unwrap().unwrap();
            let read = store.read(&space, &blob, 0..200_000).await.unwrap();
            assert!(read.try_collect::<Vec<_>>().await.unwrap().concat() == [7; 200_000]);
        } else {
            drop(arrivals);
            let error = sending.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert_eq!(store.len(&space, &blob).unwrap(), None);
        }
        assert_eq!(bucket.open_parts(), 0);
        assert!(crate::fs::is_missing(&fs.stat(&staged::parts(&path))));
        fs.unlink(&path).unwrap();
    }
}
