//! The sign-in page and the form on it.
//!
//! The form carries the client's request along, which is read anew when the form comes back, so
//! that nothing in between can make it another one. It is bound to the browser (`cookies`). After
//! the password there is a place for further steps: see [`Step`].

use std::collections::BTreeMap;

use http::{HeaderMap, Response, StatusCode};
use ocis_core::data::Body;
use ocis_core::port::{Credentials, FindUser};
use ocis_core::user::User;
use ocis_core::{Error, ErrorKind, Identity, Result};

use super::discovery::path;
use super::pages::SignInForm;
use super::params::Params;
use super::request::Authorization;
use super::seal::random;
use super::store::Session;
use super::{Asked, Inner, respond};

/// What comes after a password was right.
pub(super) enum Step {
    /// The person is signed in. A second factor would be another variant beside it: it would hold
    /// the account and not a session, and a page and a form of its own would lead on from there.
    Done(User),
}

impl Inner {
    /// `GET /signin/v1/identifier`.
    pub(super) async fn sign_in_page(&self, asked: &Asked) -> Response<Body> {
        let Ok(params) = Params::parse(asked.query().as_bytes()) else {
            return self.error_page(asked, StatusCode::BAD_REQUEST, "error.twice");
        };
        let request = match self.carried(&params) {
            Ok(request) => request,
            Err(fault) => return self.fault(asked, fault),
        };
        // Nothing to sign in for, and somebody is signed in already.
        if request.is_none() {
            match self.session(asked).await {
                Ok(Some(_)) => return respond::redirect(path::WELCOME, false),
                Ok(None) => {}
                Err(error) => return self.failure_page(asked, &error),
            }
        }
        let hint = params.get("login_hint").unwrap_or_default();
        self.sign_in_form(asked, request.as_ref(), hint, None)
    }

    /// The client's request that a page is about; none for a page by itself.
    pub(super) fn carried(
        &self,
        params: &Params,
    ) -> std::result::Result<Option<Authorization>, super::request::Fault> {
        match params.get("client_id") {
            Some(_) => self.authorization(params.clone()).map(Some),
            None => Ok(None),
        }
    }

