//! A bucket for tests: counts the requests, and fails or cuts at one of them.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartId, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;

use crate::fs::FaultyFs;

/// What happens at a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectFault {
    /// The bucket answers 500 and does nothing; later requests work.
    Refuse,
    /// The bucket does it, but its answer is lost; later requests work.
    Lose,
    /// The bucket does nothing and never answers: whoever asked gives up after a while
    /// ([`FaultyObjects::while_hanging`]); later requests work.
    TimeOut,
    /// The same, but the bucket did it.
    TimeOutLate,
    /// The bucket is away from here on.
    Away,
    /// The process ends before the request is sent: the file system is cut as well.
    CutBefore,
    /// The process ends after the bucket did it, before it hears of it.
    CutAfter,
}

/// A bucket in memory that does what it is asked, until told otherwise. Clones share everything.
#[derive(Debug, Clone)]
pub struct FaultyObjects {
    inner: Arc<InMemory>,
    state: Arc<Mutex<State>>,
    /// Uploads that did not end and hold parts, once for each.
    open: Arc<Mutex<Vec<MultipartId>>>,
}

#[derive(Debug, Default)]
struct State {
    calls: u64,
    plan: Option<(u64, ObjectFault)>,
    is_away: bool,
    process: Option<FaultyFs>,
    trace: Vec<String>,
    meanwhile: Option<Meanwhile>,
}

/// What is done while a request hangs.
#[derive(Clone)]
struct Meanwhile(Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}

fn failure(text: &'static str) -> Error {
    Error::Generic { store: "faulty", source: text.into() }
}

fn unsupported(operation: &str) -> Error {
    Error::NotImplemented { operation: operation.into(), implementer: "FaultyObjects".into() }
}

/// What becomes of a request.
#[derive(Clone, Copy)]
enum Verdict {
    Go,
    DoAndFail,
    Hang { is_done: bool },
}

impl FaultyObjects {
    /// An empty bucket without a fault.
    pub fn new() -> Self {
        Self { inner: Arc::new(InMemory::new()), state: Arc::default(), open: Arc::default() }
    }

    /// The same objects as another process sees them: with a count and without a plan of its own.
    pub fn restarted(&self) -> Self {
        Self { state: Arc::default(), ..self.clone() }
    }

    /// How many requests were made.
    pub fn calls(&self) -> u64 {
        self.state.lock().calls
    }

    /// Plans `fault` for the request with this number; the first one has number 0. `process` is
    /// the file system of the process that a cut ends.
    pub fn plan(&self, number: u64, fault: ObjectFault, process: &FaultyFs) {
        let mut state = self.state.lock();
        state.plan = Some((number, fault));
        state.process = Some(process.clone());
    }

    /// Does `work`, on a thread that may block, while a request hangs; whoever waits for the request
    /// gives up when it is done, and at once where there is none.
    pub fn while_hanging(&self, work: impl Fn() + Send + Sync + 'static) {
        self.state.lock().meanwhile = Some(Meanwhile(Arc::new(work)));
    }

    async fn hang(&self) -> Error {
        let meanwhile = self.state.lock().meanwhile.clone();
        if let Some(Meanwhile(work)) = meanwhile {
            // A panic is told where it happened.
            let _ = tokio::task::spawn_blocking(move || work()).await;
        }
        failure("no answer in time")
    }

    /// Forgets the plan and what is done meanwhile, and is back.
    pub fn heal(&self) {
        let mut state = self.state.lock();
        state.plan = None;
        state.meanwhile = None;
        state.is_away = false;
    }

    /// Number, name and key of every request.
    pub fn trace(&self) -> Vec<String> {
        self.state.lock().trace.clone()
    }

    /// Parts of uploads that were neither completed nor aborted.
    pub fn open_parts(&self) -> usize {
        self.open.lock().len()
    }

