//! `/config`: how the server is called.

use serde::Serialize;

/// The answer, as in oCIS.
#[derive(Debug, Serialize)]
pub(crate) struct Config<'a> {
    version: &'a str,
    website: &'a str,
    host: &'a str,
    contact: &'a str,
    ssl: &'a str,
}

/// The answer for the server with this public address.
pub(crate) fn of(url: &str) -> Config<'_> {
    // All but the host are constants of oCIS; `ssl` says false there over TLS too.
    Config { version: "1.7", website: "ownCloud", host: url, contact: "", ssl: "false" }
}
