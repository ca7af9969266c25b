//! The data plane over a whole store, in memory and on disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::stream;
use http_body_util::StreamBody;
use ocis_core::checksum::ExpectedChecksum;
use ocis_core::data::{Written, empty};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, CreateSpace, Delete, Nodes as _, OpenRead, OpenUpload, Spaces as _, Touch,
    Uploads as _,
};
use ocis_core::reference::Reference;
use ocis_core::time::Timestamp;
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, Identity};
use parking_lot::Mutex;
use tower::ServiceExt as _;

use super::*;
use crate::blob::PosixBlobs;
use crate::digest::digest;
use crate::fs::fault::Fault;
use crate::fs::{FaultyFs, Fs, MemoryFs, RealFs};
use crate::upload::StoreUploads;
use crate::{Driver, Options};

const NOW: i64 = 1_767_225_600;
const SIZES: [usize; 7] = [0, 1, 65_535, 65_536, 65_537, 1_000_000, 5 << 20];

#[derive(Debug)]
struct TestClock(Mutex<i64>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(*self.0.lock(), 0).unwrap()
    }
}

/// A store with its data plane.
pub(super) struct Bench {
    pub(super) store: Arc<Store>,
    pub(super) driver: Driver,
    pub(super) blobs: Arc<dyn BlobStore>,
    pub(super) fs: FaultyFs,
    pub(super) uploads: PathBuf,
    port: StoreUploads,
    service: HttpService,
    clock: Arc<TestClock>,
    pub(super) cx: Cx,
    pub(super) home: ResourceId,
}

impl Bench {
    /// Opens the store at `root`, and makes its space when there is none.
    pub(super) async fn over(inner: Arc<dyn Fs>, root: &Path) -> Self {
        let fs = FaultyFs::new(inner);
        let shared: Arc<dyn Fs> = Arc::new(fs.clone());
        let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&shared), root));
        let storage = StorageId::parse("storage").unwrap();
        let options = Options::new(storage.clone());
        let store = Store::open(shared, Arc::clone(&blobs), root, options).unwrap();
        let tickets = Tickets::new(b"secret", &storage, Duration::from_secs(3600)).unwrap();
        let clock = Arc::new(TestClock(Mutex::new(NOW)));
        let plane = DataPlane::new(
            Arc::clone(&store),
            Arc::clone(&blobs),
            tickets.clone(),
            Arc::clone(&clock) as _,
        );
        let identity = Identity {
            id: UserId::parse("home").unwrap(),
            idp: "https://localhost:9200".into(),
            username: "home".into(),
            display_name: "Home".into(),
            mail: String::new(),
            groups: Vec::new(),
            role: UserRole::User,
            scope: ocis_core::scope::Scope::Everything,
        };
        let cx = Cx::new(Caller::User(Arc::new(identity)), clock.now());
        let driver = Driver::new(Arc::clone(&store), tickets.clone());
        let space = CreateSpace::personal(UserId::parse("home").unwrap(), "Home");
        match driver.create(&cx, space).await {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            result => drop(result.unwrap()),
        }
        let home = ResourceId::root(storage, SpaceId::parse("home").unwrap());
        let uploads = store.uploads_dir().to_owned();
        let port = StoreUploads::new(Arc::clone(&store), tickets);
        let service = plane.service();
        Self { store, driver, blobs, fs, uploads, port, service, clock, cx, home }
    }
}

/// Bytes in which every stretch is different.
pub(super) fn content(size: usize) -> Vec<u8> {
    (0..size as u64).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 16) as u8).collect()
}

/// A body of unknown length that comes in pieces, and then fails if `end` says so.
fn pieces(bytes: &[u8], size: usize, end: Option<Error>) -> Body {
    let pieces: Vec<_> = bytes.chunks(size).map(|part| Ok(part.to_vec().into())).collect();
    let frames = pieces.into_iter().chain(end.map(Err)).map(|part| part.map(Frame::data));
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}