    fn call(&self, name: &str, key: &str) -> Result<Verdict> {
        let mut state = self.state.lock();
        let number = state.calls;
        state.calls += 1;
        state.trace.push(format!("{number} {name} {key}"));
        if state.is_away {
            return Err(failure("the bucket is away"));
        }
        let fault = state.plan.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        let Some(fault) = fault else { return Ok(Verdict::Go) };
        match fault {
            ObjectFault::Refuse => Err(failure("500 Internal Server Error")),
            ObjectFault::Lose => Ok(Verdict::DoAndFail),
            ObjectFault::TimeOut => Ok(Verdict::Hang { is_done: false }),
            ObjectFault::TimeOutLate => Ok(Verdict::Hang { is_done: true }),
            ObjectFault::Away => {
                state.is_away = true;
                Err(failure("the bucket is away"))
            }
            ObjectFault::CutBefore | ObjectFault::CutAfter => {
                state.is_away = true;
                if let Some(process) = &state.process {
                    process.cut();
                }
                match fault {
                    ObjectFault::CutBefore => Err(failure("the process ended")),
                    _ => Ok(Verdict::DoAndFail),
                }
            }
        }
    }

    async fn pass<T>(
        &self,
        name: &str,
        key: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match self.call(name, key)? {
            Verdict::Go => work.await,
            Verdict::DoAndFail => {
                work.await?;
                Err(failure("the answer was lost"))
            }
            Verdict::Hang { is_done } => {
                if is_done {
                    work.await?;
                }
                Err(self.hang().await)
            }
        }
    }

    fn ended(&self, id: &MultipartId) {
        self.open.lock().retain(|open| open != id);
    }
}

impl Default for FaultyObjects {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for FaultyObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyObjects")
    }
}

#[async_trait]
impl ObjectStore for FaultyObjects {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.pass("put", location.as_ref(), self.inner.put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(unsupported("put_multipart_opts"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let name = if options.head { "head" } else { "get" };
        self.pass(name, location.as_ref(), self.inner.get_opts(location, options)).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let bucket = self.clone();
        let answers = async move {
            let locations: Vec<_> = locations.collect().await;
            let first = locations.iter().flatten().next().map(ToString::to_string);
            let deleted = async {
                let stream = bucket.inner.delete_stream(futures::stream::iter(locations).boxed());
                Ok(stream.collect::<Vec<_>>().await)
            };
            let first = first.unwrap_or_default();
            let deleted = bucket.pass("delete", &first, deleted).await;
            futures::stream::iter(deleted.unwrap_or_else(|error| vec![Err(error)]))
        };
        futures::stream::once(answers).flatten().boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.call("list", prefix.map(AsRef::as_ref).unwrap_or_default()) {
            Ok(Verdict::Go) => self.inner.list(prefix),
            Ok(Verdict::DoAndFail) => {
                futures::stream::iter([Err(failure("the answer was lost"))]).boxed()
            }
            Ok(Verdict::Hang { .. }) => {
                let bucket = self.clone();
                futures::stream::once(async move { Err(bucket.hang().await) }).boxed()
            }
            Err(error) => futures::stream::iter([Err(error)]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(unsupported("list_with_delimiter"))
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.pass("copy", to.as_ref(), self.inner.copy_opts(from, to, options)).await
    }
}

#[async_trait]
impl MultipartStore for FaultyObjects {
    async fn create_multipart(&self, path: &Path) -> Result<MultipartId> {
        self.pass("create", path.as_ref(), self.inner.create_multipart(path)).await
    }

    async fn put_part(
        &self,
        path: &Path,
        id: &MultipartId,
        number: usize,
        data: PutPayload,
    ) -> Result<PartId> {
        let put = async {
            self.open.lock().push(id.clone());
            self.inner.put_part(path, id, number, data).await
        };
        self.pass("part", path.as_ref(), put).await
    }

    async fn complete_multipart(
        &self,
        path: &Path,
        id: &MultipartId,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let complete = async {
            let done = self.inner.complete_multipart(path, id, parts).await?;
            self.ended(id);
            Ok(done)
        };
        self.pass("complete", path.as_ref(), complete).await
    }

    async fn abort_multipart(&self, path: &Path, id: &MultipartId) -> Result<()> {
        let abort = async {
            // S3 says 404 of one that has ended.
            let gone = Error::NotFound { path: path.to_string(), source: "NoSuchUpload".into() };
            self.inner.abort_multipart(path, id).await.map_err(|_| gone)?;
            self.ended(id);
            Ok(())
        };
        self.pass("abort", path.as_ref(), abort).await
    }
}
