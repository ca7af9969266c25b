//! The token endpoint (RFC 6749 section 4.1.3 and 6): a code or a refresh token for tokens.
//!
//! A code counts once; its second use ends everything that came from it (RFC 6749 section 4.1.2).
//! A refresh token counts once as well: with each use the client gets the next one, and an earlier
//! one ends the family, because then two have it and one of them is a thief (RFC 9700 section
//! 4.14.2). There is no time of grace.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::AUTHORIZATION;
use http::{Response, StatusCode};
use ocis_core::data::Body;
use ocis_core::{Error, ErrorKind};
use serde_json::json;

use super::client::Client;
use super::params::{Malformed, Params};
use super::seal::Purpose;
use super::store::{Grant, Turn};
use super::{Asked, Inner, respond};

/// Why a request gets no tokens.
enum Refusal {
    /// Status, `error` and `error_description`.
    Told(StatusCode, &'static str, &'static str),
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

const fn told(error: &'static str, description: &'static str) -> Refusal {
    Refusal::Told(StatusCode::BAD_REQUEST, error, description)
}

const NO_CLIENT: Refusal =
    Refusal::Told(StatusCode::UNAUTHORIZED, "invalid_client", "unknown client or wrong secret");

impl Inner {
    pub(super) async fn token(&self, asked: &Asked) -> Response<Body> {
        let outcome = match Params::parse(&asked.body) {
            Ok(params) => self.exchange(asked, &params).await,
            Err(Malformed::Twice(_)) => Err(told("invalid_request", "a parameter comes twice")),
            Err(Malformed::NotUtf8) => Err(told("invalid_request", "the form is not UTF-8")),
        };
        match outcome {
            Ok(response) => response,
            Err(Refusal::Told(status, error, description)) => {
                respond::oauth_error(status, error, description)
            }
            Err(Refusal::Failed(error)) => {
                tracing::error!(service = "idp", %error, "a token request failed");
                let status = match error.kind() {
                    ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                respond::oauth_error(status, "server_error", "try again later")
            }
        }
    }

    async fn exchange(&self, asked: &Asked, params: &Params) -> Result<Response<Body>, Refusal> {
        let client = self.caller(asked, params)?;
        match params.get("grant_type") {
            Some("authorization_code") => self.redeem(asked, params, &client).await,
            Some("refresh_token") => self.refresh(asked, params, &client).await,
            Some(_) => Err(told("unsupported_grant_type", "unknown grant_type")),
            None => Err(told("invalid_request", "grant_type is missing")),
        }
    }

    /// The client that asks, once it proved who it is.
    fn caller(&self, asked: &Asked, params: &Params) -> Result<Arc<Client>, Refusal> {
        let (mut id, mut secret) = (
            params.get("client_id").map(str::to_owned),
            params.get("client_secret").map(str::to_owned),
        );
        if let Some((name, password)) = basic(asked)? {
            // oCIS takes both, as long as they do not contradict each other.
            if id.as_ref().is_some_and(|id| *id != name) {
                return Err(told("invalid_request", "two different clients"));
            }
            (id, secret) = (Some(name), Some(password));
        }
        let id = id.ok_or(NO_CLIENT)?;
        let client = self.client(&id).ok_or(NO_CLIENT)?;
        match client.knows(secret.as_deref()) {
            true => Ok(client),
            false => Err(NO_CLIENT),
        }
    }

    async fn redeem(
        &self,
        asked: &Asked,
        params: &Params,
        client: &Client,
    ) -> Result<Response<Body>, Refusal> {
        const WRONG: Refusal = told("invalid_grant", "the code is unknown, used or too old");
        let now = asked.now();
        let code = params.get("code").ok_or(told("invalid_request", "code is missing"))?;
        let id = self.seal.open(Purpose::Code, code).ok_or(WRONG)?;
        let Some(pending) = self.store.take_pending(id, now) else {
            if self.store.revoke(id).await? {
                tracing::warn!(service = "idp", client = client.id, "a code was used twice");
            }
            return Err(WRONG);
        };
        // From here on the code is spent, whatever is wrong with it.
        if pending.grant.client != client.id {
            return Err(told("invalid_grant", "the code was given to another client"));
        }
        if params.get("redirect_uri") != Some(pending.redirect_uri.as_str()) {
            return Err(told("invalid_grant", "redirect_uri is another one"));
        }
        if !verified(pending.challenge.as_deref(), params.get("code_verifier")) {
            return Err(told("invalid_grant", "code_verifier does not fit"));
        }
        let mut grant = pending.grant;
        grant.until = now.plus(self.lifetime(&grant));
        self.store.put_grant(grant.clone()).await?;
        self.give(asked, &grant, pending.nonce).await
    }

    async fn refresh(
        &self,
        asked: &Asked,
        params: &Params,
        client: &Client,
    ) -> Result<Response<Body>, Refusal> {
        const WRONG: Refusal = told("invalid_grant", "the refresh token is unknown or has ended");
        let now = asked.now();
        let token = params.get("refresh_token");
        let token = token.ok_or(told("invalid_request", "refresh_token is missing"))?;
        let Some(sealed) = self.seal.open(Purpose::Refresh, token) else {
            let grant = self.take_over(asked, token, client).await?.ok_or(WRONG)?;
            return self.give(asked, &grant, None).await;
        };
        let (id, generation) = sealed.rsplit_once('~').ok_or(WRONG)?;
        let generation: u64 = generation.parse().map_err(|_| WRONG)?;
        let grant = self.store.grant(id, now).ok_or(WRONG)?;
        if grant.client != client.id {
            return Err(WRONG);
        }
        let wanted = params.words("scope");
        if !wanted.iter().all(|scope| grant.scopes.contains(scope)) {
            return Err(told("invalid_scope", "more than was granted"));
        }
        if self.person(&asked.cx, &grant.user, &grant.password).await?.is_none() {
            self.store.revoke(id).await?;
            return Err(WRONG);
        }
        match self.store.turn(id, generation, now, now.plus(self.lifetime(&grant))).await? {
            Turn::Next(grant) => self.give(asked, &grant, None).await,
            Turn::Reused(grant) => {
                let user = grant.user.as_str();
                tracing::warn!(
                    service = "idp",
                    client = client.id,
                    user,
                    "a refresh token was used twice"
                );
                Err(WRONG)
            }
            Turn::Unknown => Err(WRONG),
        }
    }

    async fn give(
        &self,
        asked: &Asked,
        grant: &Grant,
        nonce: Option<String>,
    ) -> Result<Response<Body>, Refusal> {
        const GONE: Refusal =
            told("invalid_grant", "the account is gone, disabled or has another password");
        let user = self.person(&asked.cx, &grant.user, &grant.password).await?.ok_or(GONE)?;
        let tokens = self.tokens(grant, &user, nonce, asked.now())?;
        let mut answer = json!({
            "access_token": tokens.access,
            "token_type": "Bearer",
            "expires_in": self.options.access_token.as_secs(),
            "id_token": tokens.id,
            "scope": grant.scopes.join(" "),
        });
        if is_offline(grant)
            && let Some(fields) = answer.as_object_mut()
        {
            let sealed = format!("{}~{}", grant.id, grant.generation);
            let token = self.seal.seal(Purpose::Refresh, &sealed);
            fields.insert("refresh_token".to_owned(), token.into());
        }
        Ok(respond::open_json(StatusCode::OK, &answer))
    }

    /// How long a grant has to be remembered.
    fn lifetime(&self, grant: &Grant) -> Duration {
        match is_offline(grant) {
            true => self.options.refresh_token.max(self.options.access_token),
            false => self.options.access_token,
        }
    }
}

/// Whether the client asked to go on without the person.
fn is_offline(grant: &Grant) -> bool {
    grant.scopes.iter().any(|scope| scope == "offline_access")
}

/// Whether a PKCE verifier fits (RFC 7636 section 4.6). One that nobody asked for does not: it is
/// the trace of a request whose challenge was taken away (RFC 9700 section 4.8.2).
fn verified(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            let digest = digest::digest(&digest::SHA256, verifier.as_bytes());
            let right = URL_SAFE_NO_PAD.encode(digest);
            aws_lc_rs::constant_time::verify_slices_are_equal(
                right.as_bytes(),
                challenge.as_bytes(),
            )
            .is_ok()
        }
        _ => false,
    }
}

/// Id and secret of basic authentication, which are encoded as in forms (RFC 6749 section 2.3.1).
fn basic(asked: &Asked) -> Result<Option<(String, String)>, Refusal> {
    let Some(value) = asked.parts.headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().ok().and_then(|text| text.split_once(' '));
    let Some((_, encoded)) = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic")) else {
        return Err(NO_CLIENT);
    };
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| NO_CLIENT)?;
    let text = String::from_utf8(bytes).map_err(|_| NO_CLIENT)?;
    let (id, secret) = text.split_once(':').ok_or(NO_CLIENT)?;
    let decode = |text: &str| {
        let form = Params::parse(format!("v={text}").as_bytes()).map_err(|_| NO_CLIENT)?;
        Ok::<_, Refusal>(form.get("v").unwrap_or_default().to_owned())
    };
    Ok(Some((decode(id)?, decode(secret)?)))
}
