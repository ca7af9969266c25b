//! GET and HEAD (RFC 9110 section 9.3).

use std::ops::RangeInclusive;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use ocis_core::data::{Body, TICKET, empty};
use ocis_core::media_type;
use ocis_core::node::{Node, NodeInfo};
use ocis_core::port::{OpenRead, Stat};
use ocis_core::{Error, ErrorKind};

use crate::error::{Answer, Failure};
use crate::headers::{self, conditions, date, range};
use crate::props;
use crate::service::{Call, bare, value};
use crate::verb::{body, guard, multipart};

/// Sends the content of a file. A folder has none: 200 with an empty body (oCIS).
pub(crate) async fn get(call: &Call) -> Answer {
    guard::check(call).await?;
    let target = call.target.reference();
    let read = call.nodes().open_read(call.cx(), OpenRead { target }).await?;
    send(call, &read.node, &read.ticket).await
}

/// Sends what a ticket stands for, as the content of `node`.
pub(crate) async fn send(call: &Call, node: &Node, ticket: &str) -> Answer {
    let info = &*node.info;
    if conditions::is_fresh(&call.headers, info)? {
        return Ok(not_modified(info));
    }
    if node.is_folder() {
        return Ok(described(StatusCode::OK, node, empty()));
    }
    let ranges = match wanted(call, info) {
        Ok(ranges) => ranges,
        Err(failure) => return Ok(unsatisfied(failure, info.size)),
    };
    match ranges.as_deref() {
        None => {
            let content = content(call, ticket, None).await?;
            let mut response = described(StatusCode::OK, node, content);
            length(response.headers_mut(), info.size);
            Ok(response)
        }
        Some([range]) => {
            let content = content(call, ticket, Some(range)).await?;
            let mut response = described(StatusCode::PARTIAL_CONTENT, node, content);
            length(response.headers_mut(), range.end() - range.start() + 1);
            let part = content_range(range, info.size);
            response.headers_mut().insert(header::CONTENT_RANGE, value(&part));
            Ok(response)
        }
        Some(ranges) => {
            let parts = multipart::Parts::new(ranges, media_type::of(&info.name), info.size);
            let media = value(&parts.media());
            let size = parts.len();
            let content = parts.into_body(call.clone(), ticket.to_owned());
            let mut response = described(StatusCode::PARTIAL_CONTENT, node, content);
            response.headers_mut().insert(header::CONTENT_TYPE, media);
            length(response.headers_mut(), size);
            Ok(response)
        }
    }
}

/// Describes a file without its content.
pub(crate) async fn head(call: &Call) -> Answer {
    guard::check(call).await?;
    let target = call.target.reference();
    let node = call.nodes().stat(call.cx(), Stat { target }).await?;
    if node.info.processing.is_some() {
        return Err(Error::new(ErrorKind::TooEarly, "the file is still being processed").into());
    }
    describe(call, &node)
}

/// The answer of HEAD for the content of `node`.
pub(crate) fn describe(call: &Call, node: &Node) -> Answer {
    if conditions::is_fresh(&call.headers, &node.info)? {
        return Ok(not_modified(&node.info));
    }
    let mut response = described(StatusCode::OK, node, empty());
    if !node.is_folder() {
        length(response.headers_mut(), node.info.size);
    }
    Ok(response)
}

/// The headers that say which state of which node an answer is about.
pub(crate) fn identify(headers: &mut HeaderMap, node: &NodeInfo) {
    let etag = value(node.etag.as_str());
    headers.insert(header::ETAG, etag.clone());
    headers.insert(headers::OC_ETAG, etag);
    headers.insert(headers::OC_FILE_ID, value(&node.id.to_string()));
    headers.insert(header::LAST_MODIFIED, value(&date::format(node.mtime)));
}

fn wanted(call: &Call, info: &NodeInfo) -> Answer<Option<Vec<RangeInclusive<u64>>>> {
    if !conditions::range_counts(&call.headers, info) {
        return Ok(None);
    }
    range::parse(headers::text(&call.headers, &header::RANGE)?, info.size)
}

/// The content, or a range of it, from the data plane.
pub(crate) async fn content(
    call: &Call,
    ticket: &str,
    range: Option<&RangeInclusive<u64>>,
) -> Answer<Body> {
    let mut request = Request::new(empty());
    let ticket = HeaderValue::from_str(ticket).map_err(|cause| {
        Error::internal("the storage gave a ticket that cannot be sent").because(cause)
    })?;
    request.headers_mut().insert(TICKET, ticket);
    if let Some(range) = range {
        let range = format!("bytes={}-{}", range.start(), range.end());
        request.headers_mut().insert(header::RANGE, value(&range));
    }
    let response = body::transfer(&call.server.parts.data, request).await?;
    // The whole would be taken for the range.
    if range.is_some() && response.status() != StatusCode::PARTIAL_CONTENT {
        return Err(Error::internal("the storage did not keep to the range").into());
    }
    Ok(response.into_body())
}

/// The value of `Content-Range`.
pub(crate) fn content_range(range: &RangeInclusive<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start(), range.end())
}

fn length(headers: &mut HeaderMap, bytes: u64) {
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
}

fn not_modified(info: &NodeInfo) -> Response<Body> {
    let mut response = bare(StatusCode::NOT_MODIFIED);
    identify(response.headers_mut(), info);
    response
}

fn unsatisfied(failure: Failure, size: u64) -> Response<Body> {
    let mut response = failure.into_response();
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        response.headers_mut().insert(header::CONTENT_RANGE, value(&format!("bytes */{size}")));
    }
    response
}

fn described(status: StatusCode, node: &Node, content: Body) -> Response<Body> {
    let info = &*node.info;
    let mut response = Response::new(content);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    identify(headers, info);
    let mut set = |name: HeaderName, text: &str| headers.insert(name, value(text));
    let mut letters = Vec::with_capacity(16);
    props::letters(&mut letters, node);
    set(headers::OC_PERM, &String::from_utf8_lossy(&letters));
    if node.is_folder() {
        return response;
    }
    set(header::CONTENT_TYPE, media_type::of(&info.name));
    set(header::ACCEPT_RANGES, "bytes");
    set(header::CONTENT_DISPOSITION, &disposition(&info.name));
    if let Some(sums) = &info.checksums {
        set(headers::OC_CHECKSUM, &format!("SHA1:{}", ocis_core::checksum::hex(&sums.sha1)));
    }
    response
}

/// Always a download: a page that somebody stored must not run with this server's origin.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if (' '..='~').contains(&c) && !matches!(c, '"' | '\\') { c } else { '_' })
        .collect();
    let extended = percent_encoding::utf8_percent_encode(name, EXTENDED);
    format!("attachment; filename*=UTF-8''{extended}; filename=\"{plain}\"")
}

/// What RFC 8187 does not allow as it is.
const EXTENDED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_downloads() {
        for (name, header) in [
            ("a.txt", "attachment; filename*=UTF-8''a.txt; filename=\"a.txt\""),
            (
                "é \"x\";.txt",
                "attachment; filename*=UTF-8''%C3%A9%20%22x%22%3B.txt; filename=\"_ _x_;.txt\"",
            ),
        ] {
            assert_eq!(disposition(name), header);
        }
    }
}
