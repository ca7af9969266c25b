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
    let form = Form::of_query(head.uri.query());
    let path = head.uri.path().trim_end_matches('/');
    let (version, rest) = if let Some(rest) = path.strip_prefix("/ocs/v1.php/") {
        (Version::V1, rest)
    } else if let Some(rest) = path.strip_prefix("/ocs/v2.php/") {
        (Version::V2, rest)
    } else {
        return Envelope { version: Version::V2, form }.failure(&Failure::NoRoute);
    };
    let envelope = Envelope { version, form };
    match dispatch(parts, envelope, head, rest).await {
        Ok(response) => response,
        Err(failure) => envelope.failure(&failure),
    }
}

async fn dispatch(
    parts: &OcsParts,
    envelope: Envelope,
    head: &Parts,
    path: &str,
) -> Result<Response<Body>, Failure> {
    let segments: Vec<&str> = path.split('/').collect();
    let is_later = matches!(
        segments.as_slice(),
        ["apps", "files_sharing" | "notifications", ..] | ["cloud", "user", "signing-key"]
    );
    if is_later {
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
