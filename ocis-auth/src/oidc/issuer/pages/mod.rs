//! The pages that people see: plain HTML with one style sheet, no script, in their language.
//!
//! Every page has a content security policy that allows nothing from elsewhere but what it is for,
//! and may not be put into a frame. Text comes from the languages (`language`), everything else is
//! escaped on its way in.

mod frame;
mod language;

use http::{Response, StatusCode};
use ocis_core::Result;
use ocis_core::data::Body;
use ocis_core::user::User;

use self::frame::{Frame, escape};
pub(super) use self::language::Language;
use self::language::Languages;
use super::discovery::path;
use super::params::Params;
use super::request::Authorization;
use super::{Asked, IssuerOptions, redirect, respond};

const STYLE: &str = include_str!("style.css");

/// What the sign-in page is about.
pub(super) struct SignInForm<'a> {
    /// The request that signing in is for.
    pub(super) request: Option<&'a Authorization>,
    /// The user name to begin with.
    pub(super) username: &'a str,
    /// What went wrong before.
    pub(super) error: Option<&'static str>,
    /// The token that binds the form to the browser.
    pub(super) token: String,
    /// The request as a query.
    pub(super) carried: String,
}

/// What the consent page is about.
pub(super) struct ConsentForm<'a> {
    pub(super) request: &'a Authorization,
    pub(super) user: &'a User,
    pub(super) token: String,
    pub(super) carried: String,
}

/// Makes the pages.
#[derive(Debug)]
pub(super) struct Pages {
    languages: Languages,
    /// Where the person's files are.
    home: String,
    password_reset: Option<String>,
    background: Option<String>,
    style: String,
}

impl Pages {
    /// Reads the languages. Blocks. An error names the file that is wrong.
    pub(super) fn open(options: &IssuerOptions, url: &str) -> Result<Self> {
        let sound = |url: &String| {
            url.starts_with("https://") || url.starts_with("http://") || url.starts_with('/')
        };
        let background = options.background.clone().filter(sound);
        let mut style = STYLE.to_owned();
        if let Some(picture) = &background {
            let picture = picture.replace(['"', '\\', '\n', '\r', ')'], "");
            style.push_str(&format!(
                "body {{ background: var(--back) url(\"{picture}\") center / cover fixed; }}\n"
            ));
        }
        Ok(Self {
            languages: Languages::open(options.assets.as_deref())?,
            home: format!("{url}/"),
            password_reset: options.password_reset.clone().filter(|url| !url.is_empty()),
            background,
            style,
        })
    }

    /// The codes of the languages.
    pub(super) fn languages(&self) -> Vec<&str> {
        self.languages.codes()
    }

    /// The language for a request: what the client asks for, else what the browser prefers.
    pub(super) fn language(&self, asked: &Asked, ui_locales: Option<&str>) -> &Language {
        let accept = asked.parts.headers.get("accept-language");
        let accept = accept.and_then(|value| value.to_str().ok()).unwrap_or_default();
        self.languages.choose(ui_locales.unwrap_or_default(), accept)
    }

    pub(super) fn style(&self) -> Response<Body> {
        respond::file("text/css; charset=utf-8", self.style.clone())
    }

    fn frame<'a>(&'a self, language: &'a Language, title: &str) -> Frame<'a> {
        Frame::new(language, language.text(title), self.background.as_deref())
    }

    pub(super) fn sign_in(
        &self,
        language: &Language,
        status: StatusCode,
        form: &SignInForm<'_>,
    ) -> Response<Body> {
        let text = |key| escape(&language.text(key));
        let mut page = self.frame(language, "sign_in.title");
        if let Some(request) = form.request {
            // Browsers hold the answer of a form to the same rule as the form.
            page.allow_form_to(&redirect::source(&request.target.redirect_uri));
            let client = language.with("sign_in.client", "client", request.client.display_name());
            page.push(&format!("<p class=\"about\">{}</p>\n", escape(&client)));
        }
        let mut described = "";
        if let Some(error) = form.error {
            described = " aria-describedby=\"error\" aria-invalid=\"true\"";
            page.push(&format!(
                "<p class=\"error\" id=\"error\" role=\"alert\">{}</p>\n",
                text(error)
            ));
        }
        let (in_name, in_password) =
            if form.username.is_empty() { (" autofocus", "") } else { ("", " autofocus") };
        page.push(&format!(
            "<form method=\"post\" action=\"{action}\">\n{hidden}\
             <label for=\"username\">{username}</label>\n\
             <input id=\"username\" name=\"username\" type=\"text\" value=\"{known}\" required \
             autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\"\
             {in_name}{described}>\n\
             <label for=\"password\">{password}</label>\n\
             <input id=\"password\" name=\"password\" type=\"password\" required \
             autocomplete=\"current-password\"{in_password}{described}>\n\
             <button type=\"submit\">{submit}</button>\n</form>\n",
            action = path::SIGN_IN,
            hidden = hidden(&[("token", &form.token), ("request", &form.carried)]),
            username = text("sign_in.username"),
            password = text("sign_in.password"),
            submit = text("sign_in.submit"),
            known = escape(form.username),
        ));
        if let Some(reset) = &self.password_reset {
            let (reset, label) = (escape(reset), text("sign_in.reset"));
            page.push(&format!("<p class=\"more\"><a href=\"{reset}\">{label}</a></p>\n"));
        }
        page.answer(status)
    }

