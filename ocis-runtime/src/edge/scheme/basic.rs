//! User name and password (RFC 7617).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use ocis_core::port::Credentials;

/// The longest user name and password together, in bytes.
const MAX_CREDENTIALS: usize = 4096;

/// With and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// User name and password in the rest of the header. Bytes that are not UTF-8 are taken for Latin-1,
/// as old clients send them.
pub(super) fn credentials(rest: &[u8], peer: Option<IpAddr>) -> Option<Credentials> {
    if rest.len() > MAX_CREDENTIALS * 4 / 3 {
        return None;
    }
    let decoded = BASE64.decode(rest.trim_ascii()).ok()?;
    let text = String::from_utf8(decoded)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
    let (username, password) = text.split_once(':')?;
    // RFC 7617 section 2: neither may hold control characters.
    if username.is_empty() || text.contains(char::is_control) {
        return None;
    }
    Some(Credentials::Basic { username: username.to_owned(), password: password.to_owned(), peer })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rest: &[u8]) -> Option<(String, String)> {
        match credentials(rest, None)? {
            Credentials::Basic { username, password, .. } => Some((username, password)),
            _ => None,
        }
    }

    fn encoded(credentials: &[u8]) -> Vec<u8> {
        BASE64.encode(credentials).into_bytes()
    }

    #[test]
    fn utf8_and_latin1_with_and_without_padding() {
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(parse(b"YWRtaW46YWRtaW4="), pair("admin", "admin"));
        assert_eq!(parse(b"YWRtaW46YWRtaW4"), pair("admin", "admin"));
        assert_eq!(parse(&encoded("jürgen:grün:x".as_bytes())), pair("jürgen", "grün:x"));
        assert_eq!(parse(&encoded(b"j\xfcrgen:gr\xfcn")), pair("jürgen", "grün"));
        assert_eq!(parse(&encoded(b"admin:")), pair("admin", ""));
    }

    #[test]
    fn anything_else_proves_nobody() {
        for rest in [
            &b""[..],
            b"!!!!",
            &encoded(b"admin"),
            &encoded(b":password"),
            &encoded(b"ad\0min:x"),
            &encoded(b"admin:x\ny"),
            &encoded(&[b"u:".as_slice(), &[b'x'; 5000]].concat()),
        ] {
            assert_eq!(parse(rest), None, "{rest:?}");
        }
    }
}
