//! The client's address behind reverse proxies.
//!
//! Anybody can send `X-Forwarded-For`, so by default it means nothing: whoever guesses passwords
//! could otherwise seem to come from a new address each time. Behind proxies that are trusted by
//! configuration, the client is the last address in the list that is not itself a trusted proxy.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client of a connection from `peer`.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let mut client = peer.to_canonical();
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for hop in hops {
        if !trusted.contains(&client) {
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
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, "6.6.6.6, 1.2.3.4".parse().unwrap());
        headers.append(X_FORWARDED_FOR, "10.0.0.2".parse().unwrap());
        let of = |peer, trusted: &[IpAddr]| client(ip(peer), &headers, trusted);
        assert_eq!(of("10.0.0.1", &[]), ip("10.0.0.1"));
        assert_eq!(of("10.0.0.1", &[ip("10.0.0.1")]), ip("10.0.0.2"));
        assert_eq!(of("10.0.0.1", &[ip("10.0.0.1"), ip("10.0.0.2")]), ip("1.2.3.4"));
        assert_eq!(of("::ffff:10.0.0.1", &[ip("10.0.0.1")]), ip("10.0.0.2"));
    }
}
