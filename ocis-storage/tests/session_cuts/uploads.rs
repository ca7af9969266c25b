//! A store with one upload, what is done with it, and how a client goes on.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use ocis_core::cx::Cx;
use ocis_core::data::full;
use ocis_core::port::{
    ActOnSession, CreateSession, GetSession, ListSessions, OpenUpload, SessionAction, SetLength,
    UploadSessions,
};
use ocis_core::upload::{SessionId, UploadSession};
use ocis_core::{Error, ErrorKind, Result};
use ocis_storage::Options;
use ocis_storage::blob::Cut;
use ocis_storage::blob::faulty::FaultyObjects;
use ocis_storage::digest::ChunkSum;
use ocis_storage::fs::{FaultyFs, Fs};
use ocis_storage::session::step::{Done, Incoming, Outcome, Processing, Step};
use ocis_storage::session::{Append, Appended};
use parking_lot::Mutex;
use tokio::runtime::Runtime;

use crate::world::{Fixed, World, at, now, runtime, server, storage};

/// Large contents have three parts in a bucket.
const CUT: Cut = Cut { whole: 1000, part: 30_000, at_once: 2, copy: 1 << 30 };

/// Asks the bucket, while those who wait for it are on another one.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| runtime(1));

const OLD: &[u8] = b"old";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Create,
    CreateEmpty,
    Append,
    AppendVerified,
    SetLength,
    FinishSmall,
    FinishLarge,
    Overwrite,
    Abort,
    Expire,
    /// A content is processed, and the step says so.
    Processed(Outcome),
    /// The same for one that takes the place of another.
    ProcessedOver(Outcome),
}

impl Op {
    pub(crate) fn content(self) -> Vec<u8> {
        let size = match self {
            Self::CreateEmpty => 0,
            Self::FinishLarge | Self::Overwrite | Self::ProcessedOver(_) => 70_000,
            _ => 20,
        };
        (0..size).map(|n: u32| (n % 251) as u8).collect()
    }

    /// What the step says, where there is one.
    pub(crate) fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Processed(outcome) | Self::ProcessedOver(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Whether there is a file before.
    fn is_over(self) -> bool {
        matches!(self, Self::Overwrite | Self::ProcessedOver(_))
    }

    /// Bytes that were acknowledged before.
    fn sent(self) -> usize {
        match self {
            Self::Create | Self::CreateEmpty => 0,
            Self::FinishSmall | Self::FinishLarge | Self::Overwrite => self.content().len() - 3,
            _ => 4,
        }
    }
}

/// A step that always says the same.
#[derive(Debug)]
struct Says(Mutex<Outcome>);

#[async_trait]
impl Step for Says {
    fn name(&self) -> &str {
        "says"
    }

    async fn run(&self, _: &Cx, _: &Incoming) -> Result<Done> {
        Ok((*self.0.lock()).into())
    }
}

/// A store, and the step that its contents go through, where there is one.
pub(crate) struct Uploads {
    says: Arc<Says>,
    pub(crate) world: World,
}

impl Uploads {
    /// Opens the store, with a step where `op` has one; its contents may be in a bucket.
    pub(crate) fn open(fs: Arc<dyn Fs>, op: Op, bucket: Option<&FaultyObjects>) -> Result<Self> {
        let says = Arc::new(Says(Mutex::new(op.outcome().unwrap_or(Outcome::Continue))));
        let step = Arc::clone(&says) as Arc<dyn Step>;
        let steps = op.outcome().map(|_| step).into_iter().collect();
        let processing = Processing { steps, backoff: Duration::ZERO, retries: 0 };
        let options = Options { processing, ..Options::new(storage()) };
        let world = match bucket {
            Some(objects) => World::in_bucket(fs, objects, CUT, &RUNTIME, options)?,
            None => World::open(fs, options)?,
        };
        Ok(Self { says, world })
    }

