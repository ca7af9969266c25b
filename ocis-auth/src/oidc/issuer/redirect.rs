//! Where a client may have a browser sent: the address that it registered, letter by letter.
//!
//! The one exception is RFC 8252 section 7.3: a native client listens on a loopback address at a
//! port that the system gives it, so there the port does not count. oCIS's desktop client
//! registered `http://127.0.0.1` and `http://localhost` without a path, and sends one or none; as
//! in oCIS, a registered loopback address without a path takes any.

/// Whether `asked` is what a client registered as `registered`. `native`: whether it may have the
/// loopback rule.
pub(super) fn matches(registered: &str, asked: &str, native: bool) -> bool {
    if asked.contains('#') {
        return false;
    }
    if registered == asked {
        return true;
    }
    let (Some(registered), Some(asked)) = (Loopback::of(registered), Loopback::of(asked)) else {
        return false;
    };
    native
        && registered.host == asked.host
        && (registered.rest.is_empty() || registered.rest == asked.rest)
}

/// Whether an address can be registered: absolute, without fragment, and not one that a browser
/// would run or open locally.
pub(super) fn is_sound(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once(':') else { return false };
    let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.');
    let forbidden = ["javascript", "data", "vbscript", "file", "blob", "about", "view-source"];
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(legal)
        && !forbidden.contains(&scheme.to_ascii_lowercase().as_str())
        && !address.contains('#')
        && address.bytes().all(|c| c.is_ascii_graphic() && !matches!(c, b'"' | b'<' | b'>' | b'\\'))
        && rest.starts_with("//")
        && rest.len() > 2
}

/// Whether an address is that of a program on the person's own device.
pub(super) fn is_loopback(address: &str) -> bool {
    Loopback::of(address).is_some()
}

/// What a content security policy calls the place that `address` leads to.
pub(super) fn source(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return String::new() };
    if !matches!(scheme, "http" | "https") {
        return format!("{scheme}:");
    }
    // Policies know no IPv6 addresses.
    if rest.starts_with('[') {
        return format!("{scheme}:");
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    format!("{scheme}://{}", rest.get(..end).unwrap_or_default())
}

struct Loopback<'a> {
    host: &'a str,
    /// Path and query.
    rest: &'a str,
}

impl<'a> Loopback<'a> {
    fn of(address: &'a str) -> Option<Self> {
        let address = address.strip_prefix("http://")?;
        let end = address.find(['/', '?']).unwrap_or(address.len());
        let (authority, rest) = address.split_at(end);
        let host = match authority.strip_prefix('[') {
            Some(v6) => authority.get(..v6.find(']')? + 2)?,
            None => authority.split(':').next()?,
        };
        let port = authority.strip_prefix(host)?;
        let is_port = |port: &str| port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok());
        let rest_is_plain = rest.bytes().all(|c| c.is_ascii_graphic() && c != b'\\');
        (matches!(host, "127.0.0.1" | "[::1]" | "localhost")
            && (port.is_empty() || is_port(port))
            && rest_is_plain)
            .then_some(Self { host, rest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_by_letter() {
        let registered = "https://cloud.example.org/callback";
        assert!(matches(registered, registered, false));
        for asked in [
            "https://cloud.example.org/callback/",
            "https://cloud.example.org/callback/../evil",
            "https://cloud.example.org/callbackk",
            "https://cloud.example.org/Callback",
            "https://CLOUD.example.org/callback",
            "https://cloud.example.org/callback?x=1",
            "https://cloud.example.org/callback#x",
            "https://cloud.example.org:443/callback",
            "https://cloud.example.org.evil.org/callback",
            "https://evil@cloud.example.org/callback",
            "https://cloud.example.org@evil.org/callback",
            "http://cloud.example.org/callback",
            "//cloud.example.org/callback",
            "https://cloud.example.org\\@evil.org/callback",
            "",
        ] {
            assert!(!matches(registered, asked, true), "{asked}");
        }
    }

    #[test]
    fn loopback_ports() {
        for asked in [
            "http://127.0.0.1",
            "http://127.0.0.1:49152",
            "http://127.0.0.1:49152/",
            "http://127.0.0.1:49152/path",
        ] {
            assert!(matches("http://127.0.0.1", asked, true), "{asked}");
        }
        assert!(matches("http://localhost", "http://localhost:1", true));
        assert!(matches("http://[::1]", "http://[::1]:1", true));
        assert!(matches("http://[::1]/cb", "http://[::1]:1/cb", true));
        for asked in [
            "http://127.0.0.1:1#x",
            "http://127.0.0.1:99999",
            "http://127.0.0.1:",
            "http://127.0.0.1:1@evil.org",
            "http://127.0.0.1@evil.org",
            "http://127.0.0.1.evil.org",
            "http://127.0.0.2:1",
            "https://127.0.0.1:1",
            "http://localhost:1",
            "http://evil@127.0.0.1:1",
            "http://127.0.0.1:1\\@evil.org",
        ] {
            assert!(!matches("http://127.0.0.1", asked, true), "{asked}");
        }
        assert!(!matches("http://127.0.0.1", "http://127.0.0.1:1", false));
        assert!(!matches("http://127.0.0.1/cb", "http://127.0.0.1:1/other", true));
    }

    #[test]
    fn what_can_be_registered() {
        for sound in ["https://a.example/cb", "oc://android.owncloud.com", "http://localhost"] {
            assert!(is_sound(sound), "{sound}");
        }
        for not in
            ["javascript://a/%0aalert(1)", "data://x", "https://a#b", "/cb", "https://", "x:y"]
        {
            assert!(!is_sound(not), "{not}");
        }
        assert_eq!(source("https://a.example:8443/cb?x"), "https://a.example:8443");
        assert_eq!(source("http://[::1]:1/cb"), "http:");
        assert_eq!(source("oc://android.owncloud.com"), "oc:");
    }
}
