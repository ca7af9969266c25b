//! The authorization endpoint (OpenID Connect Core 1.0 section 3.1.2): a browser comes with what a
//! client asks for, and leaves with a code, an error, or to the sign-in page.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Response, StatusCode};
use ocis_core::Result;
use ocis_core::data::Body;
use ocis_core::time::Timestamp;
use ocis_core::user::User;

use super::discovery::path;
use super::params::encode;
use super::request::{Authorization, Fault, Mode, Target};
use super::seal::{Purpose, random};
use super::store::{Grant, Pending, Session};
use super::{Asked, Inner, redirect, respond};

/// How long a code can be redeemed.
const CODE: Duration = Duration::from_secs(60);

/// What a request needs next.
enum Next<'a> {
    SignIn,
    Consent,
    Code(&'a Session, &'a User),
    Refuse(&'static str, &'static str),
}

impl Inner {
    pub(super) async fn authorize(&self, asked: &Asked) -> Response<Body> {
        let request = match asked.params().map_err(Fault::from).and_then(|p| self.authorization(p))
        {
            Ok(request) => request,
            Err(fault) => return self.fault(asked, fault),
        };
        match self.session(asked).await {
            Ok(session) => self.proceed(asked, &request, session.as_ref(), false),
            Err(error) => self.failure_page(asked, &error),
        }
    }

    /// Tells whom it concerns that a request cannot be.
    pub(super) fn fault(&self, asked: &Asked, fault: Fault) -> Response<Body> {
        match fault {
            Fault::Page(text) => self.error_page(asked, StatusCode::BAD_REQUEST, text),
            Fault::Client(target, error, description) => {
                self.refuse(asked, &target, error, description)
            }
        }
    }

    /// Takes the next step of a request. `fresh`: the password was given for this very request.
    pub(super) fn proceed(
        &self,
        asked: &Asked,
        request: &Authorization,
        session: Option<&(Session, User)>,
        fresh: bool,
    ) -> Response<Body> {
        let after_form = asked.parts.method == Method::POST;
        match next(asked.now(), request, session, fresh) {
            Next::SignIn => {
                let query = request.params.with("flow", "oidc").query();
                respond::redirect(&format!("{}?{query}", path::SIGN_IN), after_form)
            }
            Next::Consent => {
                // What a fresh password was asked for, it was given for.
                let params =
                    if fresh { request.params.without("prompt") } else { request.params.clone() };
                let params = if request.prompts("consent") {
                    params.with("prompt", "consent")
                } else {
                    params
                };
                let query = params.with("flow", "consent").query();
                respond::redirect(&format!("{}?{query}", path::CONSENT), after_form)
            }
            Next::Code(session, user) => match self.code(asked.now(), request, session, user) {
                Ok(pairs) => self.deliver(asked, &request.target, pairs),
                Err(error) => self.failure_page(asked, &error),
            },
            Next::Refuse(error, description) => {
                self.refuse(asked, &request.target, error, description)
            }
        }
    }

    /// Gives out a code; returns the parameters of the answer.
    pub(super) fn code(
        &self,
        now: Timestamp,
        request: &Authorization,
        session: &Session,
        user: &User,
    ) -> Result<Vec<(&'static str, String)>> {
        let id = random()?;
        let client = &request.client;
        self.store.touch_session(&session.id, |session| {
            session.note(&client.id, None);
            // Being used keeps a session alive; once an hour is often enough to write down.
            let until = now.plus(self.options.refresh_token);
            if until.minus(Duration::from_secs(3600)) > session.until {
                session.until = until;
            }
        })?;
        let grant = Grant {
            id: id.clone(),
            client: client.id.clone(),
            user: user.id.clone(),
            session: session.id.clone(),
            scopes: request.scopes.clone(),
            since: session.since,
            password: session.password.clone(),
            until: now.plus(CODE),
            generation: 0,
        };
        let pending = Pending {
            grant,
            redirect_uri: request.target.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            nonce: request.nonce.clone(),
            until: now.plus(CODE),
        };
        self.store.put_pending(pending, now);
        Ok(vec![
            ("code", self.seal.seal(Purpose::Code, &id)),
            ("scope", request.scopes.join(" ")),
            ("session_state", self.session_state(request, session)?),
        ])
    }

    /// What a check-session page compares (OpenID Connect Session Management 1.0 section 3).
    fn session_state(&self, request: &Authorization, session: &Session) -> Result<String> {
        let salt = random()?;
        let origin = redirect::source(&request.target.redirect_uri);
        let state = self.browser_state(&session.id);
        let text = format!("{} {origin} {state} {salt}", request.client.id);
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        Ok(format!("{}.{salt}", URL_SAFE_NO_PAD.encode(digest)))
    }

    pub(super) fn refuse(
        &self,
        asked: &Asked,
        target: &Target,
        error: &'static str,
        description: &'static str,
    ) -> Response<Body> {
        let pairs =
            vec![("error", error.to_owned()), ("error_description", description.to_owned())];
        self.deliver(asked, target, pairs)
    }

    /// Sends the browser to the client with an answer, which names its issuer (RFC 9207).
    pub(super) fn deliver(
        &self,
        asked: &Asked,
        target: &Target,
        mut pairs: Vec<(&'static str, String)>,
    ) -> Response<Body> {
        if let Some(state) = &target.state {
            pairs.push(("state", state.clone()));
        }
        pairs.push(("iss", self.url.clone()));
        let uri = &target.redirect_uri;
        let query = encode(pairs.iter().map(|(name, value)| (*name, value.as_str())));
        let location = match target.mode {
            Mode::Query if uri.contains('?') => format!("{uri}&{query}"),
            Mode::Query => format!("{uri}?{query}"),
            Mode::Fragment => format!("{uri}#{query}"),
            Mode::FormPost => {
                let language = self.pages.language(asked, None);
                return self.pages.form_post(language, uri, &pairs);
            }
        };
        respond::redirect(&location, asked.parts.method == Method::POST)
    }
}

fn next<'a>(
    now: Timestamp,
    request: &Authorization,
    session: Option<&'a (Session, User)>,
    fresh: bool,
) -> Next<'a> {
    let silent = request.prompts("none");
    let Some((session, user)) = session else {
        return match silent {
            true => Next::Refuse("login_required", "nobody is signed in"),
            false => Next::SignIn,
        };
    };
    let age = now.unix_seconds() - session.since.unix_seconds();
    let too_old = request.max_age.is_some_and(|most| age > most);
    let wanted = request.prompts("login") || request.prompts("select_account");
    let other = request.subject.as_ref().is_some_and(|subject| subject != user.id.as_str());
    if silent && (too_old || other) {
        return Next::Refuse("login_required", "somebody else is signed in, or too long ago");
    }
    if !fresh && (too_old || wanted || other) {
        return Next::SignIn;
    }
    if other {
        return Next::Refuse("login_required", "somebody else signed in");
    }
    let agreed = session.clients.get(&request.client.id);
    let covered = request.client.trusted
        || agreed.is_some_and(|agreed| request.scopes.iter().all(|scope| agreed.contains(scope)));
    // Who gave the password on a page that names a client we trust has said what there is to say;
    // ownCloud's own clients ask for `select_account consent` each time.
    let asks = request.prompts("consent") && !(fresh && request.client.trusted);
    match covered && !asks {
        true => Next::Code(session, user),
        false if silent => Next::Refuse("consent_required", "the person was not asked yet"),
        false => Next::Consent,
    }
}
