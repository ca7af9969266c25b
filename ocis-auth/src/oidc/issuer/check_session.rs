//! The page by which a client's own page notices that the session changed (OpenID Connect Session
//! Management 1.0 section 3.2). Clients embed it; it is the one page here that needs a script.

use http::{Response, StatusCode};
use ocis_core::data::Body;

use super::{cookies, respond};

const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>Session</title><script src=\"check-session.js\"></script></head><body></body></html>\n";

/// Everybody may embed it: what it tells is whether a value that the asking page got from us is
/// still right.
const POLICY: &str = "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'";

const SCRIPT: &str = r#""use strict";
const cookieName = "COOKIE";
function browserState() {
  for (const pair of document.cookie.split(";")) {
    const at = pair.indexOf("=");
    if (pair.slice(0, at).trim() === cookieName) return pair.slice(at + 1).trim();
  }
  return "";
}
async function expected(client, origin, salt) {
  const text = `${client} ${origin} ${browserState()} ${salt}`;
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(hash)));
  return base64.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "") + "." + salt;
}
addEventListener("message", async (event) => {
  if (typeof event.data !== "string" || !event.source) return;
  const space = event.data.lastIndexOf(" ");
  const client = event.data.slice(0, space);
  const state = event.data.slice(space + 1);
  const salt = state.split(".")[1];
  let answer = "error";
  if (space > 0 && salt) {
    answer = (await expected(client, event.origin, salt)) === state ? "unchanged" : "changed";
  }
  event.source.postMessage(answer, event.origin);
});
"#;

pub(super) fn page() -> Response<Body> {
    respond::html(StatusCode::OK, POLICY, PAGE.to_owned())
}

pub(super) fn script(secure: bool) -> Response<Body> {
    let script = SCRIPT.replace("COOKIE", cookies::browser_state_name(secure));
    respond::file("text/javascript; charset=utf-8", script)
}
