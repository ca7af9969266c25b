//! The trash of a space: PROPFIND lists it, MOVE brings back, DELETE removes for good.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use ocis_core::data::Body;
use ocis_core::node::NodeKind;
use ocis_core::port::{Cursor, ListTrash, PageRequest, PurgeTrash, RestoreTrash};
use ocis_core::trash::{Collision, TrashItem};

use crate::error::{Answer, Condition, Failure};
use crate::headers::{self, Depth};
use crate::service::{Call, bare};
use crate::verb::{body, copy_move, guard, options};
use crate::xml::propfind::{self, Wanted};
use crate::xml::{DAV, Name, OC, write};

/// How many items are asked for at once.
const PAGE: u32 = 1000;

/// What oCIS begins with here.
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><d:multistatus xmlns:d=\"DAV:\" \
    xmlns:s=\"http://sabredav.org/ns\" xmlns:oc=\"http://owncloud.org/ns\">";

/// Answers for the trash of the target's space, or for what `key` names in it.
pub(crate) async fn answer(
    call: &Call,
    key: Option<String>,
    method: &Method,
    content: Body,
) -> Answer {
    match (method.as_str(), key) {
        ("PROPFIND", key) => list(call, key, content).await,
        ("MOVE", Some(key)) => restore(call, key).await,
        ("DELETE", key) => {
            let request = PurgeTrash { space: call.target.base.clone(), key, before: None };
            call.server.parts.trash.purge(call.cx(), request).await?;
            Ok(bare(StatusCode::NO_CONTENT))
        }
        _ => Err(Failure::new(StatusCode::NOT_IMPLEMENTED, "the trash knows no such method")),
    }
}

/// Brings back to where the header `Destination` says, within the space.
async fn restore(call: &Call, key: String) -> Answer {
    let overwrite = headers::overwrite(&call.headers)?;
    let to = copy_move::destination(call).await?;
    let (one, other) = (&call.target.base, &to.base);
    if one.space != other.space || one.storage != other.storage {
        return Err(copy_move::elsewhere("what was deleted comes back to its own space only"));
    }
    let lock_tokens = guard::check(call).await?.lock_tokens;
    let collision = if overwrite { Collision::Replace } else { Collision::Refuse };
    let (space, target) = (call.target.base.clone(), Some(to.reference()));
    let request = RestoreTrash { space, key, to: target, collision, lock_tokens };
    match call.server.parts.trash.restore(call.cx(), request).await {
        Ok(changed) => Ok(copy_move::done(&changed)),
        Err(error) => Err(guard::explain(call, &to, error).await),
    }
}

async fn list(call: &Call, key: Option<String>, content: Body) -> Answer {
    let depth = headers::depth(&call.headers, Depth::One)?;
    if depth == Depth::Infinity {
        let message = "the depth infinity is not allowed here";
        return Err(Failure::not_allowed(options::ALLOW_TRASH, message)
            .with(Condition::Named("propfind-finite-depth")));
    }
    let wanted = propfind::read(&body::xml(content).await?)?;
    let mut listing = Listing {
        call: call.clone(),
        key,
        wanted: Arc::new(wanted),
        next: (depth == Depth::One).then_some(None),
    };
    let mut first = Vec::new();
    write::raw(&mut first, HEAD);
    listing.itself(&mut first);
    // Asked for before the answer begins, so that what fails has a status.
    listing.page(&mut first).await?;
    let mut response = Response::new(stream(first, listing));
    *response.status_mut() = StatusCode::MULTI_STATUS;
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"));
    answer.insert(headers::DAV, HeaderValue::from_static(options::CLASSES));
    Ok(response)
}

fn stream(first: Vec<u8>, listing: Listing) -> Body {
    let state = Some((first, listing));
    let stream = futures::stream::unfold(state, |state| async move {
        let (out, mut listing) = state?;
        if out.is_empty() {
            return None;
        }
        let mut next = Vec::new();
        match listing.page(&mut next).await {
            Ok(()) => Some((Ok(Frame::data(Bytes::from(out))), Some((next, listing)))),
            Err(failure) => {
                let error = ocis_core::Error::internal("a listing of the trash broke off");
                tracing::warn!(?failure, "a listing of the trash broke off");
                Some((Err(error), None))
            }
        }
    });
    StreamBody::new(stream).boxed_unsync()
}

/// An answer being written.
struct Listing {
    call: Call,
    key: Option<String>,
    wanted: Arc<Wanted>,
    /// Where the next page begins; none after the last.
    next: Option<Option<Cursor>>,
}

