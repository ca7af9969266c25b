//! The page that asks whether a client may have what it wants. Clients that oCIS knows from the
//! start, and those that an administrator trusts, never come here.
//!
//! What a person agreed to counts for the rest of the session.

use http::{Response, StatusCode};
use ocis_core::data::Body;

use super::pages::ConsentForm;
use super::params::Params;
use super::request::Fault;
use super::{Asked, Inner, respond};

impl Inner {
    /// `GET /signin/v1/consent`.
    pub(super) async fn consent_page(&self, asked: &Asked) -> Response<Body> {
        let request = match Params::parse(asked.query().as_bytes())
            .map_err(Fault::from)
            .and_then(|params| self.authorization(params))
        {
            Ok(request) => request,
            Err(fault) => return self.fault(asked, fault),
        };
        let (session, user) = match self.session(asked).await {
            Ok(Some(signed_in)) => signed_in,
            Ok(None) => return self.proceed(asked, &request, None, false),
            Err(error) => return self.failure_page(asked, &error),
        };
        let (key, is_new) = match self.form_key(asked) {
            Ok(key) => key,
            Err(error) => return self.failure_page(asked, &error),
        };
        let carried = request.params.query();
        let form = ConsentForm {
            token: self.form_token(&key, &["consent", &session.id, &carried]),
            request: &request,
            carried,
            user: &user,
        };
        let locales = request.params.get("ui_locales");
        let mut response = self.pages.consent(self.pages.language(asked, locales), &form);
        if is_new {
            self.set_form_key(&mut response, &key);
        }
        response
    }

    /// `POST /signin/v1/consent`.
    pub(super) async fn consent(&self, asked: &Asked) -> Response<Body> {
        let Ok(form) = Params::parse(&asked.body) else {
            return self.error_page(asked, StatusCode::BAD_REQUEST, "error.request");
        };
        let carried = form.get("request").unwrap_or_default();
        let request = match Params::parse(carried.as_bytes())
            .map_err(Fault::from)
            .and_then(|params| self.authorization(params))
        {
            Ok(request) => request,
            Err(fault) => return self.fault(asked, fault),
        };
        let (session, user) = match self.session(asked).await {
            Ok(Some(signed_in)) => signed_in,
            Ok(None) => return self.proceed(asked, &request, None, false),
            Err(error) => return self.failure_page(asked, &error),
        };
        let token = form.get("token").unwrap_or_default();
        if !self.form_is_ours(asked, &["consent", &session.id, carried], token) {
            return respond::redirect(&format!("{}?{carried}", super::path::CONSENT), true);
        }
        if form.get("answer") != Some("allow") {
            return self.refuse(asked, &request.target, "access_denied", "the person refused");
        }
        if let Err(error) = self.agree(&session.id, &request.client.id, &request.scopes) {
            return self.failure_page(asked, &error);
        }
        match self.code(asked.now(), &request, &session, &user) {
            Ok(pairs) => self.deliver(asked, &request.target, pairs),
            Err(error) => self.failure_page(asked, &error),
        }
    }

    /// Remembers what a person agreed to.
    pub(super) fn agree(
        &self,
        session: &str,
        client: &str,
        scopes: &[String],
    ) -> ocis_core::Result<()> {
        self.store.touch_session(session, |session| session.note(client, Some(scopes)))
    }
}
