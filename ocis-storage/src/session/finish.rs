//! A session whose bytes are all there: its content becomes a blob and is committed.

use std::path::Path;
use std::sync::Arc;

use ocis_core::data::Written;
use ocis_core::port::{ActOnSession, SessionAction};
use ocis_core::time::Timestamp;
use ocis_core::upload::UploadSession;
use ocis_core::{Cx, Error, Result};

use super::append::digest_file;
use super::blocking;
use super::board::{Held, Live};
use super::saved::Saved;
use crate::digest::Digester;
use crate::fs::Open;
use crate::journal::broken;
use crate::layout::paths;
use crate::store::{CommitUpload, Content, Store};
use crate::upload::{INLINE, refused};

/// Commits the content of a session that is whole. A refusal ends the session and leaves nothing;
/// where it is not certain that nothing was committed, the session stays.
///
/// To be run to its end: see [`super::unbroken`].
pub(super) async fn finish(
    store: Arc<Store>,
    held: Held,
    live: Live,
    now: Timestamp,
) -> Result<Written> {
    let Live { saved, offset: size, digester } = live;
    let path = store.root().join(paths::session(&saved.id));
    let is_inline = size <= INLINE && !store.blobs.is_remote();
    let (content, checksums) = {
        let (fs, path) = (Arc::clone(store.fs()), path.clone());
        blocking(move || {
            let file = fs.open(&path, Open::Read).map_err(broken)?;
            let digester: Digester = match digester {
                Some(digester) => digester,
                None => digest_file(&*file, size)?,
            };
            let content = match is_inline {
                true => Content::Inline(fs.read(&path).map_err(broken)?.into()),
                false => Content::Staged,
            };
            Ok((content, digester.finish()))
        })
        .await?
    };
    let caller = saved.ours.caller.clone();
    let cx = Cx { caller, ..Cx::new(ocis_core::Caller::Anonymous, now) };
    let expected = saved.checksum.as_ref();
    let result = if expected.is_some_and(|expected| !expected.matches(&checksums)) {
        Err(Error::invalid("the content does not have the checksum that was announced"))
    } else {
        let commit = CommitUpload {
            prepared: saved.prepared.clone(),
            conditions: saved.ours.conditions.clone(),
            mtime: saved.mtime,
            size,
            checksums,
            content,
        };
        publish(&store, &cx, commit, &path, saved.clone()).await
    };
    match &result {
        Ok(_) => store.sessions.forget(&saved.id),
        Err(error) if refused(error.kind()) && !store.has_failed() => {
            let live = Live { saved, offset: size, digester: None };
            if let Err(error) = store.end_session(&cx, held, live).await {
                tracing::warn!(?error, "a refused upload stays until it expires");
            }
        }
        Err(_) => {}
    }
    result
}

/// Makes a blob of the file at `path`, unless it is inline, and commits it.
async fn publish(
    store: &Arc<Store>,
    cx: &Cx,
    commit: CommitUpload,
    path: &Path,
    session: Saved,
) -> Result<Written> {
    if matches!(commit.content, Content::Staged) {
        store.blobs.put(&commit.prepared.space, &commit.prepared.blob, path).await?;
    }
    store.commit_session(cx, commit, session).await
}

/// Moves a session on by hand.
pub(super) async fn act(
    store: &Arc<Store>,
    cx: &Cx,
    request: ActOnSession,
) -> Result<UploadSession> {
    let (held, live) = store.take_session(&request.id).await?;
    let view = live.saved.view(live.offset);
    let (store, cx) = (Arc::clone(store), cx.clone());
    super::unbroken(async move {
        match request.action {
            SessionAction::Clean => store.end_session(&cx, held, live).await,
            SessionAction::Restart | SessionAction::Resume if live.is_whole() => {
                finish(store, held, live, cx.now).await.map(drop)
            }
            SessionAction::Restart | SessionAction::Resume => {
                held.keep(live);
                Err(Error::conflict("bytes of this upload are still to come"))
            }
        }
    })
    .await?;
    Ok(view)
}