    async fn create(&self, length: Option<usize>) -> Result<SessionId> {
        let length = length.map(|length| length as u64);
        let upload = OpenUpload { length, ..OpenUpload::new(at("f")) };
        let request = CreateSession { upload, metadata: Vec::new() };
        Ok(self.world.sessions.create(&self.world.cx, request).await?.session.id)
    }

    async fn append(&self, id: &SessionId, offset: usize, bytes: &[u8]) -> Result<Appended> {
        self.append_verified(id, offset, bytes, None).await
    }

    async fn append_verified(
        &self,
        id: &SessionId,
        offset: usize,
        bytes: &[u8],
        checksum: Option<ChunkSum>,
    ) -> Result<Appended> {
        let body = full(bytes.to_vec());
        let append = Append { offset: offset as u64, announced: None, checksum, body };
        self.world.sessions.append(id, append, self.world.cx.now).await
    }

    async fn put(&self, content: &[u8]) {
        let id = self.create(Some(content.len())).await.unwrap();
        let written = self.append(&id, 0, content).await.unwrap();
        assert!(matches!(written, Appended::Whole(_)));
    }

    /// What is there before every operation.
    pub(crate) async fn prepare(&self, op: Op) -> Option<SessionId> {
        self.world.home("einstein").await.unwrap();
        if op.is_over() {
            *self.says.0.lock() = Outcome::Continue;
            self.put(OLD).await;
            self.process(|| false).await.unwrap();
        }
        if let Some(outcome) = op.outcome() {
            *self.says.0.lock() = outcome;
            self.put(&op.content()).await;
            return None;
        }
        if matches!(op, Op::Create | Op::CreateEmpty) {
            return None;
        }
        let content = op.content();
        let length = (op != Op::SetLength).then_some(content.len());
        let id = self.create(length).await.unwrap();
        self.append(&id, 0, &content[..op.sent()]).await.unwrap();
        Some(id)
    }

    /// Processes until nothing is left to be processed, or until `is_over`.
    async fn process(&self, is_over: impl Fn() -> bool) -> Result<()> {
        let done = async {
            loop {
                let list = self.world.sessions.list(&server(), ListSessions::default()).await;
                match list {
                    Ok(list) if list.items.iter().all(|session| session.processing.is_none()) => {
                        return Ok(());
                    }
                    list if is_over() || self.world.store.has_failed() => {
                        list?;
                        return Err(Error::unavailable("it is over"));
                    }
                    _ => tokio::task::yield_now().await,
                }
            }
        };
        tokio::select! {
            ended = self.world.sessions.run(Arc::new(Fixed(now()))) => ended,
            done = done => done,
        }
    }

    pub(crate) async fn run(&self, op: Op, id: Option<SessionId>, fs: &FaultyFs) -> Result<()> {
        if op.outcome().is_some() {
            return self.process(|| fs.is_cut()).await;
        }
        let (content, sent) = (op.content(), op.sent());
        let Some(id) = id else { return self.create(Some(content.len())).await.map(drop) };
        match op {
            Op::Create | Op::CreateEmpty | Op::Processed(_) | Op::ProcessedOver(_) => Ok(()),
            Op::Append => self.append(&id, sent, &content[sent..9]).await.map(drop),
            Op::AppendVerified => {
                let sum = ChunkSum::parse("crc32 QWvDqA==").unwrap();
                let appended = self.append_verified(&id, sent, &content[sent..9], sum).await;
                assert!(!matches!(appended, Ok(Appended::Damaged)));
                appended.map(drop)
            }
            Op::SetLength => {
                let request = SetLength { id, length: content.len() as u64 };
                self.world.sessions.set_length(&self.world.cx, request).await.map(drop)
            }
            Op::FinishSmall | Op::FinishLarge | Op::Overwrite => {
                self.append(&id, sent, &content[sent..]).await.map(drop)
            }
            Op::Abort => self.world.sessions.abort(&self.world.cx, GetSession { id }).await,
            Op::Expire => {
                let later = self.world.cx.now.plus(Duration::from_secs(86_400));
                self.world.sessions.expire(&server(), later).await.map(drop)
            }
        }
    }