    pub(super) fn consent(&self, language: &Language, form: &ConsentForm<'_>) -> Response<Body> {
        let text = |key: &str| escape(&language.text(key));
        let mut page = self.frame(language, "consent.title");
        page.allow_form_to(&redirect::source(&form.request.target.redirect_uri));
        let client = form.request.client.display_name();
        let asks = escape(&language.with("consent.asks", "client", client));
        page.push(&format!("<p>{asks}</p>\n<ul>\n"));
        for scope in &form.request.scopes {
            let known = language.get(&format!("scope.{scope}"));
            let line = escape(known.unwrap_or(scope));
            page.push(&format!("<li>{line}</li>\n"));
        }
        let user = escape(&language.with("consent.user", "user", &form.user.display_name));
        let place = redirect::source(&form.request.target.redirect_uri);
        let place = escape(&language.with("consent.place", "place", &place));
        page.push(&format!(
            "</ul>\n<p class=\"about\">{user} {place}</p>\n\
             <form method=\"post\" action=\"{action}\">\n{hidden}\
             <button type=\"submit\" name=\"answer\" value=\"allow\">{allow}</button>\n\
             <button type=\"submit\" name=\"answer\" value=\"deny\" class=\"second\">{deny}</button>\n\
             </form>\n",
            action = path::CONSENT,
            hidden = hidden(&[("token", &form.token), ("request", &form.carried)]),
            allow = text("consent.allow"),
            deny = text("consent.deny"),
        ));
        page.answer(StatusCode::OK)
    }

    pub(super) fn welcome(&self, language: &Language, user: &User, token: &str) -> Response<Body> {
        let mut page = self.frame(language, "welcome.title");
        let name = escape(&language.with("welcome.text", "user", &user.display_name));
        page.push(&format!(
            "<p>{name}</p>\n<p><a class=\"button\" href=\"{home}\">{open}</a></p>\n\
             <form method=\"post\" action=\"{action}\">\n{hidden}\
             <button type=\"submit\" class=\"second\">{sign_out}</button>\n</form>\n",
            home = escape(&self.home),
            open = escape(&language.text("welcome.open")),
            action = path::END_SESSION,
            hidden = hidden(&[("token", token)]),
            sign_out = escape(&language.text("sign_out.submit")),
        ));
        page.answer(StatusCode::OK)
    }

    /// Asks whether somebody really wants to sign out. `params` are those of the request.
    pub(super) fn sign_out(
        &self,
        language: &Language,
        token: &str,
        params: &Params,
    ) -> Response<Body> {
        let mut page = self.frame(language, "sign_out.title");
        let kept = ["post_logout_redirect_uri", "state", "client_id", "id_token_hint"];
        let mut fields = vec![("token", token)];
        fields.extend(kept.iter().filter_map(|name| params.get(name).map(|value| (*name, value))));
        if let Some(back) = params.get("post_logout_redirect_uri") {
            page.allow_form_to(&redirect::source(back));
        }
        page.push(&format!(
            "<p>{question}</p>\n<form method=\"post\" action=\"{action}\">\n{hidden}\
             <button type=\"submit\">{submit}</button>\n</form>\n\
             <p class=\"more\"><a href=\"{home}\">{stay}</a></p>\n",
            question = escape(&language.text("sign_out.question")),
            action = path::END_SESSION,
            hidden = hidden(&fields),
            submit = escape(&language.text("sign_out.submit")),
            home = escape(&self.home),
            stay = escape(&language.text("sign_out.stay")),
        ));
        page.answer(StatusCode::OK)
    }

    /// Says that nobody is signed in any more. `frames`: pages that end their own sessions; after
    /// them the browser goes on to `back`.
    pub(super) fn goodbye(
        &self,
        language: &Language,
        back: Option<&str>,
        frames: &[String],
    ) -> Response<Body> {
        let mut page = self.frame(language, "goodbye.title");
        page.push(&format!("<p>{}</p>\n", escape(&language.text("goodbye.text"))));
        for frame in frames {
            page.embed(frame);
        }
        let (link, label) = match back {
            Some(back) => {
                page.go_on(back);
                (back, "goodbye.back")
            }
            None => (path::SIGN_IN, "goodbye.again"),
        };
        page.push(&format!(
            "<p><a class=\"button\" href=\"{}\">{}</a></p>\n",
            escape(link),
            escape(&language.text(label))
        ));
        page.answer(StatusCode::OK)
    }

    pub(super) fn error(
        &self,
        language: &Language,
        status: StatusCode,
        text: &str,
    ) -> Response<Body> {
        let mut page = self.frame(language, "error.title");
        page.push(&format!(
            "<p role=\"alert\">{}</p>\n<p class=\"more\"><a href=\"{}\">{}</a></p>\n",
            escape(&language.text(text)),
            escape(&self.home),
            escape(&language.text("error.home"))
        ));
        page.answer(status)
    }

    /// Hands an answer to a client by a form (OAuth 2.0 Form Post Response Mode). The form is not
    /// sent by a script, so it takes one press of a key.
    pub(super) fn form_post(
        &self,
        language: &Language,
        uri: &str,
        pairs: &[(&'static str, String)],
    ) -> Response<Body> {
        let mut page = self.frame(language, "form_post.title");
        page.allow_form_to(&redirect::source(uri));
        let fields: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        page.push(&format!(
            "<form method=\"post\" action=\"{}\">\n{}<button type=\"submit\" autofocus>{}</button>\n</form>\n",
            escape(uri),
            hidden(&fields),
            escape(&language.text("form_post.submit"))
        ));
        page.answer(StatusCode::OK)
    }
}

/// Fields that nobody sees.
fn hidden(fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| {
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n", escape(value))
    };
    fields.iter().map(field).collect()
}

#[cfg(test)]
mod tests;
