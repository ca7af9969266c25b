//! Moving a session out of the state that it is in, by hand.

use std::sync::Arc;

use ocis_core::port::{ActOnSession, SessionAction};
use ocis_core::upload::UploadSession;
use ocis_core::{Cx, Error, Result};

use super::board::{Held, Live};
use super::saved::{Progress, Stage};
use super::{finish, unbroken};
use crate::layout::paths;
use crate::store::{Ending, Store};

/// Does what is asked for; gives the session as it is then, or was.
pub(super) async fn act(
    store: &Arc<Store>,
    cx: &Cx,
    request: ActOnSession,
) -> Result<UploadSession> {
    let (held, live) = store.take_session(&request.id).await?;
    let (shared, cx) = (Arc::clone(store), cx.clone());
    let is_clean = request.action == SessionAction::Clean;
    let before = live.saved.view(live.offset);
    let work = async move {
        if is_clean {
            give_up(&shared, &cx, held, live).await
        } else {
            go_on(shared, cx, held, live, request.action).await
        }
    };
    unbroken(work).await?;
    match store.read_session(&request.id) {
        Ok((saved, offset)) if !is_clean => Ok(saved.view(offset)),
        _ => Ok(before),
    }
}

/// The file is as it was before, and the bytes are gone.
pub(super) async fn give_up(store: &Arc<Store>, cx: &Cx, held: Held, live: Live) -> Result<()> {
    let is_shown = match live.saved.ours.stage {
        Stage::Processing(_) => true,
        Stage::Receiving | Stage::GivenUp(_) => store.is_shown(cx, &live.saved)?,
    };
    if is_shown {
        return store.settle_session(cx, held, live.saved, Ending::Reverted { keep: false }).await;
    }
    store.end_session(cx, held, live).await
}

/// Goes on with the step that was under way, or begins with the first one.
async fn go_on(
    store: Arc<Store>,
    cx: Cx,
    held: Held,
    mut live: Live,
    action: SessionAction,
) -> Result<()> {
    if !live.is_whole() {
        held.keep(live);
        return Err(Error::conflict("bytes of this upload are still to come"));
    }
    let first = store.options.processing.first();
    let again = |progress: Progress| Progress {
        step: if action == SessionAction::Restart { first.clone() } else { progress.step },
        failures: 0,
        run: progress.run + 1,
        ..progress
    };
    match live.saved.ours.stage.clone() {
        Stage::Processing(progress) => {
            live.saved.ours.stage = Stage::Processing(again(progress));
            let id = live.saved.id.clone();
            store.settle_session(&cx, held, live.saved, Ending::Later).await?;
            store.sessions.push(id);
            Ok(())
        }
        Stage::Receiving if store.is_shown(&cx, &live.saved)? => {
            store.adopt_session(&cx, held, live).await
        }
        Stage::Receiving => finish::finish(store, held, live, cx.now).await.map(drop),
        Stage::GivenUp(progress) => {
            live.saved.ours.stage = Stage::GivenUp(again(progress));
            finish::finish(store, held, live, cx.now).await.map(drop)
        }
    }
}

impl Store {
    /// Whether a file shows the content of a session that is not processed here: oCIS left it so.
    pub(super) fn is_shown(&self, cx: &Cx, saved: &super::saved::Saved) -> Result<bool> {
        if saved.is_ours {
            return Ok(false);
        }
        self.look(cx, |change| change.shows(saved))
    }

    /// Goes on with a content that oCIS was processing. It has no blob there yet.
    pub(super) async fn adopt_session(
        self: &Arc<Self>,
        cx: &Cx,
        held: Held,
        mut live: Live,
    ) -> Result<()> {
        let (id, space) = (live.saved.id.clone(), live.saved.prepared.space.clone());
        self.blobs.put(&space, &id, &self.root().join(paths::session(&id))).await?;
        let step = self.options.processing.first();
        live.saved.ours.stage =
            Stage::Processing(Progress { step, failures: 0, since: cx.now, run: 0 });
        self.settle_session(cx, held, live.saved, Ending::Later).await?;
        self.sessions.push(id);
        Ok(())
    }
}
