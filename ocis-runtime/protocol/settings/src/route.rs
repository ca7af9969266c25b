//! Which path is answered by what.

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use ocis_core::data::{Body, empty, full};
use ocis_core::port::FindValue;
use ocis_core::setting::{LANGUAGE, SettingValue};
use ocis_core::{Cx, Error, Identity, language};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Failure, respond};
use crate::{SettingsParts, assignments, bundles, permissions, values};

/// The longest body in bytes.
const MAX_BODY: usize = 256 * 1024;

/// The account in a request that means the caller.
const ME: &str = "me";

/// A request on its way to the function that answers it.
pub(crate) struct Asked<'a> {
    /// What the answer is worked out with.
    pub(crate) parts: &'a SettingsParts,
    /// Who asks, and when.
    pub(crate) cx: &'a Cx,
    /// The person who asks.
    pub(crate) caller: &'a Identity,
    /// The language that the client likes best, if it says so.
    liked: Option<&'a str>,
    body: Vec<u8>,
}

impl Asked<'_> {
    /// The body of the request.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| Failure::NotJson(error.to_string()))
    }

    /// Whether the answer is to be in German: the language that the caller chose, or else the one
    /// that the client likes, or that of the server.
    pub(crate) async fn is_german(&self) -> Result<bool, Failure> {
        let request = FindValue { account: self.caller.id.clone(), setting: LANGUAGE.to_owned() };
        let chosen = self.parts.settings.find(self.cx, request).await?;
        let chosen = chosen.as_ref().and_then(SettingValue::text);
        let tag = chosen.or(self.liked).unwrap_or(&self.parts.language);
        Ok(language::is(tag, "de"))
    }

    /// The account that a request names.
    pub(crate) fn account(&self, named: &str) -> String {
        match named {
            ME => self.caller.id.to_string(),
            other => other.to_owned(),
        }
    }
}

/// Answers a request.
pub(crate) async fn answer(parts: &SettingsParts, request: Request<Body>) -> Response<Body> {
    answered(parts, request).await.unwrap_or_else(|failure| respond(&failure))
}

async fn answered(
    parts: &SettingsParts,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix("/api/v0/settings/").ok_or(Failure::NoRoute)?;
    if !ROUTES.contains(&path) {
        return Err(Failure::NoRoute);
    }
    if head.method != Method::POST {
        return Err(Failure::Method);
    }
    let cx = head.extensions.get::<Cx>().ok_or(Failure::NoContext)?;
    let caller = cx.caller.identity()?;
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body.map_err(|error| Error::invalid("the body cannot be read").because(error))?;
    let liked = head.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let liked = liked.and_then(language::best);
    let asked = Asked { parts, cx, caller, liked, body: body.to_bytes().to_vec() };
    match path {
        "bundle-save" => json(bundles::save(&asked).await?),
        "bundle-get" => json(bundles::get(&asked).await?),
        "bundles-list" => json(bundles::list(&asked).await?),
        "bundles-add-setting" => json(bundles::add_setting(&asked).await?),
        "bundles-remove-setting" => bundles::remove_setting(&asked).await.map(|()| nothing()),
        "values-save" => json(values::save(&asked).await?),
        "values-get" => json(values::get(&asked).await?),
        "values-list" => json(values::list(&asked).await?),
        "values-get-by-unique-identifiers" => json(values::find(&asked).await?),
        "roles-list" => json(bundles::roles(&asked)?),
        "assignments-list" => json(assignments::list(&asked).await?),
        "assignments-list-filtered" => json(assignments::list_filtered(&asked).await?),
        "assignments-add" => json(assignments::add(&asked).await?),
        "assignments-remove" => assignments::remove(&asked).await.map(|()| nothing()),
        "permissions-list" => json(permissions::list(&asked)?),
        "permissions-list-by-resource" => json(permissions::about(&asked)?),
        "permissions-get-by-id" => json(permissions::get(&asked)?),
        _ => Err(Failure::NoRoute),
    }
}

/// All of them, so that an unknown path is told from a method that is not allowed.
const ROUTES: [&str; 17] = [
    "bundle-save",
    "bundle-get",
    "bundles-list",
    "bundles-add-setting",
    "bundles-remove-setting",
    "values-save",
    "values-get",
    "values-list",
    "values-get-by-unique-identifiers",
    "roles-list",
    "assignments-list",
    "assignments-list-filtered",
    "assignments-add",
    "assignments-remove",
    "permissions-list",
    "permissions-list-by-resource",
    "permissions-get-by-id",
];

/// oCIS answers 201 to everything that has a body, also where nothing was made.
fn json(answer: impl Serialize) -> Result<Response<Body>, Failure> {
    let bytes = serde_json::to_vec(&answer)
        .map_err(|error| Error::internal("an answer cannot be written").because(error))?;
    let mut response = Response::new(full(bytes));
    *response.status_mut() = StatusCode::CREATED;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn nothing() -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
