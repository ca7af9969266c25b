//! How content gets in: the port that hands out the right to send it, and what happens with the
//! bytes when they come.
//!
//! A content that is not whole, or not what was announced, leaves nothing behind. One that is
//! becomes visible in one step, [`Store::commit_upload`], which checks again all that was checked
//! when the upload was opened. From the moment the last byte is there, that step is taken whether
//! or not the client waits for the answer. A content that cannot be put while it arrives is refused
//! at once, and not after its last byte.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use ocis_core::checksum::{Checksums, ExpectedChecksum};
use ocis_core::data::{Body, Written};
use ocis_core::id::{BlobId, NodeId};
use ocis_core::port::{Conditions, OpenUpload, UploadTicket, Uploads};
use ocis_core::time::Timestamp;
use ocis_core::{Caller, Cx, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::blob::arriving::arriving;
use crate::blob::staged::{self, Staged, Stager};
use crate::blob::{BlobStore, stopped};
use crate::digest::digest;
use crate::store::{CommitUpload, Content, Prepared, Store};
use crate::ticket::{Purpose, Tickets};

/// A content up to this length is kept in memory and stands in its journal record.
pub const INLINE: u64 = 64 * 1024;
/// A content up to this length is digested right where it arrived: changing threads costs more.
const DIGEST_HERE: usize = 16 * 1024;

/// What a ticket for writing claims: who may write what where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WriteClaims {
    /// The place, as it was found when the upload was opened.
    pub prepared: Prepared,
    /// What must hold when the content becomes visible.
    pub conditions: Conditions,
    /// The announced length in bytes.
    pub length: Option<u64>,
    /// The time of the content.
    pub mtime: Option<Timestamp>,
    /// What the digest must be.
    pub checksum: Option<ExpectedChecksum>,
    /// Who writes.
    pub caller: Caller,
    /// The request that opened the upload.
    pub trace: Arc<str>,
}

/// The port [`Uploads`] of a store.
#[derive(Debug, Clone)]
pub struct StoreUploads {
    store: Arc<Store>,
    tickets: Tickets,
}

impl StoreUploads {
    /// Uploads into `store`, to be sent to a [`crate::data::DataPlane`] with the same `tickets`.
    pub fn new(store: Arc<Store>, tickets: Tickets) -> Self {
        Self { store, tickets }
    }
}

#[async_trait]
impl Uploads for StoreUploads {
    async fn open(&self, cx: &Cx, request: OpenUpload) -> Result<UploadTicket> {
        let prepared = self.store.prepare_upload(cx, &request).await?;
        let OpenUpload { length, mtime, checksum, conditions, .. } = request;
        let (caller, trace) = (cx.caller.clone(), Arc::clone(&cx.trace));
        let claims = WriteClaims { prepared, conditions, length, mtime, checksum, caller, trace };
        Ok(UploadTicket { ticket: self.tickets.sign(Purpose::Write, &claims, cx.now)? })
    }
}

/// Takes the content that `claims` allow, and makes it visible. `announced` is what the request
/// says of its length.
pub(crate) async fn receive(
    store: &Arc<Store>,
    blobs: &Arc<dyn BlobStore>,
    mut claims: WriteClaims,
    announced: Option<u64>,
    body: Body,
    now: Timestamp,
) -> Result<Written> {
    let length = agreed(claims.length, announced)?;
    // A ticket can be used twice, an id cannot.
    claims.prepared.blob = BlobId::random();
    if !claims.prepared.exists {
        claims.prepared.node = NodeId::random();
    }
    let path = staged::path(store.uploads_dir(), &claims.prepared.space, &claims.prepared.blob);
    let inline = if blobs.is_remote() { None } else { Some(INLINE) };
    let (mut arrivals, mut put) = (None, None);
    if blobs.is_remote()
        && let Some(length) = length.filter(|length| *length > 0)
    {
        let (sender, arriving) = arriving(length);
        let (blobs, path) = (Arc::clone(blobs), path.clone());
        let (space, blob) = (claims.prepared.space.clone(), claims.prepared.blob.clone());
        arrivals = Some(sender);
        let store = Arc::clone(store);
        // A task of its own: when the client goes away, it takes back what it sent.
        put = Some(tokio::spawn(async move {
            let sent = blobs.put_arriving(&space, &blob, &path, arriving).await;
            if sent.is_err() {
                store.drops.abandon(&space, &blob);
            }
            sent
        }));
    }
    let stage = || Stager::begin(Arc::clone(store.fs()), path, arrivals);
    let received = tokio::select! {
        received = collect(body, length, inline, stage) => received?,
        error = failure(&mut put) => return Err(error),
    };
    if claims.checksum.as_ref().is_some_and(|expected| !expected.matches(received.checksums())) {
        return Err(Error::invalid("the content does not have the checksum that was announced"));
    }
    // A task of its own: when the client goes away now, nothing is left half done.
    tokio::spawn(finish(Arc::clone(store), Arc::clone(blobs), claims, (received, put), now))
        .await
        .map_err(stopped)?
}

