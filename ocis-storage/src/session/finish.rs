//! A session whose bytes are all there: its content becomes a blob and is committed.

use std::path::Path;
use std::sync::Arc;

use ocis_core::data::Written;
use ocis_core::time::Timestamp;
use ocis_core::{Cx, Error, Result};

use super::append::digest_file;
use super::blocking;
use super::board::{Held, Live};
use super::saved::{Progress, Saved, Stage};
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
    let Live { mut saved, offset: size, digester } = live;
    let is_by_hand = !saved.is_ours || matches!(saved.ours.stage, Stage::GivenUp(_));
    let (step, run) = match saved.ours.stage {
        Stage::GivenUp(progress) => (progress.step, progress.run),
        _ => (store.options.processing.first(), 0),
    };
    // Nothing can be wrong with no bytes.
    let is_processed = size > 0 && !store.options.processing.steps.is_empty();
    let stage = match is_processed {
        true => Stage::Processing(Progress { step, failures: 0, since: now, run }),
        false => Stage::Receiving,
    };
    saved.ours.stage = stage;
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
        Ok(_) if is_processed => {
            drop(held);
            store.sessions.push(saved.id);
        }
        Ok(_) => store.sessions.forget(&saved.id),
        // What somebody tries by hand stays for another time.
        Err(error) if refused(error.kind()) && !store.has_failed() && !is_by_hand => {
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
