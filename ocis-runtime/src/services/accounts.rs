//! Which directory a service takes accounts from: the embedded one, or one behind LDAP.
//!
//! As in oCIS, every service has the settings of an LDAP client, whose defaults lead to idm. Where
//! idm runs in the same process they mean its directory, and its ports are called without LDAP.
//! [`is_own`] is the rule: LDAP is used as soon as idm does not run in this process, or the URI is
//! none of the address where idm listens.

use std::sync::Arc;

use ocis_auth::ldap::{Ldap, LdapOptions};
use ocis_core::Result;

use crate::peers::Peers;

/// The ports that URIs without one mean.
const LDAPS_PORT: &str = "636";
const LDAP_PORT: &str = "389";

/// Whether `servers` are the idm of this process, which listens on `own`; none when it runs
/// elsewhere or not at all.
fn is_own(servers: &[String], own: Option<&str>) -> bool {
    let Some((own_host, own_port)) = own.and_then(|own| own.rsplit_once(':')) else { return false };
    let is_it = |server: &String| {
        let (place, default) = match server.split_once("://") {
            Some(("ldaps", place)) => (place, LDAPS_PORT),
            Some((_, place)) => (place, LDAP_PORT),
            None => return false,
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (place, default),
        };
        port == own_port && (host == own_host || (is_here(host) && listens_here(own_host)))
    };
    !servers.is_empty() && servers.iter().all(is_it)
}

/// Whether a host is this machine, by a name that it always has.
fn is_here(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Whether a listener at this host is reached by such a name.
fn listens_here(host: &str) -> bool {
    is_here(host) || matches!(host, "0.0.0.0" | "[::]" | "")
}

/// The directory of a service; settled when the service starts, because only then is it known
/// which others run.
#[derive(Debug, Clone)]
pub(super) struct Source {
    peers: Peers,
    servers: Arc<[String]>,
    ldap: Arc<Ldap>,
}

impl Source {
    /// [`ocis_core::ErrorKind::InvalidArgument`] when the options cannot be acted on.
    pub(super) fn new(peers: &Peers, options: LdapOptions) -> Result<Self> {
        let servers = options.servers.clone().into();
        Ok(Self { peers: peers.clone(), servers, ldap: Arc::new(Ldap::new(options)?) })
    }

    /// The directory behind LDAP; none where it is the embedded one.
    pub(super) fn ldap(&self) -> Option<Arc<Ldap>> {
        let own = is_own(&self.servers, self.peers.own_ldap());
        (!own).then(|| Arc::clone(&self.ldap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idm_of_the_same_process_is_called_without_ldap() {
        let own = |uri: &str, address: &str| {
            let servers: Vec<String> = uri.split(' ').map(str::to_owned).collect();
            is_own(&servers, Some(address))
        };
        for (uri, address) in [
            ("ldaps://localhost:9235", "127.0.0.1:9235"),
            ("ldaps://127.0.0.1:9235", "0.0.0.0:9235"),
            ("ldaps://localhost:7000", "127.0.0.1:7000"),
            ("ldaps://localhost", "127.0.0.1:636"),
            ("ldaps://idm.example.org:9235", "idm.example.org:9235"),
        ] {
            assert!(own(uri, address), "{uri} {address}");
        }
        for (uri, address) in [
            ("ldaps://localhost:9235", "127.0.0.1:7000"),
            ("ldaps://localhost:636", "127.0.0.1:9235"),
            ("ldaps://ldap.example.org:9235", "127.0.0.1:9235"),
            ("ldaps://localhost:9235 ldaps://ldap.example.org", "127.0.0.1:9235"),
            ("ldaps://localhost:9235", "10.0.0.1:9235"),
        ] {
            assert!(!own(uri, address), "{uri} {address}");
        }
        assert!(!is_own(&["ldaps://localhost:9235".to_owned()], None), "idm runs elsewhere");
    }
}