/// A body that never ends.
fn endless(bytes: &[u8]) -> Body {
    let frames = bytes.chunks(10_000).map(|part| Ok(Frame::data(Bytes::copy_from_slice(part))));
    let frames: Vec<_> = frames.collect();
    StreamBody::new(stream::iter(frames).chain(stream::pending())).boxed_unsync()
}

impl Bench {
    fn memory() -> impl Future<Output = Self> {
        Self::over(Arc::new(MemoryFs::default()), Path::new("/store"))
    }

    pub(super) fn at(&self, name: &str) -> Reference {
        Reference::below(self.home.clone(), SpacePath::parse(name).unwrap())
    }

    fn upload(&self, name: &str, length: Option<usize>) -> OpenUpload {
        OpenUpload {
            target: self.at(name),
            length: length.map(|length| length as u64),
            mtime: None,
            checksum: None,
            conditions: Conditions::default(),
        }
    }

    async fn ask(&self, request: Request<Body>) -> Response<Body> {
        self.service.clone().oneshot(request).await.unwrap()
    }

    async fn open(&self, upload: OpenUpload) -> Result<String> {
        Ok(self.port.open(&self.cx, upload).await?.ticket)
    }

    async fn send(&self, upload: OpenUpload, body: Body) -> Result<Written> {
        let ticket = self.open(upload).await?;
        self.send_with(&ticket, body).await
    }

    async fn send_with(&self, ticket: &str, body: Body) -> Result<Written> {
        let request = Request::put("/data").header(TICKET, ticket).body(body).unwrap();
        let answer = self.ask(request).await;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if status == StatusCode::OK {
            return Ok(serde_json::from_slice(&body).unwrap());
        }
        let error: Error = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, failure(&error).status());
        Err(error)
    }

    pub(super) async fn put(&self, name: &str, bytes: &[u8]) -> Result<Written> {
        self.send(self.upload(name, Some(bytes.len())), full(bytes.to_vec())).await
    }

    async fn read_ticket(&self, name: &str) -> Result<String> {
        Ok(self.driver.open_read(&self.cx, OpenRead { target: self.at(name) }).await?.ticket)
    }

    async fn fetch(&self, ticket: &str, range: Option<&str>) -> Response<Body> {
        let mut request = Request::get("/data").header(TICKET, ticket).body(empty()).unwrap();
        if let Some(range) = range {
            request.headers_mut().insert(RANGE, range.parse().unwrap());
        }
        self.ask(request).await
    }

    pub(super) async fn get(&self, name: &str) -> Result<Vec<u8>> {
        let answer = self.fetch(&self.read_ticket(name).await?, None).await;
        assert_eq!(answer.status(), StatusCode::OK);
        Ok(answer.into_body().collect().await?.to_bytes().to_vec())
    }

    /// Fails unless nothing is staged and `blobs` are all blobs there are.
    async fn assert_clean(&self, blobs: usize) {
        // Files are removed behind the scenes: give that its chance.
        let mut staged = self.fs.read_dir(&self.uploads).unwrap();
        for _ in 0..10_000 {
            if staged.is_empty() {
                break;
            }
            tokio::task::spawn_blocking(|| ()).await.unwrap();
            staged = self.fs.read_dir(&self.uploads).unwrap();
        }
        assert_eq!(staged, []);
        assert_eq!(self.blob_count(), blobs);
    }

    fn blob_count(&self) -> usize {
        let mut count = 0;
        self.blobs.list(&self.home.space, &mut |_, _| count += 1).unwrap();
        count
    }
}

