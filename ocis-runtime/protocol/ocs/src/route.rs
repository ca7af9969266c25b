//! Which path means what.

use http::request::Parts;
use http::{Method, Response};
use ocis_core::Cx;
use ocis_core::data::Body;
use percent_encoding::percent_decode_str;

use crate::envelope::{Envelope, Form, Version};
use crate::error::Failure;
use crate::{OcsParts, capabilities, config, user};

/// Answers one request.
pub(crate) async fn answer(parts: &OcsParts, head: &Parts) -> Response<Body> {
    let (envelope, rest) = enveloped(head);
    let answer = match rest {
        Some(rest) => dispatch(parts, envelope, head, rest).await,
        None => Err(Failure::NoRoute),
    };
    answer.unwrap_or_else(|failure| envelope.failure(&failure))
}

/// How the answer to a request is written, and the path below the version of the API, if there is
/// one.
pub(crate) fn enveloped(head: &Parts) -> (Envelope, Option<&str>) {
    let form = Form::of_query(head.uri.query());
    let path = head.uri.path().trim_end_matches('/');
    let (version, rest) = match path.strip_prefix("/ocs/v1.php/") {
        Some(rest) => (Version::V1, Some(rest)),
        None => (Version::V2, path.strip_prefix("/ocs/v2.php/")),
    };
    (Envelope { version, form }, rest)
}

async fn dispatch(
    parts: &OcsParts,
    envelope: Envelope,
    head: &Parts,
    path: &str,
) -> Result<Response<Body>, Failure> {
    let segments: Vec<&str> = path.split('/').collect();
    if matches!(segments.as_slice(), ["apps", "files_sharing" | "notifications", ..]) {
        return Err(Failure::NotYet);
    }
    let get = || match head.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Failure::Method),
    };
    let cx = || head.extensions.get::<Cx>().ok_or(Failure::NoContext);
    match segments.as_slice() {
        ["config"] => get().map(|()| envelope.success(&config::of(&parts.url))),
        ["cloud", "capabilities"] => {
            get().map(|()| envelope.success(&capabilities::document(parts)))
        }
        ["cloud", "user"] => {
            get()?;
            Ok(envelope.success(&user::own(cx()?)?))
        }
        ["cloud", "users", name] => {
            get()?;
            Ok(envelope.success(&user::details(parts, cx()?, &decode(name)?).await?))
        }
        ["cloud", "users", name, "groups"] => {
            get()?;
            Ok(envelope.success(&user::groups(cx()?, &decode(name)?)?))
        }
        _ => Err(Failure::NoRoute),
    }
}

fn decode(segment: &str) -> Result<String, Failure> {
    percent_decode_str(segment)
        .decode_utf8()
        .map(Into::into)
        .map_err(|error| ocis_core::Error::invalid("the path is not UTF-8").because(error).into())
}
