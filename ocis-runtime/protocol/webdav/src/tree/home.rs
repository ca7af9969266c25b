//! The personal spaces behind `/webdav` and `/dav/files/{user}`.

use std::collections::HashMap;

use ocis_core::id::{ResourceId, UserId};
use ocis_core::port::{ListSpaces, PageRequest};
use ocis_core::space::SpaceKind;
use ocis_core::{Cx, Error};
use parking_lot::RwLock;

use crate::error::Answer;
use crate::service::Server;

/// How many personal spaces are remembered; when there are more, all are forgotten.
const MAX_KNOWN: usize = 10_000;

/// Remembers where the personal spaces of callers are: a personal space never moves, and one that
/// is gone is found out by the call that follows.
#[derive(Debug, Default)]
pub(crate) struct Homes {
    known: RwLock<HashMap<UserId, ResourceId>>,
}

impl Homes {
    /// The root of the caller's personal space. With a name, only when the caller has that name or
    /// id: the files of others are not found here (oCIS).
    pub(crate) async fn of(
        &self,
        server: &Server,
        cx: &Cx,
        name: Option<&str>,
    ) -> Answer<ResourceId> {
        let caller = cx.caller.identity()?;
        let is_caller =
            |name: &str| name.eq_ignore_ascii_case(&caller.username) || name == caller.id.as_str();
        if !name.is_none_or(is_caller) {
            return Err(Error::not_found("no such file or folder").into());
        }
        if let Some(root) = self.known.read().get(&caller.id) {
            return Ok(root.clone());
        }
        let request = ListSpaces {
            kind: Some(SpaceKind::Personal),
            owner: Some(caller.id.clone()),
            page: PageRequest { cursor: None, limit: 1 },
            ..ListSpaces::default()
        };
        let page = server.parts.spaces.list(cx, request).await?;
        let Some(space) = page.items.into_iter().find(|space| space.disabled.is_none()) else {
            return Err(Error::not_found("you have no personal space").into());
        };
        let mut known = self.known.write();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(caller.id.clone(), space.root.clone());
        Ok(space.root)
    }
}
