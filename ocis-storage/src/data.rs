//! The data plane of a store: the HTTP service through which file bytes go in and out, against
//! tickets; see [`ocis_core::data`] for what it answers.

use std::convert::Infallible;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::StreamExt as _;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt as _, Limited};
use ocis_core::data::{
    Body, CHECKSUM_MISMATCH, HttpService, TICKET, UPLOAD_CHECKSUM, UPLOAD_EXPIRES, UPLOAD_LENGTH,
    UPLOAD_METADATA, UPLOAD_OFFSET, full,
};
use ocis_core::port::{GetSession, UploadSessions as _};
use ocis_core::time::{Clock, Timestamp};
use ocis_core::upload::{SessionId, UploadSession};
use ocis_core::{Caller, Cx, Error, ErrorKind, Result};

use crate::blob::{BlobStore, Content};
use crate::digest::ChunkSum;
use crate::session::{Append, Appended, SessionClaims, StoreSessions};
use crate::store::Store;
use crate::ticket::{Purpose, ReadClaims, Tickets};
use crate::upload::{WriteClaims, receive};

/// The data plane of one store.
#[derive(Debug)]
pub struct DataPlane {
    store: Arc<Store>,
    blobs: Arc<dyn BlobStore>,
    tickets: Tickets,
    clock: Arc<dyn Clock>,
}

impl DataPlane {
    /// The data plane of `store`, whose contents are in `blobs`. It honours what was signed with
    /// the same `tickets`, and takes the time from `clock`.
    pub fn new(
        store: Arc<Store>,
        blobs: Arc<dyn BlobStore>,
        tickets: Tickets,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, blobs, tickets, clock }
    }

    /// The HTTP service.
    pub fn service(self) -> HttpService {
        let plane = Arc::new(self);
        HttpService::new(tower::service_fn(move |request| {
            let plane = Arc::clone(&plane);
            async move { Ok::<_, Infallible>(plane.answer(request).await) }
        }))
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let answer = match *request.method() {
            Method::GET => self.get(request.headers()).await,
            Method::PUT => self.put(request).await,
            Method::PATCH => self.patch(request).await,
            Method::HEAD => self.head(request.headers()).await,
            Method::DELETE => self.delete(request.headers()).await,
            _ => Err(Error::unimplemented("the data plane knows GET, PUT, PATCH, HEAD and DELETE")),
        };
        answer.unwrap_or_else(|error| failure(&error))
    }

    async fn get(&self, headers: &HeaderMap) -> Result<Response<Body>> {
        let ReadClaims { space, blob, size } =
            self.tickets.verify(Purpose::Read, ticket(headers)?, self.clock.now())?;
        let range = headers.get(RANGE).map(|value| parse_range(value, size)).transpose()?;
        let (first, last) = range.as_ref().map_or((0, size), |range| (range.start, range.end));
        let content = match blob {
            Some(blob) => self.blobs.read(&space, &blob, first..last).await?,
            None => futures::stream::empty().boxed(),
        };
        let mut answer = Response::new(Exact { content, left: last - first }.boxed_unsync());
        let headers = answer.headers_mut();
        headers.insert(CONTENT_LENGTH, (last - first).into());
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if range.is_some() {
            let value = format!("bytes {first}-{}/{size}", last - 1);
            headers.insert(CONTENT_RANGE, HeaderValue::try_from(value).map_err(unprintable)?);
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        Ok(answer)
    }

    async fn put(&self, request: Request<Body>) -> Result<Response<Body>> {
        let now = self.clock.now();
        let (parts, body) = request.into_parts();
        let claims: WriteClaims =
            self.tickets.verify(Purpose::Write, ticket(&parts.headers)?, now)?;
        let announced = number(&parts.headers, &CONTENT_LENGTH)?;
        let body = match claims.length.or(announced) {
            Some(_) => body,
            None => {
                let cx = Cx::new(Caller::Service("data".into()), now);
                bounded(body, self.store.look(&cx, |change| change.room(&claims.prepared))?)
            }
        };
        let written = if self.store.options.processing.steps.is_empty() {
            receive(&self.store, &self.blobs, claims, announced, body, now).await?
        } else {
            self.sessions().put(claims, announced, body, now).await?
        };
        json(StatusCode::OK, &written)
    }

    async fn patch(&self, request: Request<Body>) -> Result<Response<Body>> {
        let now = self.clock.now();
        let (parts, body) = request.into_parts();
        let id = self.session(&parts.headers, now)?;
        let offset = number(&parts.headers, &UPLOAD_OFFSET)?;
        let offset = offset.ok_or_else(|| Error::invalid("the request has no Upload-Offset"))?;
        let announced = number(&parts.headers, &CONTENT_LENGTH)?;
        let checksum = match parts.headers.get(UPLOAD_CHECKSUM).map(HeaderValue::to_str) {
            Some(text) => ChunkSum::parse(text.unwrap_or("not text"))?,
            None => None,
        };
        let append = Append { offset, announced, checksum, body };
        match self.sessions().append(&id, append, now).await? {
            Appended::More(session) => Ok(there(StatusCode::NO_CONTENT, &session)),
            Appended::Whole(written) => {
                let mut answer = json(StatusCode::OK, &written)?;
                answer.headers_mut().insert(UPLOAD_OFFSET, written.node.info.size.into());
                Ok(answer)
            }
            Appended::Damaged => {
                let status = StatusCode::from_u16(CHECKSUM_MISMATCH).map_err(unprintable)?;
                json(status, &Error::invalid("the bytes do not have the announced checksum"))
            }
        }
    }

    async fn head(&self, headers: &HeaderMap) -> Result<Response<Body>> {
        let now = self.clock.now();
        let id = self.session(headers, now)?;
        let session = self.sessions().settled(&id, now).await?;
        let mut answer = there(StatusCode::OK, &session);
        if let Some(length) = session.length {
            answer.headers_mut().insert(UPLOAD_LENGTH, length.into());
        }
        let pair = |(key, value): &(String, String)| match value.as_str() {
            "" => key.clone(),
            value => format!("{key} {}", STANDARD.encode(value)),
        };
        let metadata: Vec<_> = session.metadata.iter().map(pair).collect();
        if let Ok(metadata) = HeaderValue::try_from(metadata.join(","))
            && !metadata.is_empty()
        {
            answer.headers_mut().insert(UPLOAD_METADATA, metadata);
        }
        Ok(answer)
    }

    async fn delete(&self, headers: &HeaderMap) -> Result<Response<Body>> {
        let now = self.clock.now();
        let id = self.session(headers, now)?;
        // The ticket is the right to it.
        let cx = Cx::new(Caller::Service("data".into()), now);
        self.sessions().abort(&cx, GetSession { id }).await?;
        let mut answer = Response::new(ocis_core::data::empty());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        Ok(answer)
    }

    fn session(&self, headers: &HeaderMap, now: Timestamp) -> Result<SessionId> {
        let claims: SessionClaims = self.tickets.verify(Purpose::Session, ticket(headers)?, now)?;
        Ok(claims.id)
    }

    fn sessions(&self) -> StoreSessions {
        StoreSessions::new(Arc::clone(&self.store), self.tickets.clone())
    }
}

