//! Adding bytes to a session.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use ocis_core::data::{Body, Written};
use ocis_core::time::Timestamp;
use ocis_core::upload::{SessionId, UploadSession};
use ocis_core::{Cx, Error, Result};
use tokio::sync::watch;

use super::board::{Held, Live};
use super::saved::{Saved, Stage};
use super::{StoreSessions, blocking, finish, quiet, unbroken};
use crate::blob::staged::{Stager, Writer};
use crate::digest::{ChunkSum, Digester};
use crate::fs::Open;
use crate::journal::broken;
use crate::layout::paths;
use crate::upload::{WriteClaims, agreed};

/// Bytes to be added.
#[derive(Debug)]
pub struct Append {
    /// Where they belong: at the end of what is there.
    pub offset: u64,
    /// How many will come, if known.
    pub announced: Option<u64>,
    /// What their checksum must be.
    pub checksum: Option<ChunkSum>,
    /// The bytes.
    pub body: Body,
}

/// What became of them.
#[derive(Debug)]
pub enum Appended {
    /// They are there now, durably.
    More(Box<UploadSession>),
    /// It was the last byte: the content is committed.
    Whole(Box<Written>),
    /// They do not have the checksum that was announced, and were forgotten.
    Damaged,
}

/// How receiving ended.
enum End {
    Body,
    /// The client went away.
    Broken(Error),
    /// Another request for this session came.
    Other,
    TooLong,
}

impl StoreSessions {
    /// The session, with the bytes that are there, as soon as nobody is adding any: whoever is, is
    /// asked to break off. Commits a content that is whole but could not be committed before.
    /// `NotFound` when it is over.
    pub async fn settled(&self, id: &SessionId, now: Timestamp) -> Result<UploadSession> {
        let (held, live) = self.store.take_session(id).await?;
        let seen = live.saved.view(live.offset);
        if matches!(live.saved.ours.stage, Stage::Processing(_)) {
            held.keep(live);
            return Ok(seen);
        }
        live.saved.receiving(now)?;
        if live.is_whole() {
            let store = Arc::clone(&self.store);
            unbroken(async move { finish::finish(store, held, live, now).await }).await?;
        } else {
            held.keep(live);
        }
        Ok(seen)
    }

    /// Adds bytes, and commits the content when they were the last. Bytes that came before the
    /// client went away count, unless they were to be verified together.
    ///
    /// `NotFound` when it is over, `Conflict` when the bytes belong elsewhere or another request
    /// took over, `InvalidArgument` when they are too many (then none of them count). The errors of
    /// the last byte are those of a simple upload, and end the session where the content is refused.
    pub async fn append(&self, id: &SessionId, append: Append, now: Timestamp) -> Result<Appended> {
        // When the client goes away, what came is still written before somebody else comes.
        let (this, id) = (self.clone(), id.clone());
        unbroken(async move { this.add(&id, append, now).await }).await
    }

    async fn add(&self, id: &SessionId, append: Append, now: Timestamp) -> Result<Appended> {
        let (held, mut live) = self.store.take_session(id).await?;
        live.saved.receiving(now)?;
        let room = live.saved.length.map(|length| length.saturating_sub(live.offset));
        if append.offset != live.offset {
            held.keep(live);
            return Err(Error::conflict("the upload continues elsewhere"));
        }
        if room.zip(append.announced).is_some_and(|(room, announced)| announced > room) {
            held.keep(live);
            return Err(Error::invalid("the content is longer than announced"));
        }
        if append.checksum.is_some() {
            live.saved.ours.tentative = Some(live.offset);
            self.save(&live.saved).await?;
        }
        let (held, mut live, damaged) = self.receive(held, live, append, room).await?;
        if live.saved.ours.tentative.take().is_some() {
            self.save(&live.saved).await?;
        }
        if damaged {
            held.keep(live);
            return Ok(Appended::Damaged);
        }
        if !live.is_whole() {
            let session = live.saved.view(live.offset);
            held.keep(live);
            return Ok(Appended::More(Box::new(session)));
        }
        let written = finish::finish(Arc::clone(&self.store), held, live, now).await?;
        Ok(Appended::Whole(Box::new(written)))
    }

    pub(super) async fn save(&self, saved: &Saved) -> Result<()> {
        self.store.save_session(&quiet()?, saved).await
    }

    /// Takes a simple upload where contents are processed: as a session that its client never sees.
    pub(crate) async fn put(
        &self,
        claims: WriteClaims,
        announced: Option<u64>,
        body: Body,
        now: Timestamp,
    ) -> Result<Written> {
        let this = self.clone();
        unbroken(async move { this.take_in(claims, announced, body, now).await }).await
    }

