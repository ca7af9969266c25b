//! The sessions of a store, those that oCIS left behind as well.

use ocis_core::Result;
use ocis_core::port::{Cursor, ListSessions, Page};
use ocis_core::time::Timestamp;
use ocis_core::upload::{SessionId, UploadSession};

use crate::journal::broken;
use crate::store::Store;

/// The ids of all sessions, sorted; blocking.
pub(super) fn ids(store: &Store) -> Result<Vec<SessionId>> {
    let entries = store.fs().read_dir(store.uploads_dir()).map_err(broken)?;
    let names = entries.iter().filter_map(|entry| entry.name.strip_suffix(".info"));
    let mut ids: Vec<_> = names.filter_map(|name| SessionId::parse(name).ok()).collect();
    ids.sort();
    Ok(ids)
}

/// A page of the sessions that pass the filters, in the order of their ids; blocking.
pub(super) fn page(
    store: &Store,
    request: &ListSessions,
    now: Timestamp,
) -> Result<Page<UploadSession>> {
    let after = request.page.cursor.as_ref().map(|cursor| cursor.0.as_str());
    let limit = request.page.limit.clamp(1, 10_000) as usize;
    let mut items: Vec<UploadSession> = Vec::new();
    let mut next = None;
    for id in ids(store)?.into_iter().filter(|id| after.is_none_or(|after| id.as_str() > after)) {
        if request.id.as_ref().is_some_and(|wanted| *wanted != id) {
            continue;
        }
        if items.len() == limit {
            next = items.last().map(|last| Cursor(last.id.to_string()));
            break;
        }
        // One that ended meanwhile, or is damaged, must not hide the others.
        let (saved, offset) = match store.read_session(&id) {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(?error, %id, "left out of the list of uploads");
                continue;
            }
        };
        let view = saved.view(offset);
        let has_virus = view.scan.as_ref().is_some_and(|scan| !scan.found.is_empty());
        let passes = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        if passes(request.processing, view.processing.is_some())
            && passes(request.expired, saved.is_expired(now))
            && passes(request.has_virus, has_virus)
        {
            items.push(view);
        }
    }
    Ok(Page { items, next })
}
