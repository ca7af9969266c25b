//! `/auth-app/tokens`: app tokens are made (`POST`), listed (`GET`) and revoked (`DELETE`), with
//! what oCIS takes in the query (`query`) and answers in JSON.
//!
//! Unlike oCIS, which answers 500, revoking a token that there is not is 404.

mod error;
mod query;

use std::convert::Infallible;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use ocis_core::config::Secret;
use ocis_core::data::{Body, HttpService, empty, full};
use ocis_core::id::UserId;
use ocis_core::port::{AppToken, AppTokens, CreateAppToken, ListAppTokens, RevokeAppToken};
use ocis_core::time::Timestamp;
use ocis_core::{Cx, Error};
use serde::Serialize;

use self::error::Failure;
use self::query::{Query, lifetime};

/// The endpoint.
#[derive(Debug)]
pub struct Tokens;

impl Tokens {
    /// The endpoint as an HTTP service over `tokens`. It takes the whole path of a request, and the
    /// caller from the request's extension [`Cx`].
    #[allow(clippy::new_ret_no_self, reason = "what is wanted of the endpoint is the service")]
    pub fn new(tokens: Arc<dyn AppTokens>) -> HttpService {
        HttpService::new(tower::service_fn(move |request: http::Request<Body>| {
            let (tokens, (head, _)) = (Arc::clone(&tokens), request.into_parts());
            async move {
                let answer = answer(&*tokens, &head).await;
                Ok::<_, Infallible>(answer.unwrap_or_else(|failure| failure.response()))
            }
        }))
    }
}

/// A token as oCIS shows it.
#[derive(Serialize)]
struct Shown<'a> {
    /// The token when it was just made, afterwards its hash.
    token: &'a str,
    expiration_date: Timestamp,
    created_date: Timestamp,
    label: &'a str,
}

impl<'a> Shown<'a> {
    fn of(kept: &'a AppToken, token: &'a str) -> Self {
        Self {
            token,
            expiration_date: kept.expires,
            created_date: kept.created,
            label: &kept.label,
        }
    }
}

async fn answer(tokens: &dyn AppTokens, head: &Parts) -> Result<Response<Body>, Failure> {
    if head.uri.path().trim_end_matches('/') != "/auth-app/tokens" {
        return Err(Failure::NoRoute);
    }
    let cx = head.extensions.get::<Cx>().ok_or(Failure::NoContext)?;
    let query = Query(head.uri.query().unwrap_or_default());
    match head.method {
        Method::GET => {
            let all = tokens.list(cx, ListAppTokens {}).await?;
            json(&all.iter().map(|kept| Shown::of(kept, &kept.hash)).collect::<Vec<_>>())
        }
        Method::POST => {
            let made = tokens.create(cx, wanted(&query, cx.now)?).await?;
            json(&Shown::of(&made.kept, made.token.expose()))
        }
        Method::DELETE => {
            let missing = || Error::invalid("missing auth-app token. Set 'token' parameter");
            let token = Secret::new(query.verbatim("token").ok_or_else(missing)?);
            tokens.revoke(cx, RevokeAppToken { token }).await?;
            Ok(Response::new(empty()))
        }
        _ => Err(Failure::Method),
    }
}

/// What a query asks for.
fn wanted(query: &Query<'_>, now: Timestamp) -> Result<CreateAppToken, Error> {
    let expiry = query.text("expiry").unwrap_or_default();
    let user = query.text("userID").map(|id| UserId::parse(&id)).transpose()?;
    let username = query.text("userName");
    let label = query.text("label").unwrap_or_else(|| {
        let by = if user.is_some() || username.is_some() { "Impersonation API" } else { "API" };
        format!("Generated via {by}")
    });
    Ok(CreateAppToken { user, username, label, expires: now.plus(lifetime(&expiry)?) })
}

fn json(value: &impl Serialize) -> Result<Response<Body>, Failure> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| Error::internal("an answer cannot be written").because(error))?;
    let mut response = Response::new(full(bytes));
    // oCIS wants to say 201 for a new token and says 200, because it writes the body first.
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

#[cfg(test)]
mod tests;
