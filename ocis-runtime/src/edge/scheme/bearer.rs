//! Bearer tokens (RFC 6750 section 2.1).

use ocis_core::config::Secret;
use ocis_core::port::Credentials;

/// The longest token, in bytes. Those of providers that put every group of a person into them are
/// some kilobytes long.
const MAX_TOKEN: usize = 16 * 1024;

/// The token in the rest of the header. It consists of the characters of `b64token` only, so that
/// there is one way to write it.
pub(super) fn credentials(rest: &[u8]) -> Option<Credentials> {
    let token = rest.trim_ascii();
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    if token.is_empty() || token.len() > MAX_TOKEN || !token.iter().all(legal) {
        return None;
    }
    let token = std::str::from_utf8(token).ok()?;
    Some(Credentials::Bearer { token: Secret::new(token) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_the_standard_and_nothing_else() {
        let parse = |rest: &[u8]| match credentials(rest) {
            Some(Credentials::Bearer { token }) => Some(token.expose().to_owned()),
            _ => None,
        };
        assert_eq!(parse(b"eyJh.e-Y_.x").as_deref(), Some("eyJh.e-Y_.x"));
        assert_eq!(parse(b" opaque+/== ").as_deref(), Some("opaque+/=="));
        assert!(parse(&[b'a'; MAX_TOKEN]).is_some());
        for rest in [&b""[..], b" ", b"a b", b"a,b", b"a\"b", b"\xc3\xa4", &[b'a'; MAX_TOKEN + 1]] {
            assert_eq!(parse(rest), None, "{rest:?}");
        }
    }
}