    async fn read(&self) -> Result<Option<Vec<u8>>> {
        match self.world.read("f").await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            content => content,
        }
    }

    async fn session(&self) -> Result<Option<UploadSession>> {
        let mut list = self.world.sessions.list(&server(), ListSessions::default()).await?.items;
        assert!(list.len() <= 1, "one upload was begun");
        Ok(list.pop())
    }

    /// Processes to the end, and checks that it is the right one.
    async fn verify_processed(&self, op: Op) -> std::result::Result<(), String> {
        let told = |error: Error| format!("{error:?}");
        self.process(|| false).await.map_err(told)?;
        let before = op.is_over().then(|| OLD.to_vec());
        let is_ready = op.outcome() == Some(Outcome::Continue);
        let expected = if is_ready { Some(op.content()) } else { before };
        if self.read().await.map_err(told)? != expected {
            return Err("it ended in the wrong way".into());
        }
        let session = self.session().await.map_err(told)?;
        if session.is_some() != (op.outcome() == Some(Outcome::Abort)) {
            return Err(format!("{session:?}"));
        }
        if let Some(session) = session {
            let request = ActOnSession { id: session.id, action: SessionAction::Clean };
            self.world.sessions.act(&server(), request).await.map_err(told)?;
        }
        Ok(())
    }

    /// Checks what is there after `op`, and goes on as a client does.
    pub(crate) async fn verify(
        &self,
        op: Op,
        result: &Result<()>,
    ) -> std::result::Result<(), String> {
        let told = |error: Error| format!("{error:?}");
        let wrong = |what: &str| Err(what.to_owned());
        if op.outcome().is_some() {
            return self.verify_processed(op).await;
        }
        let (content, sent) = (op.content(), op.sent() as u64);
        let refused =
            |error: &Error| !matches!(error.kind(), ErrorKind::Internal | ErrorKind::Unavailable);
        let is_refused = result.as_ref().is_err_and(refused);
        let (session, file) =
            (self.session().await.map_err(told)?, self.read().await.map_err(told)?);
        let before = op.is_over().then(|| OLD.to_vec());
        let is_written = file.as_ref() == Some(&content);
        if !is_written && file != before {
            return wrong("neither the old nor the new content");
        }
        if is_written && session.is_some() {
            return wrong("a session whose content is there");
        }
        let ok = result.is_ok();
        let offset = session.as_ref().map_or(0, |session| session.offset);
        if session.is_some() && offset < sent {
            return wrong("acknowledged bytes are lost");
        }
        let fits = match op {
            Op::Create => !is_written && (!ok || session.is_some()),
            Op::CreateEmpty => !ok || is_written,
            Op::Append => session.is_some() && offset <= 9 && (!ok || offset == 9),
            Op::AppendVerified => {
                session.is_some() && [4, 9].contains(&offset) && (!ok || offset == 9)
            }
            Op::SetLength => session.as_ref().is_some_and(|s| !ok || s.length.is_some()),
            Op::Abort | Op::Expire => !is_written && (!ok || session.is_none()),
            Op::Processed(_) | Op::ProcessedOver(_) => true,
            _ if ok => is_written,
            _ if is_refused => !is_written,
            _ => is_written || session.is_some(),
        };
        if !fits {
            return Err(format!("{session:?}, written: {is_written}"));
        }
        let Some(session) = session else { return Ok(()) };
        if session.length.is_none() {
            let request = SetLength { id: session.id.clone(), length: content.len() as u64 };
            self.world.sessions.set_length(&self.world.cx, request).await.map_err(told)?;
        }
        let settled = self.world.sessions.settled(&session.id, self.world.cx.now);
        let offset = settled.await.map_err(told)?.offset as usize;
        let rest = &content[offset..];
        if !rest.is_empty() {
            self.append(&session.id, offset, rest).await.map_err(told)?;
        }
        if self.read().await.map_err(told)?.as_ref() != Some(&content) {
            return wrong("what was resumed is not what was sent");
        }
        Ok(())
    }
}
