//! `/data/<ticket>`: where an upload goes on.

use std::convert::Infallible;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use ocis_core::Error;
use ocis_core::data::{
    Body, HttpService, TICKET, UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_OFFSET, empty,
};

use super::{append, asking, describe, has_bytes, speaks};
use crate::error::{Answer, Failure};
use crate::headers;
use crate::service::bare;
use crate::verb::body;

/// The methods that work on an upload.
const ALLOW: &str = "OPTIONS, HEAD, PATCH, DELETE";

/// The public side of the data plane, for clients of tus.
#[derive(Debug)]
pub struct DataGateway;

impl DataGateway {
    /// The HTTP service for `/data/<ticket>`, and for `/data` with the ticket in the header
    /// [`TICKET`], over the data plane of the storages. Who holds the ticket of an upload may ask how
    /// far it is, add bytes and give it up; nothing else is looked at. Every failure is an answer.
    #[allow(clippy::new_ret_no_self, reason = "what is made is a boxed tower service")]
    pub fn new(data: HttpService) -> HttpService {
        let data = Arc::new(data);
        HttpService::new(tower::service_fn(move |request| {
            let data = Arc::clone(&data);
            async move { Ok::<_, Infallible>(answer(&data, request).await) }
        }))
    }
}

async fn answer(data: &HttpService, request: Request<Body>) -> Response<Body> {
    let (parts, content) = request.into_parts();
    let is_head = parts.method == Method::HEAD;
    let answer = act(data, &parts, content).await;
    let mut response = answer.unwrap_or_else(Failure::into_response);
    describe(response.headers_mut());
    if is_head { response.map(|_| empty()) } else { response }
}

async fn act(data: &HttpService, parts: &Parts, content: Body) -> Answer {
    let replaced = headers::text(&parts.headers, &headers::X_HTTP_METHOD_OVERRIDE)?;
    let method = replaced.filter(|method| !method.is_empty()).unwrap_or(parts.method.as_str());
    if method == "OPTIONS" {
        let mut response = bare(StatusCode::NO_CONTENT);
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(ALLOW));
        return Ok(response);
    }
    let ticket = match headers::text(&parts.headers, &TICKET)? {
        Some(ticket) => ticket,
        None => parts.uri.path().strip_prefix("/data/").unwrap_or_default(),
    };
    if ticket.is_empty() {
        return Err(Error::denied("the ticket is missing").into());
    }
    match method {
        "PATCH" => {
            speaks(&parts.headers)?;
            if !has_bytes(&parts.headers) {
                return Err(Failure::bad_request(
                    "the header Content-Type must be application/offset+octet-stream",
                ));
            }
            append(data, (ticket, None), &parts.headers, content).await
        }
        "HEAD" => {
            speaks(&parts.headers)?;
            let found = body::transfer(data, asking(Method::HEAD, ticket, empty())?).await?;
            let mut response = bare(StatusCode::OK);
            let names = [UPLOAD_OFFSET, UPLOAD_LENGTH, UPLOAD_EXPIRES, UPLOAD_METADATA];
            for name in names {
                if let Some(value) = found.headers().get(&name) {
                    response.headers_mut().insert(name, value.clone());
                }
            }
            let no_store = HeaderValue::from_static("no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, no_store);
            Ok(response)
        }
        "DELETE" => {
            speaks(&parts.headers)?;
            body::transfer(data, asking(Method::DELETE, ticket, empty())?).await
        }
        _ => Err(Failure::not_allowed(ALLOW, "this method does not work on uploads")),
    }
}