impl Listing {
    /// The trash, or the folder in it that is listed.
    fn itself(&self, out: &mut Vec<u8>) {
        write::raw(out, "<d:response><d:href>");
        let mut url = format!("{}/", self.call.target.prefix);
        if let Some(key) = &self.key {
            url.push_str(key);
            url.push('/');
        }
        write::href(out, &url);
        write::raw(
            out,
            "</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop>\
             <d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop>\
             <oc:trashbin-original-filename></oc:trashbin-original-filename>\
             <oc:trashbin-original-location></oc:trashbin-original-location>\
             <oc:trashbin-delete-datetime></oc:trashbin-delete-datetime>\
             <d:getcontentlength></d:getcontentlength></d:prop>\
             <d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>",
        );
        if self.next.is_none() {
            write::raw(out, "</d:multistatus>");
        }
    }

    /// Appends the next page, and the end after the last.
    async fn page(&mut self, out: &mut Vec<u8>) -> Answer<()> {
        let Some(cursor) = self.next.take() else { return Ok(()) };
        let request = ListTrash {
            space: self.call.target.base.clone(),
            key: self.key.clone(),
            page: PageRequest { cursor, limit: PAGE },
        };
        let page = self.call.server.parts.trash.list(self.call.cx(), request).await?;
        for item in &page.items {
            self.item(out, item);
        }
        match page.next {
            Some(next) => self.next = Some(Some(next)),
            None => write::raw(out, "</d:multistatus>"),
        }
        Ok(())
    }

    fn item(&self, out: &mut Vec<u8>, item: &TrashItem) {
        write::raw(out, "<d:response><d:href>");
        let slash = if item.kind == NodeKind::Folder { "/" } else { "" };
        write::href(out, &format!("{}/{}{slash}", self.call.target.prefix, item.key));
        write::raw(out, "</d:href><d:propstat><d:prop>");
        let all: Vec<Name>;
        let (names, is_all) = match &*self.wanted {
            Wanted::These(names) => (names, false),
            Wanted::All(_) | Wanted::Names => {
                all = ALL.iter().map(|(ns, local)| name(ns, local)).collect();
                (&all, true)
            }
        };
        let mut missing = Vec::new();
        for name in names {
            let (open, close) = write::tags(name);
            let before = out.len();
            write::raw(out, &open);
            let inside = out.len();
            if self.value(out, name, item) {
                if *self.wanted == Wanted::Names {
                    out.truncate(inside);
                }
                write::raw(out, &close);
            } else {
                out.truncate(before);
                missing.push((open, close));
            }
        }
        write::raw(out, "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>");
        if !is_all {
            write::raw(out, "<d:propstat><d:prop>");
            for (open, close) in missing {
                write::raw(out, &open);
                write::raw(out, &close);
            }
            write::raw(out, "</d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>");
        }
        write::raw(out, "</d:response>");
    }

    /// Appends the value of a property; false when the item has none.
    fn value(&self, out: &mut Vec<u8>, name: &Name, item: &TrashItem) -> bool {
        let is_folder = item.kind == NodeKind::Folder;
        match (name.ns.as_str(), name.local.as_str()) {
            (OC, "trashbin-original-filename") => write::text(out, &item.name),
            (OC, "trashbin-original-location") => write::text(out, item.origin.as_str()),
            (OC, "trashbin-delete-timestamp") => {
                write::raw(out, &item.deleted.unix_seconds().to_string());
            }
            (OC, "trashbin-delete-datetime") => {
                let time = item.deleted.date_time();
                write::raw(out, &time.format("%a, %d %b %Y %H:%M:%S +0000").to_string());
            }
            (OC, "spaceid") => write::text(out, &self.call.target.base.space_id()),
            (OC, "size") => write::number(out, item.size),
            (DAV, "getcontentlength") if !is_folder => write::number(out, item.size),
            (DAV, "resourcetype") if is_folder => write::raw(out, "<d:collection/>"),
            (DAV, "resourcetype") => {}
            _ => return false,
        }
        true
    }
}

/// What `allprop` stands for.
const ALL: [(&str, &str); 8] = [
    (OC, "trashbin-original-filename"),
    (OC, "trashbin-original-location"),
    (OC, "trashbin-delete-timestamp"),
    (OC, "trashbin-delete-datetime"),
    (OC, "spaceid"),
    (OC, "size"),
    (DAV, "getcontentlength"),
    (DAV, "resourcetype"),
];

fn name(ns: &str, local: &str) -> Name {
    Name { ns: ns.into(), local: local.into() }
}
