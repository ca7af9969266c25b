//! The client's address behind reverse proxies.
//!
//! Anybody can send `X-Forwarded-For`, so by default it means nothing: whoever guesses passwords
//! could otherwise seem to come from a new address each time. Behind proxies that are trusted by
//! configuration, the client is the last address in the list that is not itself a trusted proxy.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use ocis_core::config::Networks;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client of a connection from `peer`.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let mut client = peer.to_canonical();
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for hop in hops {
        if !trusted.contain(client) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use ocis_core::config::Value as _;

    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, "6.6.6.6, 1.2.3.4".parse().unwrap());
        headers.append(X_FORWARDED_FOR, "10.0.0.2".parse().unwrap());
        let of =
            |peer, trusted: &str| client(ip(peer), &headers, &Networks::parse(trusted).unwrap());
        assert_eq!(of("10.0.0.1", ""), ip("10.0.0.1"));
        assert_eq!(of("10.0.0.1", "10.0.0.1"), ip("10.0.0.2"));
        assert_eq!(of("10.0.0.1", "10.0.0.0/30"), ip("1.2.3.4"));
        assert_eq!(of("::ffff:10.0.0.1", "10.0.0.1"), ip("10.0.0.2"));
        assert_eq!(of("10.0.0.5", "10.0.0.0/30"), ip("10.0.0.5"));
    }

    #[test]
    fn what_is_no_address_ends_the_list() {
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, "1.2.3.4, unknown".parse().unwrap());
        let trusted = Networks::parse("10.0.0.0/8").unwrap();
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(client(peer, &headers, &trusted), peer);
    }
}
