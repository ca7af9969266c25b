//! oCIS's JSON interface for signing in (`/signin/v1/identifier/_/…` of LibreGraph Connect), which
//! scripts and load tests use.
//!
//! Requests carry the header `Kopano-Konnect-XSRF: 1`, which no foreign page can send, and come
//! from a page of ours by `Origin` or `Referer`.

use http::{HeaderName, HeaderValue, Response, StatusCode};
use ocis_core::ErrorKind;
use ocis_core::data::Body;
use ocis_core::user::User;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::discovery::path;
use super::sign_in::Step;
use super::store::Session;
use super::{Asked, Inner, respond};

const XSRF: HeaderName = HeaderName::from_static("kopano-konnect-xsrf");
const STATE: HeaderName = HeaderName::from_static("kopano-konnect-state");

/// `params[2]`: the session that the browser has, without a password.
const BY_COOKIE: &str = "0";
/// `params[2]`: user name and password.
const BY_PASSWORD: &str = "1";

#[derive(Deserialize)]
struct Logon {
    #[serde(default)]
    state: String,
    /// User name, password, mode.
    #[serde(default)]
    params: Vec<String>,
    hello: Option<Hello>,
}

/// What a page asks before it shows anything.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Hello {
    state: String,
    flow: String,
    scope: String,
    prompt: String,
    client_id: String,
    redirect_uri: String,
    max_age: String,
}

#[derive(Deserialize)]
struct Consent {
    #[serde(default)]
    state: String,
    #[serde(default)]
    allow: bool,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    client_id: String,
}

#[derive(Deserialize, Serialize)]
struct State {
    #[serde(default)]
    state: String,
}

/// An answer that was refused, ready to send.
type Refused = Box<Response<Body>>;

impl Inner {
    /// Signs in: 200 with `success`, or 204 when user name or password is wrong.
    pub(super) async fn logon(&self, asked: &Asked) -> Response<Body> {
        let logon: Logon = match self.read(asked) {
            Ok(logon) => logon,
            Err(refused) => return *refused,
        };
        if logon.params.is_empty() {
            return respond::empty(StatusCode::BAD_REQUEST);
        }
        let given = |at: usize| logon.params.get(at).map(String::as_str).unwrap_or_default();
        let user = match given(2) {
            BY_PASSWORD => match self.password(asked, given(0), given(1)).await {
                Ok(Step::Done(user)) => Some(user),
                Err(error) if error.kind() == ErrorKind::Unauthenticated => None,
                Err(error) if error.kind() == ErrorKind::ResourceExhausted => {
                    return respond::empty(StatusCode::TOO_MANY_REQUESTS);
                }
                Err(error) => return unavailable(&error),
            },
            BY_COOKIE if given(1).is_empty() => match self.session(asked).await {
                Ok(known) => known.map(|(_, user)| user).filter(|user| user.username == given(0)),
                Err(error) => return unavailable(&error),
            },
            _ => None,
        };
        let Some(user) = user else { return nobody(&logon.state) };
        let hello = match &logon.hello {
            None => Value::Null,
            Some(hello) => match self.greet(hello, Some(&user)) {
                Some(greeting) => greeting,
                None => return respond::empty(StatusCode::BAD_REQUEST),
            },
        };
        let session = match self.logon_session(asked, &user, given(2)).await {
            Ok(session) => session,
            Err(error) => return unavailable(&error),
        };
        let answer = json!({ "success": true, "state": logon.state, "hello": hello });
        let mut response = respond::json(StatusCode::OK, &answer);
        self.set_session(&mut response, &session);
        response
    }

    /// A cookie that served instead of a password gives no new time of signing in.
    async fn logon_session(
        &self,
        asked: &Asked,
        user: &User,
        mode: &str,
    ) -> ocis_core::Result<Session> {
        if mode == BY_COOKIE
            && let Some((session, _)) = self.session(asked).await?
        {
            return Ok(session);
        }
        self.begin_session(asked, user).await
    }

    /// Tells whether somebody is signed in already, and where to go on.
    pub(super) async fn hello(&self, asked: &Asked) -> Response<Body> {
        let hello: Hello = match self.read(asked) {
            Ok(hello) => hello,
            Err(refused) => return *refused,
        };
        let session = match self.session(asked).await {
            Ok(session) => session,
            Err(error) => return unavailable(&error),
        };
        let young = |session: &Session| match hello.max_age.parse::<i64>() {
            Ok(most) => asked.now().unix_seconds() - session.since.unix_seconds() <= most,
            Err(_) => true,
        };
        let user = session.filter(|(session, _)| young(session)).map(|(_, user)| user);
        let asks_for = |prompt: &str| hello.prompt.split(' ').any(|word| word == prompt);
        if asks_for("none") {
            return respond::empty(StatusCode::BAD_REQUEST);
        }
        let user = user.filter(|_| !asks_for("login"));
        match self.greet(&hello, user.as_ref()) {
            Some(greeting) => respond::json(StatusCode::OK, &greeting),
            None => respond::empty(StatusCode::BAD_REQUEST),
        }
    }

