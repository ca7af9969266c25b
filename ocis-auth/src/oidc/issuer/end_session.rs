//! Signing out (OpenID Connect RP-Initiated Logout 1.0), and the page that says so.
//!
//! A client that shows an ID token of the person who is signed in ends the session at once; for
//! any other request the person is asked, so that no foreign page can sign anybody out. The
//! browser is sent on only to an address that the client of the ID token registered.

use http::{Method, Response, StatusCode};
use ocis_core::Result;
use ocis_core::data::Body;
use ocis_core::time::Timestamp;

use super::client::Client;
use super::discovery::path;
use super::params::{Params, encode};
use super::{Asked, Inner, respond};

impl Inner {
    pub(super) async fn end_session(&self, asked: &Asked) -> Response<Body> {
        let Ok(params) = asked.params() else {
            return self.error_page(asked, StatusCode::BAD_REQUEST, "error.twice");
        };
        let hint = match params.get("id_token_hint") {
            None => None,
            Some(hint) => match self.read_hint(hint) {
                Some(claims) => Some(claims),
                None => return self.error_page(asked, StatusCode::BAD_REQUEST, "error.hint"),
            },
        };
        let client = match (&hint, params.get("client_id")) {
            (Some(hint), Some(id)) if hint.aud != id => {
                return self.error_page(asked, StatusCode::BAD_REQUEST, "error.hint");
            }
            (Some(hint), _) => self.client(&hint.aud),
            (None, id) => id.and_then(|id| self.client(id)),
        };
        let back = match back(client.as_deref(), &params) {
            Ok(back) => back,
            Err(NotRegistered) => {
                return self.error_page(asked, StatusCode::BAD_REQUEST, "error.redirect");
            }
        };
        let session = self.session_id(asked).and_then(|id| self.store.session(&id, asked.now()));
        let Some(session) = session else {
            // The browser may have lost its cookie; the token still names the session.
            if let Some(hint) = &hint
                && let Err(error) = self.close_session(&hint.sid, asked.now()).await
            {
                return self.failure_page(asked, &error);
            }
            return self.gone(asked, back, &[]);
        };
        let is_theirs = hint.as_ref().is_some_and(|hint| hint.sub == session.user.as_str());
        let confirmed = asked.parts.method == Method::POST
            && self.form_is_ours(
                asked,
                &["sign-out", &session.id],
                params.get("token").unwrap_or_default(),
            );
        if !is_theirs && !confirmed {
            return self.ask_to_sign_out(asked, &session.id, &params);
        }
        match self.close_session(&session.id, asked.now()).await {
            Ok(frames) => self.gone(asked, back, &frames),
            Err(error) => self.failure_page(asked, &error),
        }
    }

    fn ask_to_sign_out(&self, asked: &Asked, session: &str, params: &Params) -> Response<Body> {
        let (key, is_new) = match self.form_key(asked) {
            Ok(key) => key,
            Err(error) => return self.failure_page(asked, &error),
        };
        let token = self.form_token(&key, &["sign-out", session]);
        let language = self.pages.language(asked, params.get("ui_locales"));
        let mut response = self.pages.sign_out(language, &token, params);
        if is_new {
            self.set_form_key(&mut response, &key);
        }
        response
    }

    /// Ends a session and has its clients told. Returns the pages that end their own sessions.
    pub(super) async fn close_session(&self, id: &str, now: Timestamp) -> Result<Vec<String>> {
        let Some(session) = self.store.end_session(id).await? else { return Ok(Vec::new()) };
        let mut frames = Vec::new();
        for client in session.clients.keys().filter_map(|id| self.client(id)) {
            self.notify(&client, &session, now)?;
            if !client.frontchannel_logout_uri.is_empty() {
                let query = encode([("iss", self.url.as_str()), ("sid", session.id.as_str())]);
                let uri = &client.frontchannel_logout_uri;
                let joint = if uri.contains('?') { '&' } else { '?' };
                frames.push(format!("{uri}{joint}{query}"));
            }
        }
        Ok(frames)
    }

    /// The answer once nobody is signed in any more.
    fn gone(&self, asked: &Asked, back: Option<String>, frames: &[String]) -> Response<Body> {
        let after_form = asked.parts.method == Method::POST;
        let mut response = match back {
            Some(back) if frames.is_empty() => respond::redirect(&back, after_form),
            None if frames.is_empty() => respond::redirect(path::GOODBYE, after_form),
            back => {
                let language = self.pages.language(asked, None);
                self.pages.goodbye(language, back.as_deref(), frames)
            }
        };
        self.unset_session(&mut response);
        response
    }

    /// `GET /signin/v1/goodbye`.
    pub(super) fn goodbye(&self, asked: &Asked) -> Response<Body> {
        self.pages.goodbye(self.pages.language(asked, None), None, &[])
    }
}

struct NotRegistered;

/// Where the browser is sent after signing out.
fn back(client: Option<&Client>, params: &Params) -> Result<Option<String>, NotRegistered> {
    let Some(uri) = params.get("post_logout_redirect_uri") else { return Ok(None) };
    match client {
        Some(client) if client.may_return_to(uri) => {
            let Some(state) = params.get("state") else { return Ok(Some(uri.to_owned())) };
            let joint = if uri.contains('?') { '&' } else { '?' };
            Ok(Some(format!("{uri}{joint}{}", encode([("state", state)]))))
        }
        Some(_) => Err(NotRegistered),
        // Nobody says for whom it would be: the person ends on our own page, as in oCIS.
        None => Ok(None),
    }
}
