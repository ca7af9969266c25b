//! PUT: new content for a new or an existing file.

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body::Body as _;
use ocis_core::Error;
use ocis_core::checksum::ExpectedChecksum;
use ocis_core::data::{Body, TICKET, Written};
use ocis_core::node::Node;
use ocis_core::port::OpenUpload;

use crate::error::{Answer, Failure};
use crate::headers::{self, mtime};
use crate::props;
use crate::service::{Call, bare, value};
use crate::verb::{body, get, guard};

/// Writes a file. The body is not touched before the storage has agreed to take it, so that a client
/// that waits for `100 Continue` is spared sending what is refused.
pub(crate) async fn put(call: &Call, content: Body) -> Answer {
    refuse_pieces(&call.headers)?;
    let conditions = guard::check(call).await?;
    let mtime = headers::text(&call.headers, &headers::X_OC_MTIME)?;
    let checksum = headers::text(&call.headers, &headers::OC_CHECKSUM)?;
    let open = OpenUpload {
        target: call.target.reference(),
        length: expected(&call.headers)?.or_else(|| content.size_hint().exact()),
        mtime: mtime.filter(|text| !text.is_empty()).map(mtime::parse).transpose()?,
        checksum: checksum
            .filter(|text| !text.is_empty())
            .map(str::parse::<ExpectedChecksum>)
            .transpose()?,
        conditions,
    };
    let is_timed = open.mtime.is_some();
    let ticket = match call.server.parts.uploads.open(call.cx(), open).await {
        Ok(upload) => upload.ticket,
        Err(error) => return Err(guard::explain(call, &call.target, error).await),
    };
    let response = body::transfer(&call.server.parts.data, request(&ticket, content)?).await?;
    let written: Written = body::json(response).await?;
    let status = if written.created { StatusCode::CREATED } else { StatusCode::NO_CONTENT };
    let mut response = bare(status);
    let answer = response.headers_mut();
    describe(answer, &written.node);
    if is_timed {
        answer.insert(headers::X_OC_MTIME, HeaderValue::from_static("accepted"));
    }
    Ok(response)
}

/// The length that the Finder announces for a body in chunks, which sometimes stays empty: that would
/// be taken for an empty file.
fn expected(headers: &HeaderMap) -> Answer<Option<u64>> {
    let Some(text) = headers::text(headers, &headers::X_EXPECTED_ENTITY_LENGTH)? else {
        return Ok(None);
    };
    let wrong = |_| Failure::bad_request("the header X-Expected-Entity-Length must be a number");
    text.parse().map(Some).map_err(wrong)
}

/// The headers that say what a file is after new content came.
pub(crate) fn describe(headers: &mut HeaderMap, node: &Node) {
    get::identify(headers, &node.info);
    let mut letters = Vec::with_capacity(16);
    props::letters(&mut letters, node);
    headers.insert(headers::OC_PERM, value(&String::from_utf8_lossy(&letters)));
}

/// Content in pieces would be taken for the whole content (RFC 9110 section 14.5).
fn refuse_pieces(headers: &HeaderMap) -> Answer<()> {
    for name in [header::CONTENT_RANGE, headers::OC_CHUNKED] {
        if headers.contains_key(&name) {
            return Err(Failure::new(
                StatusCode::NOT_IMPLEMENTED,
                format!("this server takes whole files only, without the header {name}"),
            ));
        }
    }
    Ok(())
}

fn request(ticket: &str, content: Body) -> Answer<Request<Body>> {
    let length = content.size_hint().exact();
    let mut request = Request::new(content);
    *request.method_mut() = Method::PUT;
    let ticket = HeaderValue::from_str(ticket).map_err(|cause| {
        Error::internal("the storage gave a ticket that cannot be sent").because(cause)
    })?;
    request.headers_mut().insert(TICKET, ticket);
    if let Some(length) = length {
        request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(request)
}
