//! An authorization request: what a client asks for, and whether it may.
//!
//! Until client and redirect address are known to belong together, nothing is sent anywhere: the
//! person sees an error page. After that, the client is told (RFC 6749 section 4.1.2.1).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Inner;
use super::client::Client;
use super::params::{Malformed, Params};

/// How the answer reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Query,
    Fragment,
    FormPost,
}

/// Where the answer goes.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) redirect_uri: String,
    pub(super) mode: Mode,
    pub(super) state: Option<String>,
}

/// A sound request.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    pub(super) client: Arc<Client>,
    pub(super) target: Target,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
    prompts: Vec<String>,
    /// How many seconds ago the password may have been given at most.
    pub(super) max_age: Option<i64>,
    /// The PKCE challenge (S256).
    pub(super) challenge: Option<String>,
    /// The `sub` that the client expects.
    pub(super) subject: Option<String>,
    /// As it came.
    pub(super) params: Params,
}

impl Authorization {
    /// Whether the client asks for this prompt.
    pub(super) fn prompts(&self, prompt: &str) -> bool {
        self.prompts.iter().any(|known| known == prompt)
    }
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) enum Fault {
    /// On a page, with this text.
    Page(&'static str),
    /// At the client.
    Client(Target, &'static str, &'static str),
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Twice(_) => Self::Page("error.twice"),
            Malformed::NotUtf8 => Self::Page("error.request"),
        }
    }
}

impl Inner {
    /// The client of an id, registered or dynamic.
    pub(super) fn client(&self, id: &str) -> Option<Arc<Client>> {
        self.clients.get(id).or_else(|| self.dynamic_client(id))
    }

    /// Reads an authorization request.
    pub(super) fn authorization(&self, params: Params) -> Result<Authorization, Fault> {
        let client = params.get("client_id").and_then(|id| self.client(id));
        let client = client.ok_or(Fault::Page("error.client"))?;
        let redirect_uri = params.get("redirect_uri").ok_or(Fault::Page("error.redirect"))?;
        if !client.may_redirect_to(redirect_uri) {
            tracing::info!(service = "idp", client = client.id, "a redirect_uri is not registered");
            return Err(Fault::Page("error.redirect"));
        }
        let mut target = Target {
            redirect_uri: redirect_uri.to_owned(),
            mode: Mode::Query,
            state: params.get("state").map(str::to_owned),
        };
        target.mode = match params.get("response_mode") {
            None | Some("query") => Mode::Query,
            Some("fragment") => Mode::Fragment,
            Some("form_post") => Mode::FormPost,
            Some(_) => {
                return Err(Fault::Client(target, "invalid_request", "unknown response_mode"));
            }
        };
        match self.wishes(&client, &params) {
            Ok(Wishes { scopes, prompts, max_age, challenge, subject }) => Ok(Authorization {
                nonce: params.get("nonce").map(str::to_owned),
                client,
                target,
                scopes,
                prompts,
                max_age,
                challenge,
                subject,
                params,
            }),
            Err((error, description)) => Err(Fault::Client(target, error, description)),
        }
    }

    fn wishes(
        &self,
        client: &Client,
        params: &Params,
    ) -> Result<Wishes, (&'static str, &'static str)> {
        for (name, error) in [
            ("request", "request_not_supported"),
            ("request_uri", "request_uri_not_supported"),
            ("registration", "registration_not_supported"),
        ] {
            if params.get(name).is_some() {
                return Err((error, "request objects are not supported"));
            }
        }
        match params.get("response_type") {
            Some("code") => {}
            Some(_) => return Err(("unsupported_response_type", "only code is supported")),
            None => return Err(("invalid_request", "response_type is missing")),
        }
        let asked = params.words("scope");
        if !asked.iter().any(|scope| scope == "openid") {
            return Err(("invalid_scope", "the scope openid is missing"));
        }
        let prompts = params.words("prompt");
        if prompts.len() > 1 && prompts.iter().any(|prompt| prompt == "none") {
            return Err(("invalid_request", "prompt=none goes with no other prompt"));
        }
        let max_age = match params.get("max_age").map(str::parse::<u32>) {
            None => None,
            Some(Ok(seconds)) => Some(i64::from(seconds)),
            Some(Err(_)) => return Err(("invalid_request", "max_age is not a number of seconds")),
        };
        let subject = match params.get("id_token_hint") {
            None => None,
            Some(hint) => Some(
                self.read_hint(hint).ok_or(("invalid_request", "id_token_hint is not ours"))?.sub,
            ),
        };
        Ok(Wishes {
            scopes: self.scopes(client, &asked),
            prompts,
            max_age,
            challenge: challenge(client, params)?,
            subject,
        })
    }
}

struct Wishes {
    scopes: Vec<String>,
    prompts: Vec<String>,
    max_age: Option<i64>,
    challenge: Option<String>,
    subject: Option<String>,
}

/// The PKCE challenge (RFC 7636). `plain` is refused, as in oCIS. oCIS's own web client may leave
/// it out, because scripts and load tests sign in as it without one; public clients that an
/// administrator or they themselves registered may not.
fn challenge(
    client: &Client,
    params: &Params,
) -> Result<Option<String>, (&'static str, &'static str)> {
    let method = params.get("code_challenge_method");
    let Some(challenge) = params.get("code_challenge") else {
        return match client.is_public() && !client.trusted {
            true => Err(("invalid_request", "code_challenge is missing")),
            false if method.is_some() => Err(("invalid_request", "code_challenge is missing")),
            false => Ok(None),
        };
    };
    if method != Some("S256") {
        return Err(("invalid_request", "code_challenge_method must be S256"));
    }
    match URL_SAFE_NO_PAD.decode(challenge) {
        Ok(digest) if digest.len() == 32 => Ok(Some(challenge.to_owned())),
        _ => Err(("invalid_request", "code_challenge is no SHA-256 digest")),
    }
}