    /// The greeting; none when client and redirect address do not belong together.
    fn greet(&self, hello: &Hello, user: Option<&User>) -> Option<Value> {
        let mut greeting = json!({
            "state": hello.state,
            "flow": "",
            "success": user.is_some(),
            "branding": { "bannerLogo": null, "locales": self.pages.languages() },
        });
        let Some(user) = user else { return Some(greeting) };
        let fields = greeting.as_object_mut()?;
        fields.insert("username".into(), user.username.clone().into());
        fields.insert("displayName".into(), user.display_name.clone().into());
        if !matches!(hello.flow.as_str(), "oidc" | "oauth" | "consent") {
            return Some(greeting);
        }
        let client = self.client(&hello.client_id)?;
        if !client.may_redirect_to(&hello.redirect_uri) {
            return None;
        }
        let wants_consent = hello.prompt.split(' ').any(|word| word == "consent");
        fields.insert("flow".into(), hello.flow.clone().into());
        fields.insert("continue_uri".into(), format!("{}{}", self.url, path::AUTHORIZE).into());
        if wants_consent || !client.trusted {
            let scopes: BTreeMap<&str, bool> =
                hello.scope.split_whitespace().map(|scope| (scope, true)).collect();
            fields.insert("next".into(), "consent".into());
            fields.insert("scopes".into(), json!(scopes));
            fields.insert(
                "client".into(),
                json!({
                    "id": client.id,
                    "display_name": client.name,
                    "redirect_uri": hello.redirect_uri,
                    "trusted": client.trusted,
                }),
            );
        }
        Some(greeting)
    }

    /// Remembers for the rest of the session what a client may have.
    pub(super) fn consent_api(&self, asked: &Asked) -> Response<Body> {
        let consent: Consent = match self.read(asked) {
            Ok(consent) => consent,
            Err(refused) => return *refused,
        };
        if !consent.allow {
            return nobody(&consent.state);
        }
        let Some(session) = self.session_id(asked) else { return nobody(&consent.state) };
        let Some(client) = self.client(&consent.client_id) else {
            return respond::empty(StatusCode::BAD_REQUEST);
        };
        let asked: Vec<String> = consent.scope.split_whitespace().map(str::to_owned).collect();
        let scopes = self.scopes(&client, &asked);
        match self.agree(&session, &client.id, &scopes) {
            Ok(()) => {
                let answer = json!({ "success": true, "state": consent.state });
                respond::json(StatusCode::OK, &answer)
            }
            Err(error) => unavailable(&error),
        }
    }

    /// Ends the session of the browser.
    pub(super) async fn logoff(&self, asked: &Asked) -> Response<Body> {
        let state: State = match self.read(asked) {
            Ok(state) => state,
            Err(refused) => return *refused,
        };
        if let Some(session) = self.session_id(asked)
            && let Err(error) = self.close_session(&session, asked.now()).await
        {
            return unavailable(&error);
        }
        let answer = json!({ "success": true, "state": state.state });
        let mut response = respond::json(StatusCode::OK, &answer);
        self.unset_session(&mut response);
        response
    }

    fn read<T: DeserializeOwned>(&self, asked: &Asked) -> Result<T, Refused> {
        let marked = asked.parts.headers.get(XSRF).is_some_and(|value| value == "1");
        if !marked || !self.comes_from_here(asked, true) {
            return Err(Box::new(respond::empty(StatusCode::BAD_REQUEST)));
        }
        serde_json::from_slice(&asked.body)
            .map_err(|_| Box::new(respond::empty(StatusCode::BAD_REQUEST)))
    }
}

/// 204, as oCIS says that somebody is not signed in.
fn nobody(state: &str) -> Response<Body> {
    let mut response = respond::empty(StatusCode::NO_CONTENT);
    if let Ok(state) = HeaderValue::from_str(state) {
        response.headers_mut().insert(STATE, state);
    }
    response
}

fn unavailable(error: &ocis_core::Error) -> Response<Body> {
    tracing::error!(service = "idp", %error, "a sign-in failed");
    respond::empty(StatusCode::SERVICE_UNAVAILABLE)
}
