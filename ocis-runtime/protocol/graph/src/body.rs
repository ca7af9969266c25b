//! Bodies: JSON that clients send, and JSON that they get.

use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use ocis_core::Result;
use ocis_core::data::{Body, empty, full};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Answer, Failure};

/// The longest body that is read, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Reads a body; 400 when it is not what was to come, fields that nobody knows included.
pub(crate) async fn read<T: DeserializeOwned>(body: Body) -> Answer<T> {
    let bytes = bytes(body).await?.ok_or_else(|| {
        Failure::Refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalidRequest",
            "the request body is too long".into(),
        )
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::invalid(format!("invalid request body: {error}")))
}

/// The bytes of a body; none when there are too many.
pub(crate) async fn bytes(mut body: Body) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if bytes.len() + data.len() > LONGEST {
            return Ok(None);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Some(bytes))
}

/// 200 with JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Answer {
    json_as(StatusCode::OK, value)
}

/// JSON with another status.
pub(crate) fn json_as<T: Serialize>(status: StatusCode, value: &T) -> Answer {
    let bytes = serde_json::to_vec(value).map_err(|error| {
        ocis_core::Error::internal("the answer cannot be written").because(error)
    })?;
    let mut response = Response::new(full(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// 204.
pub(crate) fn nothing() -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A list as OData has it.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    pub(crate) value: Vec<T>,
}
