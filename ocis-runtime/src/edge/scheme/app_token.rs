//! User name and app token, which clients send as they send a password.

use std::net::IpAddr;

use ocis_core::config::Secret;
use ocis_core::port::Credentials;

use super::basic;

/// User name and app token in the rest of the header.
pub(super) fn credentials(rest: &[u8], peer: Option<IpAddr>) -> Option<Credentials> {
    match basic::credentials(rest, peer)? {
        Credentials::Basic { username, password, peer } => {
            Some(Credentials::AppToken { username, token: Secret::new(password), peer })
        }
        _ => None,
    }
}
