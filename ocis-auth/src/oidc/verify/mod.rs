//! Accepting the tokens of an OpenID provider: discovery, its keys, its signatures, its userinfo.
//!
//! [`Verifier`] is usable alone: it says which claims a token proves. It remembers the provider's
//! document and keys, no tokens. How requests reach the provider is a trait ([`http::Http`]), so
//! that a provider in the same process is called directly.
//!
//! What it insists on, whatever a token says: one of the asymmetric algorithms, and one that the key
//! was made for; the issuer; the times; no extension that it does not know (`crit`). See RFC 8725.

pub mod claims;
mod discovery;
pub mod http;
mod jwks;
mod jwt;
mod logout;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderValue, Request, StatusCode};
use bytes::Bytes;
use ocis_core::time::Timestamp;
use ocis_core::{Cx, Error, Result};
use tokio::sync::Semaphore;

use self::claims::Claims;
use self::discovery::Discovery;
use self::http::Http;
use self::jwks::Keys;
pub use self::logout::LogoutToken;

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// By how much clocks may differ for a token that is not valid yet. A token that has expired is not
/// excused.
const SKEW: Duration = Duration::from_secs(30);

/// How many requests to the provider there are at once. Whoever sends made-up opaque tokens makes us
/// ask for each of them.
const MAX_REQUESTS: usize = 64;

/// How access tokens are verified (`PROXY_OIDC_ACCESS_TOKEN_VERIFY_METHOD`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// By their signature, as JWT.
    #[default]
    Jwt,
    /// By asking the provider's userinfo endpoint: tokens that only the provider understands.
    Opaque,
}

/// How [`Verifier`] behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The issuer, as configured.
    pub issuer: String,
    /// How access tokens are verified.
    pub method: Method,
    /// Whether the claims of a JWT are enough, without those of userinfo. Has no meaning for opaque
    /// tokens.
    pub skip_userinfo: bool,
    /// Whom tokens must be meant for, one of these; none means anybody, as in oCIS.
    pub audiences: Vec<String>,
    /// When document and keys are fetched again.
    pub refresh_interval: Duration,
    /// How long fetching may take.
    pub timeout: Duration,
    /// How long to wait between two fetches because of keys that are not known.
    pub refresh_limit: Duration,
    /// Whether a key that is not known is a reason to fetch them again.
    pub refresh_unknown: bool,
}

impl Options {
    /// oCIS's defaults for `issuer`.
    pub fn new(issuer: impl Into<String>) -> Self {
        let second = Duration::from_secs(1);
        Self {
            issuer: issuer.into(),
            method: Method::Jwt,
            skip_userinfo: false,
            audiences: Vec::new(),
            refresh_interval: 3600 * second,
            timeout: 10 * second,
            refresh_limit: 60 * second,
            refresh_unknown: true,
        }
    }
}

/// What a token proves.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Everything that is said about whom it was issued to.
    pub claims: Claims,
    /// When it ends; none when it does not say.
    pub expires: Option<Timestamp>,
    /// Whether its own signature was checked, so that it is good until it expires whatever the
    /// provider says later.
    pub is_signed: bool,
}

/// Verifies tokens of one issuer.
pub struct Verifier {
    http: Arc<dyn Http>,
    options: Options,
    discovery: Discovery,
    keys: Keys,
    requests: Semaphore,
}

impl Verifier {
    /// A verifier that asks the provider through `http`. It asks nothing until the first token
    /// comes.
    pub fn new(http: Arc<dyn Http>, options: Options) -> Self {
        Self {
            http,
            options,
            discovery: Discovery::default(),
            keys: Keys::default(),
            requests: Semaphore::new(MAX_REQUESTS),
        }
    }

    /// The issuer, as configured.
    pub fn issuer(&self) -> &str {
        &self.options.issuer
    }

    /// What an access token proves. [`ocis_core::ErrorKind::Unauthenticated`] when it proves
    /// nothing, [`ocis_core::ErrorKind::Unavailable`] when the provider cannot be asked.
    pub async fn access_token(&self, cx: &Cx, token: &str) -> Result<Verified> {
        if token.len() > MAX_TOKEN {
            return Err(refused("the token is too long"));
        }
        match self.options.method {
            Method::Jwt => {
                let claims = self.signed(cx, token, jwt::Kind::Access).await?;
                let expires = claims.time("exp");
                let claims = match self.options.skip_userinfo {
                    true => claims,
                    false => self.with_userinfo(cx, token, claims).await?,
                };
                Ok(Verified { claims, expires, is_signed: true })
            }
            Method::Opaque => {
                let claims = self.with_userinfo(cx, token, Claims::default()).await?;
                Ok(Verified { claims, expires: None, is_signed: false })
            }
        }
    }