    async fn take_in(
        &self,
        claims: WriteClaims,
        announced: Option<u64>,
        body: Body,
        now: Timestamp,
    ) -> Result<Written> {
        let length = agreed(claims.length, announced)?;
        let WriteClaims { mut prepared, conditions, mtime, checksum, caller, trace, .. } = claims;
        let cx = Cx { caller, deadline: None, trace, now };
        // A ticket can be used twice, a blob id cannot.
        prepared.blob = SessionId::random();
        let store = Arc::clone(&self.store);
        let mut saved =
            store.look(&cx, |change| change.session_at(prepared.clone(), &conditions))?;
        (saved.mtime, saved.checksum) = (mtime, checksum);
        let id = saved.id.clone();
        store.begin_session(&cx, &saved).await?;
        let (held, live) = store.take_session(&id).await?;
        let append = Append { offset: 0, announced: None, checksum: None, body };
        let received = self.receive(held, live, append, length).await;
        let is_short = |live: &Live| length.is_some_and(|length| live.offset < length);
        let refusal = match received {
            Ok((held, mut live, _)) if !is_short(&live) => {
                live.saved.length = Some(live.offset);
                return finish::finish(store, held, live, now).await;
            }
            Ok(_) => Error::invalid("the content is shorter than announced"),
            Err(error) => error,
        };
        let ended = match store.take_session(&id).await {
            Ok((held, live)) => store.end_session(&cx, held, live).await,
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::warn!(?error, "a refused upload stays until it expires");
        }
        Err(refusal)
    }

    /// Writes and flushes what comes; says whether it was damaged and therefore forgotten.
    async fn receive(
        &self,
        mut held: Held,
        mut live: Live,
        append: Append,
        room: Option<u64>,
    ) -> Result<(Held, Live, bool)> {
        let Append { checksum, body, .. } = append;
        let start = live.offset;
        let is_verified = checksum.is_some();
        let before = live.digester.clone();
        let path = self.store.root().join(paths::session(&live.saved.id));
        let fs = Arc::clone(self.store.fs());
        let file = blocking(move || fs.open(&path, Open::Write).map_err(broken)).await?;
        let stager = Stager::onto(Writer::new(file, start, live.digester.take(), checksum));
        let (stager, end) = pour(stager, body, room, &mut held.others).await?;
        let Writer { file, digester, chunk, size, .. } = stager.settle().await?;
        let is_right = chunk.is_none_or(ChunkSum::is_right);
        let counts = match &end {
            End::Body => is_right,
            End::TooLong => false,
            End::Broken(_) | End::Other => !is_verified,
        };
        if counts {
            (live.offset, live.digester) = (size, digester);
        } else {
            let cut = move || file.set_size(start).and_then(|()| file.sync()).map_err(broken);
            blocking(cut).await?;
            live.digester = before;
        }
        let error = match end {
            End::Body => return Ok((held, live, !is_right)),
            End::Broken(error) => error,
            End::Other => Error::conflict("another request goes on with this upload"),
            End::TooLong => Error::invalid("the content is longer than announced"),
        };
        if live.saved.ours.tentative.take().is_some() {
            self.save(&live.saved).await?;
        }
        held.keep(live);
        Err(error)
    }
}

/// Takes the body into the file until it ends, or something else does.
async fn pour(
    mut stager: Stager,
    mut body: Body,
    mut room: Option<u64>,
    others: &mut watch::Receiver<u64>,
) -> Result<(Stager, End)> {
    loop {
        let bytes: Bytes = tokio::select! {
            frame = body.frame() => match frame {
                None => return Ok((stager, End::Body)),
                Some(Err(error)) => return Ok((stager, End::Broken(error))),
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            },
            Ok(()) = others.changed() => return Ok((stager, End::Other)),
        };
        if let Some(room) = &mut room {
            match room.checked_sub(bytes.len() as u64) {
                Some(left) => *room = left,
                None => return Ok((stager, End::TooLong)),
            }
        }
        stager = stager.push(&bytes).await?;
    }
}

/// The digests of the first `size` bytes of a session's file, read once; blocking.
pub(super) fn digest_file(file: &dyn crate::fs::File, size: u64) -> Result<Digester> {
    let (mut digester, mut buffer, mut offset) = (Digester::new(), vec![0; 256 * 1024], 0);
    while offset < size {
        let count = file.read_at(&mut buffer, offset).map_err(broken)?;
        let part = buffer.get(..count).filter(|part| !part.is_empty());
        digester.update(part.ok_or_else(|| Error::internal("an upload lost bytes"))?);
        offset += count as u64;
    }
    Ok(digester)
}
