//! Which path means what.

use http::request::Parts;
use http::{HeaderValue, Method, Response, header};
use ocis_core::Cx;
use ocis_core::data::{Body, full};
use serde::Serialize;

use crate::error::{self, Failure};
use crate::query::Options;
use crate::{GraphParts, drives, me};

/// Answers one request.
pub(crate) async fn answer(parts: &GraphParts, head: &Parts) -> Response<Body> {
    let Some(cx) = head.extensions.get::<Cx>() else {
        return error::respond(None, &Failure::NoContext);
    };
    match dispatch(parts, cx, head).await {
        Ok(response) => response,
        Err(failure) => error::respond(Some(cx), &failure),
    }
}

async fn dispatch(parts: &GraphParts, cx: &Cx, head: &Parts) -> Result<Response<Body>, Failure> {
    let path = head.uri.path().trim_end_matches('/');
    let path = path.strip_prefix("/graph/").ok_or(Failure::NoRoute)?;
    let segments: Vec<&str> = path.split('/').collect();
    let query = head.uri.query().unwrap_or_default();
    let get = matches!(head.method, Method::GET | Method::HEAD);
    match segments.as_slice() {
        ["v1.0", "me"] if get => {
            let options = Options::parse(query, &["$expand", "$select"])?;
            json(&me::me(parts, cx, &options).await?)
        }
        ["v1.0", "me", "drives"] if get => {
            let allowed = ["$filter", "$orderby", "$expand", "$select"];
            json(&drives::list(parts, cx, &Options::parse(query, &allowed)?).await?)
        }
        ["v1.0", "me", "drive"] if get => {
            Options::parse(query, &["$expand", "$select"])?;
            json(&drives::personal(parts, cx).await?)
        }
        ["v1.0", "me"] if head.method == Method::PATCH => Err(Failure::NotYet),
        ["v1.0", "me"] | ["v1.0", "me", "drives" | "drive"] => Err(Failure::Method),
        segments if comes_later(segments) => Err(Failure::NotYet),
        _ => Err(Failure::NoRoute),
    }
}

/// Whether oCIS 7 has such a path.
fn comes_later(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["v1.0", "me", "drive", "root", "children"]
            | ["v1.0", "me", "changePassword"]
            | ["v1.0", "extensions", "org.libregraph", "tags"]
            | [
                "v1.0",
                "applications" | "users" | "groups" | "drives" | "education" | "invitations",
                ..
            ]
            | ["v1beta1", "me", "drives"]
            | ["v1beta1", "me", "drive", "sharedByMe" | "sharedWithMe"]
            | ["v1beta1", "drives" | "roleManagement" | "extensions", ..]
    )
}

fn json<T: Serialize>(value: &T) -> Result<Response<Body>, Failure> {
    let bytes = serde_json::to_vec(value).map_err(|error| {
        ocis_core::Error::internal("the answer cannot be written").because(error)
    })?;
    let mut response = Response::new(full(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