    /// What a logout token of the provider says (OpenID Connect Back-Channel Logout 1.0 section
    /// 2.6); errors as those of [`Self::access_token`].
    pub async fn logout_token(&self, cx: &Cx, token: &str) -> Result<LogoutToken> {
        if token.len() > MAX_TOKEN {
            return Err(refused("the token is too long"));
        }
        let claims = self.signed(cx, token, jwt::Kind::Logout).await?;
        LogoutToken::of(&claims, cx.now)
    }

    /// The provider's document, as it sent it.
    pub async fn document(&self, cx: &Cx) -> Result<Bytes> {
        Ok(self.discovery.get(cx, self).await?.raw.clone())
    }

    /// The claims of a JWT of this issuer.
    async fn signed(&self, cx: &Cx, token: &str, kind: jwt::Kind) -> Result<Claims> {
        let header = jwt::Header::read(token)?;
        let provider = self.discovery.get(cx, self).await?;
        let keys = self.keys.for_token(cx, self, &provider, &header).await?;
        let claims = jwt::verify(token, &header, &keys)?;
        let issuer = match kind {
            jwt::Kind::Access => provider.access_token_issuer(),
            jwt::Kind::Logout => &provider.issuer,
        };
        jwt::check(&claims, kind, issuer, &self.options.audiences, cx.now)?;
        Ok(claims)
    }

    /// `claims` with those of the userinfo endpoint over them.
    async fn with_userinfo(&self, cx: &Cx, token: &str, mut claims: Claims) -> Result<Claims> {
        let provider = self.discovery.get(cx, self).await?;
        let url = provider.userinfo_endpoint.as_deref().ok_or_else(|| {
            Error::internal("the OpenID provider has no userinfo endpoint")
                .with("issuer", &provider.issuer)
        })?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| refused("the token cannot stand in a header"))?;
        bearer.set_sensitive(true);
        let request = Request::get(url).header(AUTHORIZATION, bearer);
        let response = self.send(cx, request).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
                return Err(refused("the provider does not know the token"));
            }
            status => return Err(unreachable(url).with("status", status)),
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let told = match kind {
            Some(kind) if kind.trim_start().starts_with("application/jwt") => {
                let text = std::str::from_utf8(response.body()).unwrap_or_default();
                let header = jwt::Header::read(text)?;
                let keys = self.keys.for_token(cx, self, &provider, &header).await?;
                jwt::verify(text, &header, &keys)?
            }
            _ => Claims::parse(response.body()).map_err(|error| unreachable(url).because(error))?,
        };
        // OpenID Connect Core 5.3.2: whoever else's claims these are, they must not be used.
        if let (Some(theirs), Some(ours)) = (told.text("sub"), claims.text("sub"))
            && theirs != ours
        {
            return Err(refused("userinfo is about somebody else"));
        }
        claims.overlay(told);
        claims.set_if_absent("iss", &provider.issuer);
        Ok(claims)
    }

    /// Sends a request without a body, in time.
    async fn send(
        &self,
        cx: &Cx,
        request: ::http::request::Builder,
    ) -> Result<::http::Response<Bytes>> {
        let request = request
            .header(ACCEPT, "application/json, application/jwt")
            .body(Bytes::new())
            .map_err(|error| Error::internal("not the URL of a provider").because(error))?;
        let url = request.uri().to_string();
        let answer = async {
            let _permit = self.requests.acquire().await;
            self.http.send(cx, request).await
        };
        match tokio::time::timeout(self.options.timeout, answer).await {
            Ok(response) => response,
            Err(_) => Err(unreachable(&url).with("waited", format!("{:?}", self.options.timeout))),
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("options", &self.options).finish_non_exhaustive()
    }
}

/// The token is no good; `why` is for the log, the client learns no more than that.
fn refused(why: &'static str) -> Error {
    Error::unauthenticated("the token is not valid").with("because", why)
}

fn unreachable(url: &str) -> Error {
    Error::unavailable("the OpenID provider cannot be asked at the moment").with("url", url)
}
