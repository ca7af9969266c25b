//! The envelope around every answer: `ocs.meta` says how it went, `ocs.data` is the answer.
//!
//! The two versions of the API differ in the code of success (100 and 200) and in the HTTP status:
//! version 1 says 200 whatever happened, version 2 has a status that fits.

use http::{HeaderValue, Response, StatusCode, header};
use ocis_core::data::{Body, full};
use serde::Serialize;

use crate::error::Failure;
use crate::xml;

/// Which version of the API was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// `/ocs/v1.php`
    V1,
    /// `/ocs/v2.php`
    V2,
}

/// In which form the answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `format=json`
    Json,
    /// Anything else.
    Xml,
}

impl Form {
    /// Reads the query of a request; the first `format` counts.
    pub(crate) fn of_query(query: Option<&str>) -> Self {
        let mut pairs = query.unwrap_or_default().split('&');
        match pairs.find_map(|pair| pair.strip_prefix("format=")) {
            Some("json") => Self::Json,
            _ => Self::Xml,
        }
    }
}

/// How the answers to one request are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope {
    pub(crate) version: Version,
    pub(crate) form: Form,
}

#[derive(Serialize)]
struct Outer<'a, T> {
    ocs: Inner<'a, T>,
}

#[derive(Serialize)]
struct Inner<'a, T> {
    meta: Meta<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a T>,
}

#[derive(Serialize)]
struct Meta<'a> {
    status: &'a str,
    statuscode: u16,
    message: &'a str,
}

impl Envelope {
    /// The answer `data`.
    pub(crate) fn success<T: Serialize>(self, data: &T) -> Response<Body> {
        let statuscode = match self.version {
            Version::V1 => 100,
            Version::V2 => 200,
        };
        let meta = Meta { status: "ok", statuscode, message: "OK" };
        self.write(StatusCode::OK, Inner { meta, data: Some(data) })
    }

    /// The answer that there is none.
    pub(crate) fn failure(self, failure: &Failure) -> Response<Body> {
        failure.log();
        let meta = Meta { status: "error", statuscode: failure.code(), message: failure.message() };
        let mut response =
            self.write(failure.status(self.version), Inner::<()> { meta, data: None });
        if matches!(failure, Failure::Method) {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }

    fn write<T: Serialize>(self, status: StatusCode, inner: Inner<'_, T>) -> Response<Body> {
        let (kind, written) = match self.form {
            Form::Json => (
                "application/json; charset=utf-8",
                serde_json::to_vec(&Outer { ocs: inner }).map_err(|error| error.to_string()),
            ),
            Form::Xml => (
                "text/xml; charset=utf-8",
                xml::document("ocs", &inner).map_err(|error| error.to_string()),
            ),
        };
        let (status, bytes) = match written {
            Ok(bytes) => (status, bytes),
            Err(error) => {
                tracing::error!(error, "an answer could not be written");
                (StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
            }
        };
        let mut response = Response::new(full(bytes));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        let version = match self.version {
            Version::V1 => "1",
            Version::V2 => "2",
        };
        headers.insert("ocs-api-version", HeaderValue::from_static(version));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_xml_unless_json_is_asked_for() {
        for (query, form) in [
            (None, Form::Xml),
            (Some(""), Form::Xml),
            (Some("format=json"), Form::Json),
            (Some("a=b&format=json&c"), Form::Json),
            (Some("format=xml&format=json"), Form::Xml),
            (Some("xformat=json"), Form::Xml),
            (Some("format=JSON"), Form::Xml),
        ] {
            assert_eq!(Form::of_query(query), form, "{query:?}");
        }
    }
}
