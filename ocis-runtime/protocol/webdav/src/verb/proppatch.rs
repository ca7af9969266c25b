//! PROPPATCH (RFC 4918 section 9.2): all of the changes or none.

use http::{HeaderValue, Response, StatusCode, header};
use ocis_core::checksum::ExpectedChecksum;
use ocis_core::data::{Body, full};
use ocis_core::node::Node;
use ocis_core::port::{SetMetadata, Stat};
use ocis_core::time::Timestamp;

use crate::error::Answer;
use crate::headers::{self, date, mtime};
use crate::props::Live;
use crate::service::Call;
use crate::verb::{body, guard, options};
use crate::xml::proppatch::{self, Change};
use crate::xml::{self, DAV, Name, write};

/// The longest value that is stored, in bytes of XML.
const MAX_VALUE: usize = 64 * 1024;

/// Why one change is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// The server alone decides about the property.
    Protected,
    /// The value means nothing.
    Nonsense,
    /// The value is too long.
    TooLong,
}

/// Changes properties.
pub(crate) async fn proppatch(call: &Call, content: Body) -> Answer {
    let changes = proppatch::read(&body::xml(content).await?)?;
    let conditions = guard::check(call).await?;
    let target = call.target.reference();
    let mut request = SetMetadata {
        target: target.clone(),
        set: Vec::new(),
        unset: Vec::new(),
        mtime: None,
        favorite: None,
        conditions,
    };
    let mut outcomes: Vec<_> = changes.iter().map(|change| apply(change, &mut request)).collect();
    if changes.iter().any(|change| checksums(change).is_some()) {
        let node = call.nodes().stat(call.cx(), Stat { target: target.clone() }).await?;
        for (change, outcome) in changes.iter().zip(&mut outcomes) {
            if checksums(change).is_some_and(|value| !agrees(value, &node)) {
                *outcome = Err(Refusal::Nonsense);
            }
        }
    }
    let node = if outcomes.iter().all(Result::is_ok) {
        call.nodes().set_metadata(call.cx(), request).await
    } else {
        call.nodes().stat(call.cx(), Stat { target }).await
    };
    let node = match node {
        Ok(node) => node,
        Err(error) => return Err(guard::explain(call, &call.target, error).await),
    };
    let href = call.target.url(node.is_folder());
    Ok(answer(&href, &changes, &outcomes))
}

/// Takes one change over into the request; later changes of the same property win.
fn apply(change: &Change, request: &mut SetMetadata) -> Result<(), Refusal> {
    let (name, value) = match change {
        Change::Set(name, value) => (name, Some(value.as_str())),
        Change::Remove(name) => (name, None),
    };
    match (Live::find(name), value) {
        (Some(Live::Favorite), value) => {
            request.favorite = Some(value.is_some_and(is_true));
            return Ok(());
        }
        (Some(Live::LastModified), Some(value)) => {
            request.mtime = Some(time(value).ok_or(Refusal::Nonsense)?);
            return Ok(());
        }
        // Whether it is true is asked when the file is known.
        (Some(Live::Checksums), Some(_)) => return Ok(()),
        (Some(_), _) => return Err(Refusal::Protected),
        (None, _) => {}
    }
    // How rclone sets the time of a file.
    if let (DAV, "lastmodified", Some(value)) = (name.ns.as_str(), name.local.as_str(), value) {
        request.mtime = Some(time(value).ok_or(Refusal::Nonsense)?);
        return Ok(());
    }
    let key = name.key();
    request.set.retain(|(other, _)| *other != key);
    request.unset.retain(|other| *other != key);
    match value {
        Some(value) if value.len() > MAX_VALUE => return Err(Refusal::TooLong),
        Some(value) => request.set.push((key, value.into())),
        None => request.unset.push(key),
    }
    Ok(())
}

/// The digests that a change sets. rclone sends those that it knows along with the time of a file;
/// they are taken when they are true.
fn checksums(change: &Change) -> Option<&str> {
    match change {
        Change::Set(name, value) if Live::find(name) == Some(Live::Checksums) => Some(value),
        _ => None,
    }
}

fn agrees(value: &str, node: &Node) -> bool {
    let text = xml::value::text(value);
    let mut sums = text.split_whitespace().map(str::parse::<ExpectedChecksum>);
    let known = node.info.checksums.as_ref();
    sums.all(|sum| sum.is_ok_and(|sum| known.is_some_and(|known| sum.matches(known))))
}

/// What ownCloud takes for a yes.
fn is_true(value: &str) -> bool {
    !matches!(value.trim(), "" | "0" | "false" | "no" | "off")
}

/// Seconds since 1970, or a date of HTTP.
fn time(value: &str) -> Option<Timestamp> {
    mtime::parse(value).ok().or_else(|| date::parse(value))
}

fn answer(href: &str, changes: &[Change], outcomes: &[Result<(), Refusal>]) -> Response<Body> {
    let failed = outcomes.iter().any(Result::is_err);
    let mut out = Vec::with_capacity(1024);
    write::raw(&mut out, xml::MULTISTATUS);
    write::raw(&mut out, "<d:response><d:href>");
    write::href(&mut out, href);
    write::raw(&mut out, "</d:href>");
    let mut groups: Vec<(&str, Vec<&Name>)> = Vec::new();
    for (change, outcome) in changes.iter().zip(outcomes) {
        let (Change::Set(name, _) | Change::Remove(name)) = change;
        let status = status(change, *outcome, failed);
        match groups.iter_mut().find(|(known, _)| *known == status) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => groups.push((status, vec![name])),
        }
    }
    for (status, names) in &groups {
        propstat(&mut out, names, status);
    }
    write::raw(&mut out, "</d:response></d:multistatus>");
    let mut response = Response::new(full(out));
    *response.status_mut() = StatusCode::MULTI_STATUS;
    let headers = response.headers_mut();
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"));
    headers.insert(headers::DAV, HeaderValue::from_static(options::CLASSES));
    response
}

/// When one change fails, those that would have been made fail with it.
fn status(change: &Change, outcome: Result<(), Refusal>, failed: bool) -> &'static str {
    match (outcome, change) {
        (Err(Refusal::Protected), _) => PROTECTED,
        (Err(Refusal::Nonsense), _) => "409 Conflict",
        (Err(Refusal::TooLong), _) => "507 Insufficient Storage",
        (Ok(()), _) if failed => "424 Failed Dependency",
        (Ok(()), Change::Set(..)) => "200 OK",
        // oCIS tells removals apart.
        (Ok(()), Change::Remove(_)) => "204 No Content",
    }
}

const PROTECTED: &str = "403 Forbidden";

fn propstat(out: &mut Vec<u8>, names: &[&Name], status: &str) {
    write::raw(out, "<d:propstat><d:prop>");
    for name in names {
        let (open, close) = write::tags(name);
        write::raw(out, &open);
        write::raw(out, &close);
    }
    write::raw(out, "</d:prop><d:status>HTTP/1.1 ");
    write::raw(out, status);
    write::raw(out, "</d:status>");
    if status == PROTECTED {
        write::raw(out, "<d:error><d:cannot-modify-protected-property/></d:error>");
    }
    write::raw(out, "</d:propstat>");
}
