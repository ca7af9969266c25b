//! Who an access token is about (OpenID Connect Core 1.0 section 5.3). Answered from memory.

use http::header::AUTHORIZATION;
use http::{Response, StatusCode};
use ocis_core::data::Body;
use serde_json::json;

use super::params::Params;
use super::{Asked, Inner, respond};

impl Inner {
    pub(super) async fn userinfo(&self, asked: &Asked) -> Response<Body> {
        let Some(token) = presented(asked) else { return respond::bearer_error(None) };
        let Some(claims) = self.read_access(&token, asked.now()) else {
            return respond::bearer_error(Some("invalid_token"));
        };
        let Some(grant) = self.store.grant(&claims.grant, asked.now()) else {
            return respond::bearer_error(Some("invalid_token"));
        };
        let user = match self.person(&asked.cx, &grant.user, &grant.password).await {
            Ok(Some(user)) => user,
            Ok(None) => return respond::bearer_error(Some("invalid_token")),
            Err(error) => {
                tracing::error!(service = "idp", %error, "userinfo failed");
                return respond::empty(StatusCode::SERVICE_UNAVAILABLE);
            }
        };
        let mut answer = json!({ "sub": user.id.as_str(), "lg.uuid": user.id.as_str() });
        if let Some(fields) = answer.as_object_mut() {
            let mut add = |name: &str, value: &str| {
                if !value.is_empty() {
                    fields.insert(name.to_owned(), value.into());
                }
            };
            if claims.scopes.split(' ').any(|scope| scope == "profile") {
                add("name", &user.display_name);
                add("given_name", &user.given_name);
                add("family_name", &user.surname);
                add("preferred_username", &user.username);
            }
            if claims.scopes.split(' ').any(|scope| scope == "email") {
                add("email", &user.mail);
                if !user.mail.is_empty() {
                    fields.insert("email_verified".to_owned(), false.into());
                }
            }
        }
        respond::open_json(StatusCode::OK, &answer)
    }
}

/// The token, from the header or, for `POST`, the form (RFC 6750 section 2).
fn presented(asked: &Asked) -> Option<String> {
    if let Some(value) = asked.parts.headers.get(AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned());
    }
    let form = Params::parse(&asked.body).ok()?;
    form.get("access_token").map(str::to_owned)
}
