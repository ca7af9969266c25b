//! What all pages have in common: head, heading, and the policy that goes with what is on them.

use std::fmt::Write as _;

use http::{HeaderName, HeaderValue, Response, StatusCode};
use ocis_core::data::Body;

use super::super::{redirect, respond};
use super::language::Language;
use crate::oidc::issuer::discovery::path;

/// A plain cloud; decoration only.
const LOGO: &str = "<svg class=\"logo\" viewBox=\"0 0 64 40\" width=\"64\" height=\"40\" \
    aria-hidden=\"true\" focusable=\"false\"><path d=\"M50 38H17A13 13 0 0 1 14 12.4 17 17 0 0 1 \
    46.6 14.5 12 12 0 0 1 50 38Z\"/></svg>\n";

/// A page in the making.
pub(super) struct Frame<'a> {
    language: &'a Language,
    title: String,
    body: String,
    /// Where forms may go besides here.
    forms: String,
    /// What may be embedded.
    frames: String,
    picture: String,
    refresh: String,
}

impl<'a> Frame<'a> {
    pub(super) fn new(language: &'a Language, title: String, picture: Option<&str>) -> Self {
        let picture = match picture {
            Some(url) if url.starts_with("http") => format!(" {}", redirect::source(url)),
            _ => String::new(),
        };
        Self {
            language,
            title,
            body: String::new(),
            forms: String::new(),
            frames: String::new(),
            picture,
            refresh: String::new(),
        }
    }

    /// Adds HTML.
    pub(super) fn push(&mut self, html: &str) {
        self.body.push_str(html);
    }

    /// Lets a form, or what it is answered with, lead to `source`.
    pub(super) fn allow_form_to(&mut self, source: &str) {
        if is_source(source) {
            self.forms = format!(" {source}");
        }
    }

    /// Embeds a page that nobody sees.
    pub(super) fn embed(&mut self, url: &str) {
        let source = redirect::source(url);
        if is_source(&source) {
            let url = escape(url);
            let _ = write!(self.frames, " {source}");
            let _ = writeln!(
                self.body,
                "<iframe class=\"unseen\" src=\"{url}\" title=\"\" aria-hidden=\"true\" tabindex=\"-1\"></iframe>"
            );
        }
    }

    /// Goes on to `url` after two seconds.
    pub(super) fn go_on(&mut self, url: &str) {
        let url = escape(url);
        self.refresh = format!("<meta http-equiv=\"refresh\" content=\"2;url={url}\">\n");
    }

    pub(super) fn answer(self, status: StatusCode) -> Response<Body> {
        let title = escape(&self.title);
        let text = format!(
            "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n{refresh}\
             <link rel=\"stylesheet\" href=\"{style}\">\n<link rel=\"icon\" href=\"data:,\">\n\
             </head>\n<body>\n<main>\n{LOGO}<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n",
            lang = escape(self.language.code()),
            refresh = self.refresh,
            style = path::STYLE,
            body = self.body,
        );
        let frames =
            if self.frames.is_empty() { " 'none'".to_owned() } else { self.frames.clone() };
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src 'self' data:{}; form-action 'self'{}; \
             frame-src{frames}; frame-ancestors 'none'; base-uri 'none'",
            self.picture, self.forms
        );
        let mut response = respond::html(status, &policy, text);
        let headers = response.headers_mut();
        const DENY: HeaderValue = HeaderValue::from_static("DENY");
        headers.insert(http::header::X_FRAME_OPTIONS, DENY);
        // With `no-referrer`, browsers would not even tell us that our own form is ours.
        const REFERRER: HeaderValue = HeaderValue::from_static("same-origin");
        headers.insert(http::header::REFERRER_POLICY, REFERRER);
        headers.insert(
            http::header::CONTENT_LANGUAGE,
            HeaderValue::from_str(self.language.code()).unwrap_or(HeaderValue::from_static("en")),
        );
        headers.insert(http::header::VARY, HeaderValue::from_static("Accept-Language, Cookie"));
        const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
        headers.insert(OPENER, HeaderValue::from_static("same-origin"));
        response
    }
}

/// Nothing that could end one rule of a policy and begin another.
fn is_source(source: &str) -> bool {
    !source.is_empty()
        && source.bytes().all(|c| c.is_ascii_alphanumeric() || b":/.-[]+_".contains(&c))
}

/// Text as part of HTML, in attributes too.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
