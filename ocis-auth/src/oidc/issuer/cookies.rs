//! The cookies of a browser: the session, what binds forms to it, and what check-session pages see.
//! Names are those of oCIS's provider.

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response};
use ocis_core::Result;
use ocis_core::data::Body;
use ocis_core::user::User;

use super::seal::{Purpose, random};
use super::store::Session;
use super::{Asked, Inner};

/// Where pages and the authorization endpoint are.
const PAGES: &str = "/signin/v1/";
/// Where check-session pages are.
const CHECK: &str = "/konnect/v1/session/";

/// The cookie names; a `__Secure-` cookie cannot be set without TLS (RFC 6265bis).
struct Names {
    session: &'static str,
    form: &'static str,
    browser_state: &'static str,
}

fn names(secure: bool) -> Names {
    match secure {
        true => {
            Names { session: "__Secure-KKT", form: "__Secure-KKTF", browser_state: "__Secure-KKBS" }
        }
        false => Names { session: "KKT", form: "KKTF", browser_state: "KKBS" },
    }
}

/// The name of the cookie that check-session pages read.
pub(super) fn browser_state_name(secure: bool) -> &'static str {
    names(secure).browser_state
}

/// All values of a cookie: one set for a parent domain may come beside ours.
fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.filter(move |(known, _)| known.trim() == name).map(|(_, value)| value.trim())
}

impl Inner {
    /// The session of the browser and whose it is, if both are as they should be.
    pub(super) async fn session(&self, asked: &Asked) -> Result<Option<(Session, User)>> {
        let id = self.session_id(asked);
        let Some(session) = id.and_then(|id| self.store.session(&id, asked.now())) else {
            return Ok(None);
        };
        let person = self.person(&asked.cx, &session.user, &session.password).await?;
        Ok(person.map(|user| (session, user)))
    }

    /// The id of the browser's session.
    pub(super) fn session_id(&self, asked: &Asked) -> Option<String> {
        let name = names(self.secure()).session;
        let mut ids = values(&asked.parts.headers, name)
            .filter_map(|sealed| self.seal.open(Purpose::Session, sealed));
        ids.find(|id| self.store.session(id, asked.now()).is_some()).map(str::to_owned)
    }

    /// Gives the browser a session.
    pub(super) fn set_session(&self, response: &mut Response<Body>, session: &Session) {
        let names = names(self.secure());
        let value = self.seal.seal(Purpose::Session, &session.id);
        self.set(response, names.session, &value, PAGES, "; HttpOnly; SameSite=Lax");
        let state = self.browser_state(&session.id);
        // Pages of other sites embed the one that reads this; it proves nothing to us.
        let site = if self.secure() { "; SameSite=None" } else { "; SameSite=Lax" };
        self.set(response, names.browser_state, &state, CHECK, site);
    }

    /// Takes the session from the browser.
    pub(super) fn unset_session(&self, response: &mut Response<Body>) {
        let names = names(self.secure());
        self.set(response, names.session, "", PAGES, "; HttpOnly; SameSite=Lax; Max-Age=0");
        self.set(response, names.browser_state, "", CHECK, "; SameSite=Lax; Max-Age=0");
    }

    /// What check-session pages compare; another one for every session.
    pub(super) fn browser_state(&self, session: &str) -> String {
        self.seal.tag(Purpose::BrowserState, &[session])
    }

    /// What the forms of this browser are bound to, and whether it has to be set.
    pub(super) fn form_key(&self, asked: &Asked) -> Result<(String, bool)> {
        let name = names(self.secure()).form;
        let known = values(&asked.parts.headers, name).find(|value| value.len() == 22);
        match known {
            Some(value) => Ok((value.to_owned(), false)),
            None => Ok((random()?, true)),
        }
    }

    /// Binds forms to the browser.
    pub(super) fn set_form_key(&self, response: &mut Response<Body>, key: &str) {
        let name = names(self.secure()).form;
        self.set(response, name, key, PAGES, "; HttpOnly; SameSite=Lax");
    }

    /// The token that a form about `what` carries.
    pub(super) fn form_token(&self, key: &str, what: &[&str]) -> String {
        let parts: Vec<&str> = [key].into_iter().chain(what.iter().copied()).collect();
        self.seal.tag(Purpose::Form, &parts)
    }

    /// Whether a form with `token` about `what` comes from a page that we gave to this browser.
    pub(super) fn form_is_ours(&self, asked: &Asked, what: &[&str], token: &str) -> bool {
        let name = names(self.secure()).form;
        self.comes_from_here(asked, false)
            && values(&asked.parts.headers, name).any(|key| {
                let parts: Vec<&str> = [key].into_iter().chain(what.iter().copied()).collect();
                self.seal.fits(Purpose::Form, &parts, token)
            })
    }

    fn set(&self, response: &mut Response<Body>, name: &str, value: &str, path: &str, rest: &str) {
        let secure = if self.secure() { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path={path}{secure}{rest}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
}