    fn sign_in_form(
        &self,
        asked: &Asked,
        request: Option<&Authorization>,
        username: &str,
        error: Option<(&'static str, StatusCode)>,
    ) -> Response<Body> {
        let (key, is_new) = match self.form_key(asked) {
            Ok(key) => key,
            Err(error) => return self.failure_page(asked, &error),
        };
        let carried = request.map(|request| request.params.query()).unwrap_or_default();
        let locales = request.and_then(|request| request.params.get("ui_locales"));
        let form = SignInForm {
            request,
            username,
            error: error.map(|(text, _)| text),
            token: self.form_token(&key, &["sign-in", &carried]),
            carried,
        };
        let language = self.pages.language(asked, locales);
        let status = error.map_or(StatusCode::OK, |(_, status)| status);
        let mut response = self.pages.sign_in(language, status, &form);
        if is_new {
            self.set_form_key(&mut response, &key);
        }
        response
    }

    /// `POST /signin/v1/identifier`.
    pub(super) async fn sign_in(&self, asked: &Asked) -> Response<Body> {
        let Ok(form) = Params::parse(&asked.body) else {
            return self.error_page(asked, StatusCode::BAD_REQUEST, "error.request");
        };
        let carried = form.get("request").unwrap_or_default();
        let request = match Params::parse(carried.as_bytes())
            .map_err(Into::into)
            .and_then(|params| self.carried(&params))
        {
            Ok(request) => request,
            Err(fault) => return self.fault(asked, fault),
        };
        let username = form.get("username").unwrap_or_default();
        let again = |error, status| {
            self.sign_in_form(asked, request.as_ref(), username, Some((error, status)))
        };
        if !self.form_is_ours(asked, &["sign-in", carried], form.get("token").unwrap_or_default()) {
            return again("sign_in.expired", StatusCode::BAD_REQUEST);
        }
        let step = self.password(asked, username, form.get("password").unwrap_or_default());
        let user = match step.await {
            Ok(Step::Done(user)) => user,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::Unauthenticated => again("sign_in.wrong", StatusCode::UNAUTHORIZED),
                    ErrorKind::ResourceExhausted => {
                        again("sign_in.slow", StatusCode::TOO_MANY_REQUESTS)
                    }
                    _ => self.failure_page(asked, &error),
                };
            }
        };
        let session = match self.begin_session(asked, &user).await {
            Ok(session) => session,
            Err(error) => return self.failure_page(asked, &error),
        };
        let signed_in = (session, user);
        let mut response = match &request {
            Some(request) => self.proceed(asked, request, Some(&signed_in), true),
            None => respond::redirect(path::WELCOME, true),
        };
        self.set_session(&mut response, &signed_in.0);
        response
    }

    /// Checks a password. The same answer for a wrong one, an unknown account and a disabled one.
    pub(super) async fn password(
        &self,
        asked: &Asked,
        username: &str,
        password: &str,
    ) -> Result<Step> {
        let credentials = Credentials::Basic {
            username: username.to_owned(),
            password: password.to_owned(),
            peer: asked.peer,
        };
        let identity = self.parts.authenticate.authenticate(&asked.cx, credentials).await?;
        self.account(asked, &identity).await.map(Step::Done)
    }

    async fn account(&self, asked: &Asked, identity: &Identity) -> Result<User> {
        let find = FindUser::Id(identity.id.clone());
        match self.parts.users.find(&asked.cx, find).await {
            Ok(user) if user.enabled => Ok(user),
            Ok(_) => Err(Error::unauthenticated("user name or password is wrong")),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(Error::unauthenticated("user name or password is wrong"))
            }
            Err(error) => Err(error),
        }
    }

    /// A new session, whatever the browser had before: nobody can prepare one for somebody else.
    pub(super) async fn begin_session(&self, asked: &Asked, user: &User) -> Result<Session> {
        if let Ok(Some((old, _))) = self.session(asked).await {
            self.store.end_session(&old.id).await?;
        }
        let session = Session {
            id: random()?,
            user: user.id.clone(),
            since: asked.now(),
            password: user.password_version.clone(),
            until: asked.now().plus(self.options.refresh_token),
            clients: BTreeMap::new(),
        };
        self.store.put_session(session.clone()).await?;
        Ok(session)
    }

    /// `GET /signin/v1/welcome`: for somebody who signed in without a client.
    pub(super) async fn welcome(&self, asked: &Asked) -> Response<Body> {
        match self.session(asked).await {
            Ok(Some((session, user))) => {
                let language = self.pages.language(asked, None);
                let (key, is_new) = match self.form_key(asked) {
                    Ok(key) => key,
                    Err(error) => return self.failure_page(asked, &error),
                };
                let token = self.form_token(&key, &["sign-out", &session.id]);
                let mut response = self.pages.welcome(language, &user, &token);
                if is_new {
                    self.set_form_key(&mut response, &key);
                }
                response
            }
            Ok(None) => respond::redirect(path::SIGN_IN, false),
            Err(error) => self.failure_page(asked, &error),
        }
    }

    /// Whether a request was made by a page of ours: `Origin`, or else `Referer`, names the host
    /// that was asked, or the issuer's. `required`: one of the two must be there.
    pub(super) fn comes_from_here(&self, asked: &Asked, required: bool) -> bool {
        let headers = &asked.parts.headers;
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let Some(from) = text("origin").or_else(|| text("referer")) else { return !required };
        // What browsers send where a proxy forbids them to say where they come from.
        if from == "null" {
            return text("sec-fetch-site") == Some("same-origin");
        }
        let Some((_, from)) = from.split_once("://") else { return false };
        let host = from.split('/').next().unwrap_or_default();
        let issuer = self.url.split_once("://").map_or("", |(_, rest)| rest);
        let issuer = issuer.split('/').next().unwrap_or_default();
        host.eq_ignore_ascii_case(issuer)
            || host_of(asked, headers).is_some_and(|asked| host.eq_ignore_ascii_case(asked))
    }
}

/// The host that was asked, without the port that every client leaves out.
fn host_of<'a>(asked: &'a Asked, headers: &'a HeaderMap) -> Option<&'a str> {
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    let host = host.or_else(|| asked.parts.uri.authority().map(http::uri::Authority::as_str))?;
    Some(host.strip_suffix(":443").unwrap_or(host))
}