/// Why a content that is not whole yet cannot be put; waits for ever where none is put.
async fn failure(put: &mut Option<JoinHandle<Result<()>>>) -> Error {
    let Some(put) = put else { return std::future::pending().await };
    let early = || Error::internal("a content was put before it was whole");
    put.await.map_err(stopped).flatten().err().unwrap_or_else(early)
}

/// The length that the ticket and the request announce.
pub(crate) fn agreed(claimed: Option<u64>, announced: Option<u64>) -> Result<Option<u64>> {
    match (claimed, announced) {
        (Some(one), Some(other)) if one != other => {
            Err(Error::invalid("the content does not have the length that was announced"))
        }
        (one, other) => Ok(one.or(other)),
    }
}

/// A content that arrived whole.
#[derive(Debug)]
enum Received {
    Inline(Bytes, Checksums),
    Staged(Staged),
}

impl Received {
    fn checksums(&self) -> &Checksums {
        match self {
            Self::Inline(_, checksums) => checksums,
            Self::Staged(staged) => &staged.checksums,
        }
    }
}

/// Reads the whole body: into memory if it is no longer than `inline`, else into a staged file.
async fn collect(
    mut body: Body,
    length: Option<u64>,
    inline: Option<u64>,
    stage: impl FnOnce() -> Stager,
) -> Result<Received> {
    let (mut size, mut short) = (0, Bytes::new());
    while inline.is_some_and(|most| size <= most && length.is_none_or(|length| length <= most)) {
        match next(&mut body, length, &mut size).await? {
            Some(bytes) if short.is_empty() => short = bytes,
            Some(bytes) => {
                let mut joined = BytesMut::from(short);
                joined.extend_from_slice(&bytes);
                short = joined.freeze();
            }
            None => return digested(short).await,
        }
    }
    let mut stager = stage().push(&short).await?;
    drop(short);
    while let Some(bytes) = next(&mut body, length, &mut size).await? {
        stager = stager.push(&bytes).await?;
    }
    Ok(Received::Staged(stager.finish().await?))
}

async fn digested(bytes: Bytes) -> Result<Received> {
    if bytes.len() <= DIGEST_HERE {
        let checksums = digest(&bytes);
        return Ok(Received::Inline(bytes, checksums));
    }
    spawn_blocking(move || {
        let checksums = digest(&bytes);
        Received::Inline(bytes, checksums)
    })
    .await
    .map_err(stopped)
}

/// The next bytes of the body, counted into `size`; none when it ended where it was to end.
async fn next(body: &mut Body, length: Option<u64>, size: &mut u64) -> Result<Option<Bytes>> {
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame?.into_data() else { continue };
        *size += bytes.len() as u64;
        if length.is_some_and(|length| *size > length) {
            return Err(Error::invalid("the content is longer than announced"));
        }
        if !bytes.is_empty() {
            return Ok(Some(bytes));
        }
    }
    if length.is_some_and(|length| *size < length) {
        return Err(Error::invalid("the content is shorter than announced"));
    }
    Ok(None)
}

/// Makes a received content visible.
async fn finish(
    store: Arc<Store>,
    blobs: Arc<dyn BlobStore>,
    claims: WriteClaims,
    (received, put): (Received, Option<JoinHandle<Result<()>>>),
    now: Timestamp,
) -> Result<Written> {
    let WriteClaims { prepared, conditions, mtime, caller, trace, .. } = claims;
    let cx = Cx { caller, deadline: None, trace, now };
    let checksums = *received.checksums();
    let commit = |prepared, size, content| CommitUpload {
        prepared,
        conditions,
        mtime,
        size,
        checksums,
        content,
    };
    let staged = match received {
        Received::Inline(bytes, _) => {
            let commit = commit(prepared, bytes.len() as u64, Content::Inline(bytes));
            return store.commit_upload(&cx, commit).await;
        }
        Received::Staged(staged) => staged,
    };
    let (space, blob, size) = (prepared.space.clone(), prepared.blob.clone(), staged.size);
    let path = staged.keep()?;
    let put = match put {
        Some(put) => put.await.map_err(stopped).flatten(),
        None => blobs.put(&space, &blob, &path).await,
    };
    let was_put = put.is_ok();
    let result = match put {
        Ok(()) => store.commit_upload(&cx, commit(prepared, size, Content::Staged)).await,
        Err(error) => Err(error),
    };
    // Only where it is certain that no record of the blob was written; otherwise the next opening
    // of the store knows, see `staged::sweep`.
    let refused = result.as_ref().is_err_and(|error| !was_put || refused(error.kind()));
    if refused && !store.has_failed() {
        let discarded = spawn_blocking(move || store.drops.discard(path, [(&space, &blob)]));
        if let Ok(Err(error)) = discarded.await {
            tracing::warn!(%error, "a refused content stays until the store is opened again");
        }
    }
    result
}

/// Whether an error means that the change was refused, and not that it broke off.
pub(crate) fn refused(kind: ErrorKind) -> bool {
    !matches!(kind, ErrorKind::Internal | ErrorKind::Unavailable | ErrorKind::DeadlineExceeded)
}
