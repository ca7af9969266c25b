//! PROPFIND (RFC 4918 section 9.1): what a file, a folder's children, or a whole tree are like.
//!
//! The answer is written while the listing is read: pages of the port go into one buffer, and the
//! buffer goes out whenever it is full. A request holds one page for every level it is in, whatever
//! the size of the folder. When a page fails after the answer has begun, the body breaks off, which
//! every client notices: half an XML document does not parse.

use std::sync::Arc;
use std::vec;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use ocis_core::data::{Body, full};
use ocis_core::node::Node;
use ocis_core::port::{Cursor, FindUser, GetSpace, List, PageRequest, Stat};
use ocis_core::reference::Reference;
use ocis_core::{Error, ErrorKind};

use crate::error::{Answer, Condition, Failure};
use crate::headers::{self, Depth};
use crate::props::{Facts, Live, Plan, own};
use crate::service::Call;
use crate::tus;
use crate::verb::{body, guard, options};
use crate::xml::{self, propfind, write};

/// How much is gathered before it is sent, in bytes.
const CHUNK: usize = 64 * 1024;
/// How many children are asked for at once: of one folder, and of each level of a tree.
const PAGE: u32 = 1000;
const TREE_PAGE: u32 = 128;

/// Answers with the properties of a node and of what is below it.
pub(crate) async fn propfind(call: &Call, content: Body) -> Answer {
    // oCIS takes a missing header for 1, where the RFC has infinity.
    let depth = headers::depth(&call.headers, Depth::One)?;
    if depth == Depth::Infinity && !call.server.parts.options.allow_depth_infinity {
        return Err(Failure::not_allowed(options::ALLOW, "the depth infinity is not allowed here")
            .with(Condition::Named("propfind-finite-depth")));
    }
    let minimal = headers::wants_minimal(&call.headers);
    let wanted = propfind::read(&body::xml(content).await?)?;
    guard::check(call).await?;
    let target = call.target.reference();
    let node = call.nodes().stat(call.cx(), Stat { target }).await?;
    let is_folder = node.is_folder();
    let plan = Plan::new(&wanted, minimal);
    let facts = facts(call, &plan, &node).await?;
    let mut listing = Listing::new(call.clone(), plan, facts, depth, node);
    // The first chunk is made before the answer begins: what fails here has a status, and a short
    // answer has a length.
    let first = listing.chunk().await?;
    let mut response = Response::new(match first {
        Some(first) if listing.is_done => full(first),
        first => stream(first, listing),
    });
    *response.status_mut() = StatusCode::MULTI_STATUS;
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"));
    answer.insert(headers::DAV, HeaderValue::from_static(options::CLASSES));
    answer.insert(header::VARY, HeaderValue::from_static("Prefer"));
    if is_folder {
        tus::announce(answer);
    }
    if minimal {
        answer.insert(headers::PREFERENCE_APPLIED, HeaderValue::from_static("return=minimal"));
    }
    Ok(response)
}

fn stream(first: Option<Bytes>, listing: Listing) -> Body {
    let state = (first, Some(listing));
    let stream = futures::stream::unfold(state, |(first, listing)| async move {
        if let Some(first) = first {
            return Some((Ok(Frame::data(first)), (None, listing)));
        }
        let mut listing = listing?;
        match listing.chunk().await {
            Ok(Some(chunk)) => Some((Ok(Frame::data(chunk)), (None, Some(listing)))),
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(%error, "a listing broke off");
                Some((Err(error), (None, None)))
            }
        }
    });
    StreamBody::new(stream).boxed_unsync()
}

/// Looks up what the plan needs beside the nodes, once.
async fn facts(call: &Call, plan: &Plan, node: &Node) -> Answer<Facts> {
    let parts = &call.server.parts;
    let available = if plan.wants(Live::QuotaAvailable) {
        let space = node.info.id.clone();
        parts.spaces.get(call.cx(), GetSpace { space }).await?.quota.remaining
    } else {
        None
    };
    let owner = if plan.wants(Live::OwnerId) || plan.wants(Live::OwnerDisplayName) {
        owner(call, node).await?
    } else {
        None
    };
    Ok(Facts {
        cx: call.cx.clone(),
        links: call.target.links(node),
        private: format!("{}/f/", parts.options.url.trim_end_matches('/')),
        available,
        owner,
    })
}

