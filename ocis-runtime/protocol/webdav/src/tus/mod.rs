//! Resumable uploads: tus 1.0.0 with the extensions creation, creation-with-upload, checksum,
//! expiration and termination, on the URLs of oCIS.
//!
//! An upload is begun with a `POST` to the folder ([`create`]) and goes on at `/data/<ticket>`
//! ([`gateway`]), where the ticket is all that is asked for: clients of tus send no credentials
//! there. What an upload holds, and what becomes of it, is the storage's.

pub(crate) mod create;
pub(crate) mod gateway;
mod metadata;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use ocis_core::Error;
use ocis_core::data::{
    Body, HttpService, TICKET, UPLOAD_CHECKSUM, UPLOAD_EXPIRES, UPLOAD_OFFSET, Written,
};

use crate::error::{Answer, Failure};
use crate::headers::{self, TUS_RESUMABLE};
use crate::verb::{body, put};

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
/// As in oCIS, which does not name `termination`.
const EXTENSIONS: HeaderValue =
    HeaderValue::from_static("creation,creation-with-upload,checksum,expiration");
const ALGORITHMS: HeaderValue = HeaderValue::from_static("md5,sha1,crc32");
/// The type of the bytes of an upload.
const BYTES: &str = "application/offset+octet-stream";

/// Says that uploads can be begun here.
pub(crate) fn announce(headers: &mut HeaderMap) {
    headers.insert(TUS_RESUMABLE, VERSION);
    headers.insert(headers::TUS_VERSION, VERSION);
    headers.insert(headers::TUS_EXTENSION, EXTENSIONS);
}

/// The same with everything that is asked for by `OPTIONS`.
pub(crate) fn describe(headers: &mut HeaderMap) {
    announce(headers);
    headers.insert(headers::TUS_CHECKSUM_ALGORITHM, ALGORITHMS);
}

/// Refuses with 412 unless the client speaks this version.
fn speaks(headers: &HeaderMap) -> Answer<()> {
    match headers.get(TUS_RESUMABLE) {
        Some(version) if version == VERSION => Ok(()),
        _ => Err(Failure::precondition("the header Tus-Resumable must be 1.0.0")),
    }
}

fn has_bytes(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == BYTES)
}

/// Sends the bytes of a request on to the session of `ticket`, at the offset that the request names
/// or at `offset`. Answers 204 with the new offset, and with what the file is now when it is whole.
async fn append(
    data: &HttpService,
    (ticket, offset): (&str, Option<u64>),
    headers: &HeaderMap,
    content: Body,
) -> Answer {
    let mut request = asking(Method::PATCH, ticket, content)?;
    let offset = match headers.get(UPLOAD_OFFSET) {
        Some(offset) => offset.clone(),
        None => offset
            .ok_or_else(|| Failure::bad_request("the header Upload-Offset is missing"))?
            .into(),
    };
    request.headers_mut().insert(UPLOAD_OFFSET, offset);
    for name in [header::CONTENT_LENGTH, UPLOAD_CHECKSUM] {
        if let Some(value) = headers.get(&name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    let mut answer = body::transfer(data, request).await?;
    let mut response = Response::new(ocis_core::data::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    for name in [UPLOAD_OFFSET, UPLOAD_EXPIRES] {
        if let Some(value) = answer.headers_mut().remove(&name) {
            response.headers_mut().insert(name, value);
        }
    }
    if answer.status() == StatusCode::OK {
        let written: Written = body::json(answer).await?;
        put::describe(response.headers_mut(), &written.node);
    }
    Ok(response)
}

/// A request to the data plane about the session of `ticket`.
fn asking(method: Method, ticket: &str, content: Body) -> Answer<Request<Body>> {
    let mut request = Request::new(content);
    *request.method_mut() = method;
    let ticket = HeaderValue::from_str(ticket)
        .map_err(|cause| Error::denied("the ticket is not valid").because(cause))?;
    request.headers_mut().insert(TICKET, ticket);
    Ok(request)
}

/// Reads a number that a header holds.
fn number(headers: &HeaderMap, name: &HeaderName) -> Answer<Option<u64>> {
    let Some(text) = headers::text(headers, name)? else { return Ok(None) };
    let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    number
        .map(Some)
        .ok_or_else(|| Failure::bad_request(format!("the header {name} must be a number of bytes")))
}