async fn round_trips(bench: &Bench) {
    for (index, size) in SIZES.into_iter().enumerate() {
        let bytes = content(size);
        let bodies = [
            (Some(size), full(bytes.clone())),
            (Some(size), pieces(&bytes, 16_384, None)),
            (None, pieces(&bytes, 65_536, None)),
            (None, pieces(&bytes, 100_001, None)),
        ];
        for (round, (length, body)) in bodies.into_iter().enumerate() {
            let name = format!("file {index}");
            let written = bench.send(bench.upload(&name, length), body).await.unwrap();
            assert_eq!(written.created, round == 0);
            assert_eq!(written.node.info.size, size as u64);
            assert_eq!(written.node.info.checksums, Some(digest(&bytes)));
            assert!(bench.get(&name).await.unwrap() == bytes, "{size} bytes, round {round}");
        }
    }
    assert_eq!(bench.fs.read_dir(&bench.uploads).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_is_what_comes_back() {
    round_trips(&Bench::memory().await).await;
    let dir = tempfile::tempdir().unwrap();
    round_trips(&Bench::over(Arc::new(RealFs), dir.path()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranges_are_those_asked_for() {
    let bench = Bench::memory().await;
    for size in [1_usize, 65_537, 1_000_000] {
        let bytes = content(size);
        bench.put("f", &bytes).await.unwrap();
        let ticket = bench.read_ticket("f").await.unwrap();
        for (first, last) in [(0, 0), (0, size - 1), (size - 1, size - 1), (size / 3, size / 2)] {
            let answer = bench.fetch(&ticket, Some(&format!("bytes={first}-{last}"))).await;
            assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
            let expected = format!("bytes {first}-{last}/{size}");
            assert_eq!(answer.headers()[CONTENT_RANGE], *expected);
            let length = (last - first + 1).to_string();
            assert_eq!(answer.headers()[CONTENT_LENGTH], *length);
            let body = answer.into_body();
            assert_eq!(http_body::Body::size_hint(&body).exact(), length.parse().ok());
            let body = body.collect().await.unwrap().to_bytes();
            assert!(body == bytes[first..=last], "{expected}");
        }
        let past = format!("bytes=0-{size}");
        for range in ["", "bytes=", "bytes=1-0", "bytes=0-", "bytes=-1", "lines=0-0", &past] {
            let answer = bench.fetch(&ticket, Some(range)).await;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{range}");
        }
    }
    bench.put("empty", b"").await.unwrap();
    let ticket = bench.read_ticket("empty").await.unwrap();
    let answer = bench.fetch(&ticket, Some("bytes=0-0")).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_that_is_not_what_was_announced_leaves_nothing() {
    let bench = Bench::memory().await;
    for (count, size) in [1000_usize, 300_000, 2_000_000].into_iter().enumerate() {
        let bytes = content(size);
        let gone = || Some(Error::unavailable("the client went away"));
        let refused = [
            (Some(size + 1), full(bytes.clone())),
            (Some(size - 1), full(bytes.clone())),
            (Some(size - 1), pieces(&bytes, 999, None)),
            (Some(size), pieces(&bytes[1..], 999, None)),
            (Some(size), pieces(&bytes[1..], 999, gone())),
            (Some(size), pieces(&bytes, 999, gone())),
            (None, pieces(&bytes, 999, gone())),
        ];
        for (length, body) in refused {
            let error = bench.send(bench.upload("new", length), body).await.unwrap_err();
            let kinds = [ErrorKind::InvalidArgument, ErrorKind::Unavailable];
            assert!(kinds.contains(&error.kind()), "{error:?}");
        }
        for expected in ["MD5", "SHA1", "ADLER32"] {
            let kind = expected.to_ascii_lowercase();
            let sums = digest(&content(7));
            let of = |sums: &ocis_core::checksum::Checksums| {
                ocis_core::checksum::hex(match &*kind {
                    "md5" => &sums.md5,
                    "sha1" => &sums.sha1,
                    _ => &sums.adler32,
                })
            };
            let checksum =
                |hex| Some(format!("{expected}:{hex}").parse::<ExpectedChecksum>().unwrap());
            let wrong = OpenUpload { checksum: checksum(of(&sums)), ..bench.upload("new", None) };
            let error = bench.send(wrong, full(bytes.clone())).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            let right =
                OpenUpload { checksum: checksum(of(&digest(&bytes))), ..bench.upload("f", None) };
            bench.send(right, full(bytes.clone())).await.unwrap();
        }
        assert_eq!(bench.get("new").await.unwrap_err().kind(), ErrorKind::NotFound);
        // Overwritten contents may be kept as versions; none of the refused ones is there.
        bench.assert_clean(bench.blob_count()).await;
        let referenced = 3 * (count + 1);
        assert!(bench.blob_count() <= referenced, "{} blobs", bench.blob_count());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_length_of_the_request_must_be_that_of_the_ticket() {
    let bench = Bench::memory().await;
    let ticket = bench.open(bench.upload("f", Some(5))).await.unwrap();
    for length in ["4", "6", "x", "-5"] {
        let request = Request::put("/data").header(TICKET, &ticket).header(CONTENT_LENGTH, length);
        let answer = bench.ask(request.body(full("12345")).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{length}");
    }
    let request = Request::put("/data").header(TICKET, &ticket).header(CONTENT_LENGTH, "5");
    let answer = bench.ask(request.body(full("12345")).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_is_not_ours_opens_nothing() {
    let bench = Bench::memory().await;
    bench.put("f", b"content").await.unwrap();
    let read = bench.read_ticket("f").await.unwrap();
    let write = bench.open(bench.upload("g", None)).await.unwrap();
    let storage = StorageId::parse("another").unwrap();
    let foreign = Tickets::new(b"another secret", &storage, Duration::from_secs(60)).unwrap();
    let claims = ReadClaims {
        space: bench.home.space.clone(),
        blob: Some(ocis_core::id::BlobId::random()),
        size: 1,
    };
    let foreign = foreign.sign(Purpose::Read, &claims, bench.clock.now()).unwrap();
    for ticket in ["", "x", &read[1..], &foreign, &write] {
        assert_eq!(bench.fetch(ticket, None).await.status(), StatusCode::FORBIDDEN);
    }
    for ticket in ["", "x", &write[1..], &foreign, &read] {
        let error = bench.send_with(ticket, full("x")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }
    let bare = bench.ask(Request::get("/data").body(empty()).unwrap()).await;
    assert_eq!(bare.status(), StatusCode::FORBIDDEN);
    for method in [Method::PATCH, Method::HEAD, Method::DELETE] {
        let request = Request::builder().method(&method).header(TICKET, &write);
        let answer = bench.ask(request.body(empty()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method}");
    }
    let post = Request::post("/data").header(TICKET, &read).body(empty()).unwrap();
    assert_eq!(bench.ask(post).await.status(), StatusCode::NOT_IMPLEMENTED);
    *bench.clock.0.lock() += 3600;
    assert_eq!(bench.fetch(&read, None).await.status(), StatusCode::FORBIDDEN);
    let error = bench.send_with(&write, full("x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(bench.get("g").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_made_empty_has_no_bytes() {
    let bench = Bench::memory().await;
    let touch = Touch { target: bench.at("f"), conditions: Conditions::default() };
    bench.driver.touch(&bench.cx, touch).await.unwrap();
    assert_eq!(bench.get("f").await.unwrap(), b"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_that_is_gone_is_not_found() {
    let bench = Bench::memory().await;
    bench.put("f", &content(100_000)).await.unwrap();
    let ticket = bench.read_ticket("f").await.unwrap();
    let content = bench.store.content(&bench.cx, &bench.at("f")).await.unwrap().1.unwrap();
    bench.blobs.delete(&content.space, &content.blob.unwrap()).unwrap();
    assert_eq!(bench.fetch(&ticket, None).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_dropped_leaves_nothing() {
    let bench = Bench::memory().await;
    for size in [0, 1000, 100_000, 3_000_000] {
        let body = endless(&content(size));
        let mut sending = Box::pin(bench.send(bench.upload("f", None), body));
        for _ in 0..100 {
            assert!(futures::poll!(&mut sending).is_pending());
            tokio::task::yield_now().await;
        }
        drop(sending);
        bench.assert_clean(0).await;
        assert_eq!(bench.get("f").await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_that_is_refused_at_the_end_leaves_nothing() {
    let bench = Bench::memory().await;
    let absent = Conditions {
        if_none_match: Some(ocis_core::etag::EtagMatch::Any),
        ..Conditions::default()
    };
    for size in [10, 1_000_000] {
        let upload = OpenUpload { conditions: absent.clone(), ..bench.upload("f", None) };
        let late = bench.open(upload).await.unwrap();
        bench.put("f", b"first").await.unwrap();
        let blobs = bench.blob_count();
        let error = bench.send_with(&late, full(content(size))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
        assert_eq!(bench.get("f").await.unwrap(), b"first");
        bench.assert_clean(blobs).await;
        let delete = Delete { target: bench.at("f"), conditions: Conditions::default() };
        bench.driver.delete(&bench.cx, delete).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_leaves_nothing() {
    let bytes = content(1_000_000);
    let mut staged = 0;
    for offset in 0..30 {
        let bench = Bench::memory().await;
        let number = bench.fs.calls() + offset;
        bench.fs.start_trace();
        bench.fs.plan(number, Fault::Fail(io::ErrorKind::StorageFull));
        let result = bench.put("f", &bytes).await;
        let trace = bench.fs.trace();
        let call = trace.iter().find(|call| call.starts_with(&format!("{number} ")));
        // What fails elsewhere is the store's affair, and removing comes when all is done.
        if !call.is_some_and(|call| call.contains("uploads/") && !call.contains("unlink")) {
            continue;
        }
        staged += 1;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::InsufficientStorage, "{call:?}");
        bench.assert_clean(0).await;
        bench.put("f", &bytes).await.unwrap();
        assert!(bench.get("f").await.unwrap() == bytes);
    }
    assert!(staged >= 5, "only {staged} calls for the staged file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_is_used_twice_writes_twice() {
    let bench = Bench::memory().await;
    let ticket = bench.open(bench.upload("f", None)).await.unwrap();
    for size in [100_000, 200_000] {
        bench.send_with(&ticket, full(content(size))).await.unwrap();
        assert!(bench.get("f").await.unwrap() == content(size));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_concurrent_contents_one_wins_whole() {
    let bench = Arc::new(Bench::memory().await);
    for round in 0..5_u8 {
        let tasks = (0..8_u8).map(|writer| {
            let bench = Arc::clone(&bench);
            let size = if writer % 2 == 0 { 1000 } else { 200_000 } + usize::from(writer);
            tokio::spawn(async move {
                let bytes = vec![round * 8 + writer; size];
                bench.send(bench.upload("f", None), pieces(&bytes, 777, None)).await.unwrap();
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let bytes = bench.get("f").await.unwrap();
        let writer = bytes[0] - round * 8;
        let size = if writer % 2 == 0 { 1000 } else { 200_000 } + usize::from(writer);
        assert!(bytes.len() == size && bytes.iter().all(|byte| *byte == bytes[0]), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_read_than_the_client_takes() {
    let bench = Bench::memory().await;
    bench.put("f", &content(5 << 20)).await.unwrap();
    let ticket = bench.read_ticket("f").await.unwrap();
    let before = bench.fs.calls();
    let mut body = bench.fetch(&ticket, None).await.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    for _ in 0..100 {
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }
    let calls = bench.fs.calls() - before;
    assert!(calls <= 6, "{calls} calls for the first piece");
    assert!(first.len() <= 1 << 20);
    let rest = body.collect().await.unwrap().to_bytes();
    assert_eq!(first.len() + rest.len(), 5 << 20);
}