async fn owner(call: &Call, node: &Node) -> Answer<Option<(String, String)>> {
    if let Ok(identity) = call.cx.caller.identity()
        && let Some(names) = own(identity, node)
    {
        return Ok(Some(names));
    }
    let Some(id) = &node.info.owner else { return Ok(None) };
    match call.server.parts.users.find(call.cx(), FindUser::Id(id.clone())).await {
        Ok(user) => Ok(Some((user.username, user.display_name))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A folder whose children are being written.
struct Level {
    folder: Reference,
    /// Its URL, percent-encoded and escaped, with a slash at its end.
    href: Arc<[u8]>,
    page: vec::IntoIter<Node>,
    /// Where the next page begins; none after the last.
    next: Option<Option<Cursor>>,
}

/// An answer being written.
struct Listing {
    call: Call,
    plan: Plan,
    facts: Facts,
    depth: Depth,
    levels: Vec<Level>,
    out: Vec<u8>,
    /// Scratch: the URL of the node at hand.
    href: Vec<u8>,
    is_done: bool,
}

impl Listing {
    fn new(call: Call, plan: Plan, facts: Facts, depth: Depth, node: Node) -> Self {
        let mut href = Vec::new();
        write::href(&mut href, &call.target.url(node.is_folder()));
        let mut listing = Self {
            call,
            plan,
            facts,
            depth,
            levels: Vec::new(),
            out: Vec::with_capacity(if depth == Depth::Zero { 4096 } else { CHUNK + CHUNK / 4 }),
            href,
            is_done: false,
        };
        write::raw(&mut listing.out, xml::MULTISTATUS);
        listing.write(&node);
        if depth != Depth::Zero && node.is_folder() {
            listing.enter(&node);
        }
        listing
    }

    /// The next piece of the answer; none after the last.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if self.is_done {
            return Ok(None);
        }
        while self.out.len() < CHUNK {
            let Some(level) = self.levels.last_mut() else {
                write::raw(&mut self.out, "</d:multistatus>");
                self.is_done = true;
                break;
            };
            if let Some(node) = level.page.next() {
                self.href.clear();
                self.href.extend_from_slice(&level.href);
                self.child(&node);
            } else if level.next.is_some() {
                self.turn().await?;
            } else {
                self.levels.pop();
            }
        }
        // Nothing comes after the last.
        let room = if self.is_done { 0 } else { CHUNK + CHUNK / 4 };
        Ok(Some(std::mem::replace(&mut self.out, Vec::with_capacity(room)).into()))
    }

    fn child(&mut self, node: &Node) {
        write::href(&mut self.href, &node.info.name);
        if node.is_folder() {
            self.href.push(b'/');
        }
        self.write(node);
        if self.depth == Depth::Infinity && node.is_folder() {
            self.enter(node);
        }
    }

    fn write(&mut self, node: &Node) {
        self.plan.response(&mut self.out, &self.href, node, &self.facts);
    }

    fn enter(&mut self, folder: &Node) {
        self.levels.push(Level {
            folder: Reference::node(folder.info.id.clone()),
            href: self.href.as_slice().into(),
            page: Vec::new().into_iter(),
            next: Some(None),
        });
    }

    /// Fetches the next page of the innermost folder. One that has gone meanwhile, or that the
    /// caller may not list, is left out as oCIS does, unless it is the one that was asked for.
    async fn turn(&mut self) -> Result<(), Error> {
        let is_first = self.levels.len() == 1;
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        let limit = if self.depth == Depth::Infinity { TREE_PAGE } else { PAGE };
        let cursor = level.next.take().flatten();
        let request = List { target: level.folder.clone(), page: PageRequest { cursor, limit } };
        match self.call.nodes().list(self.call.cx(), request).await {
            Ok(page) => {
                level.page = page.items.into_iter();
                level.next = page.next.map(Some);
                Ok(())
            }
            Err(error)
                if !is_first
                    && matches!(
                        error.kind(),
                        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::Conflict
                    ) =>
            {
                self.levels.pop();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