/// A body of unknown length, which ends with an error where it has more than `most` bytes: they would
/// be stored only to be refused at the end, and fill the disk meanwhile.
fn bounded(body: Body, most: u64) -> Body {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let limited = Limited::new(body, most).map_err(|error| match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(_) => Error::full("the content is larger than what the quota or the disk leaves"),
    });
    limited.boxed_unsync()
}

/// The answer that tells how many bytes of a session are there, and until when more can come.
fn there(status: StatusCode, session: &UploadSession) -> Response<Body> {
    let mut answer = Response::new(ocis_core::data::empty());
    *answer.status_mut() = status;
    answer.headers_mut().insert(UPLOAD_OFFSET, session.offset.into());
    let expires = session.expires.map(|time| time.date_time().format("%a, %d %b %Y %H:%M:%S GMT"));
    if let Some(Ok(expires)) = expires.map(|date| HeaderValue::try_from(date.to_string())) {
        answer.headers_mut().insert(UPLOAD_EXPIRES, expires);
    }
    answer
}

fn ticket(headers: &HeaderMap) -> Result<&str> {
    let value = headers.get(TICKET).ok_or_else(|| Error::denied("the request has no ticket"))?;
    value.to_str().map_err(|_| Error::denied("the ticket is not valid"))
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| Error::invalid(format!("{name} is not a number")))
}

/// Reads `bytes=<first>-<last>`, both given and inside the content.
fn parse_range(value: &HeaderValue, size: u64) -> Result<Range<u64>> {
    let range = || {
        let (first, last) = value.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last && last < size).then(|| first..last + 1)
    };
    range().ok_or_else(|| Error::invalid("the range is not one within the content"))
}

/// A content of known length: it ends with an error when it turns out to have another one.
struct Exact {
    content: Content,
    left: u64,
}

impl http_body::Body for Exact {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        let piece = std::task::ready!(self.content.poll_next_unpin(cx)).transpose()?;
        let length = piece.as_ref().map_or(0, |bytes| bytes.len() as u64);
        match self.left.checked_sub(length) {
            Some(left) if left == 0 || piece.is_some() => self.left = left,
            _ => return Poll::Ready(Some(Err(Error::internal("a content has the wrong length")))),
        }
        Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// The answer that tells of an error: the one place where kinds become statuses.
fn failure(error: &Error) -> Response<Body> {
    let status = match error.kind() {
        ErrorKind::InvalidArgument => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::AlreadyExists | ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        ErrorKind::Locked => StatusCode::LOCKED,
        ErrorKind::TooEarly => StatusCode::TOO_EARLY,
        ErrorKind::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::InsufficientStorage => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    if status.is_server_error() {
        tracing::error!(?error, "the data plane failed");
    }
    json(status, error).unwrap_or_else(|_| {
        let mut answer = Response::new(ocis_core::data::empty());
        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        answer
    })
}

fn json(status: StatusCode, value: &impl serde::Serialize) -> Result<Response<Body>> {
    let mut answer = Response::new(full(serde_json::to_vec(value).map_err(unprintable)?));
    *answer.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    Ok(answer)
}

fn unprintable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::internal("an answer could not be written").because(error)
}

#[cfg(test)]
mod cuts;
#[cfg(test)]
mod tests;
