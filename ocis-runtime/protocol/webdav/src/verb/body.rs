//! Request bodies that are read whole, and the answers of the data plane.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use ocis_core::Error;
use ocis_core::data::{Body, CHECKSUM_MISMATCH, HttpService};
use tower::ServiceExt as _;

use crate::error::{Answer, Failure};
use crate::xml::read::MAX_BODY;

/// The longest answer of the data plane that is no content, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// Reads a body of XML; 413 when it is longer than [`MAX_BODY`].
pub(crate) async fn xml(body: Body) -> Answer<Bytes> {
    read(body, MAX_BODY).await
}

/// 415 for a body that has any bytes, where nobody has defined what they mean (RFC 4918 section
/// 8.4); reads no more than the first of them.
pub(crate) async fn none(mut body: Body) -> Answer<()> {
    while let Some(frame) = body.frame().await {
        if frame?.data_ref().is_some_and(|data| !data.is_empty()) {
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the request must have no body",
            ));
        }
    }
    Ok(())
}

async fn read(mut body: Body, limit: usize) -> Answer<Bytes> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(Failure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is longer than {limit} bytes"),
            ));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

/// Sends a request to the data plane; what it refuses is an error.
pub(crate) async fn transfer(data: &HttpService, request: Request<Body>) -> Answer {
    let response = match data.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let body = read(response.into_body(), MAX_ANSWER).await?;
    let error = serde_json::from_slice::<Error>(&body).unwrap_or_else(|cause| {
        Error::internal("the storage gave an answer that cannot be read")
            .with("status", status)
            .because(cause)
    });
    let failure = Failure::from(error);
    // The only status of the data plane that no kind of error stands for.
    Err(if status.as_u16() == CHECKSUM_MISMATCH { failure.status(status) } else { failure })
}

/// The JSON of an answer of the data plane.
pub(crate) async fn json<T: serde::de::DeserializeOwned>(response: Response<Body>) -> Answer<T> {
    let body = read(response.into_body(), MAX_ANSWER).await?;
    serde_json::from_slice(&body).map_err(|cause| {
        Error::internal("the storage gave an answer that cannot be read").because(cause).into()
    })
}
