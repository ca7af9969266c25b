//! What stands in a signed URL, and what exactly was signed.
//!
//! A client adds `OC-Credential`, `OC-Date`, `OC-Expires` and `OC-Verb` to the query of a URL, signs
//! the whole, and adds `OC-Algo` and `OC-Signature`. oCIS takes the query apart, sorts it and puts
//! it together again before it verifies, so clients that sign in that form exist too, and some
//! reverse proxies write `$` for `%24`. All of these forms are tried.

use std::borrow::Cow;
use std::time::Duration;

use ocis_core::time::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The longest URL in bytes.
const LONGEST: usize = 16 * 1024;
/// The longest time that a URL can be good for (ownCloud: 7 days).
const LONGEST_LIFE: u64 = 7 * 24 * 3600;
/// How far the clock of a client may be ahead.
const AHEAD: Duration = Duration::from_secs(300);

/// The parameters that are signed beside those of the URL itself, in the order of oCIS.
const SIGNED: [&str; 4] = ["OC-Credential", "OC-Date", "OC-Expires", "OC-Verb"];
/// The parameters that are not signed.
const ADDED: [&str; 2] = ["OC-Algo", "OC-Signature"];

/// What Go's `url.QueryEscape` leaves as it is.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A signed URL, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SignedUrl {
    /// The name of the account that signed.
    pub(super) username: String,
    /// The method that it was signed for.
    pub(super) method: String,
    /// The signature.
    pub(super) signature: [u8; 32],
    /// Since when it is good.
    pub(super) from: Timestamp,
    /// Until when.
    pub(super) until: Timestamp,
    /// What may have been signed, the likeliest first.
    pub(super) texts: Vec<String>,
}

impl SignedUrl {
    /// Takes `url` apart. None when something is missing, there twice, or makes no sense.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let (base, query) = url.split_once('?').filter(|_| url.len() <= LONGEST)?;
        let pairs: Vec<Pair<'_>> = query.split('&').map(Pair::parse).collect();
        let one = |name: &str| {
            let mut found = pairs.iter().filter(|pair| pair.name == name);
            let value = found.next().map(|pair| pair.value.to_string())?;
            Some(value).filter(|value| !value.is_empty() && found.next().is_none())
        };
        let from = one("OC-Date")?.parse::<Timestamp>().ok()?;
        let life = one("OC-Expires")?;
        let life = life.bytes().all(|byte| byte.is_ascii_digit()).then(|| life.parse().ok())??;
        Some(Self {
            username: one("OC-Credential")?,
            method: one("OC-Verb")?,
            signature: bytes(&one("OC-Signature")?)?,
            from,
            until: from.plus(Duration::from_secs(life).min(Duration::from_secs(LONGEST_LIFE + 1))),
            texts: texts(base, &pairs),
        })
        .filter(|_| (1..=LONGEST_LIFE).contains(&life))
    }

    /// Whether the URL is good at `now`.
    pub(super) fn is_good(&self, now: Timestamp) -> bool {
        self.from <= now.plus(AHEAD) && now < self.until
    }
}

struct Pair<'a> {
    raw: &'a str,
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

impl<'a> Pair<'a> {
    fn parse(raw: &'a str) -> Self {
        let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
        Self { raw, name: decoded(name), value: decoded(value) }
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&&*self.name)
    }
}

fn texts(base: &str, pairs: &[Pair<'_>]) -> Vec<String> {
    let kept = pairs.iter().filter(|pair| !pair.is(&ADDED)).map(|pair| pair.raw);
    let written = format!("{base}?{}", kept.collect::<Vec<_>>().join("&"));
    let mut own: Vec<&Pair<'_>> = pairs
        .iter()
        .filter(|pair| !pair.is(&ADDED) && !pair.is(&SIGNED) && !pair.raw.is_empty())
        .collect();
    own.sort_by(|one, other| one.name.cmp(&other.name));
    let signed = SIGNED.iter().filter_map(|name| pairs.iter().find(|pair| pair.name == *name));
    let encoded = own
        .into_iter()
        .chain(signed)
        .map(|pair| format!("{}={}", encoded(&pair.name), encoded(&pair.value)));
    let sorted = format!("{base}?{}", encoded.collect::<Vec<_>>().join("&"));
    let mut texts = vec![written];
    for text in [sorted.replacen('$', "%24", 1), sorted] {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// Of a form: a plus is a blank.
fn decoded(text: &str) -> Cow<'_, str> {
    match text.contains('+') {
        true => {
            Cow::Owned(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned())
        }
        false => percent_decode_str(text).decode_utf8_lossy(),
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string().replace("%20", "+")
}

/// 32 bytes in hexadecimal.
fn bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://cloud.example.org/remote.php/dav/spaces/a%24b/x%20y.txt";
    const OC: &str = "OC-Credential=einstein&OC-Date=2023-11-14T22%3A13%3A20.000Z&OC-Expires=1200&\
        OC-Verb=GET";

    fn with(query: &str) -> Option<SignedUrl> {
        SignedUrl::parse(&format!("{BASE}?{query}&OC-Signature={}", "0a".repeat(32)))
    }

    #[test]
    fn what_was_signed_is_the_url_without_what_was_added() {
        let url = with(&format!("{OC}&OC-Algo=PBKDF2%2F10000-SHA512")).unwrap();
        assert_eq!((url.username.as_str(), url.method.as_str()), ("einstein", "GET"));
        assert_eq!(url.texts, [format!("{BASE}?{OC}")]);
        assert_eq!(url.signature, [10; 32]);
        assert_eq!(url.until.to_string(), "2023-11-14T22:33:20Z");
    }

    #[test]
    fn the_sorted_form_of_ocis_is_tried_as_well() {
        let url = with(&format!("x=1&{OC}&a=b+c%2f")).unwrap();
        let sorted = format!("{BASE}?a=b+c%2F&x=1&{OC}");
        assert_eq!(url.texts, [format!("{BASE}?x=1&{OC}&a=b+c%2f"), sorted]);
        let decoded =
            SignedUrl::parse(&format!("https://h/a$b?{OC}&OC-Signature={}", "00".repeat(32)));
        let texts = decoded.unwrap().texts;
        assert_eq!(texts, [format!("https://h/a$b?{OC}"), format!("https://h/a%24b?{OC}")]);
    }

    #[test]
    fn what_is_incomplete_or_ambiguous_is_none() {
        for (found, instead) in [
            ("OC-Credential=einstein&", ""),
            ("OC-Credential=einstein&", "OC-Credential=&"),
            ("OC-Credential=einstein&", "OC-Credential=einstein&OC-Credential=marie&"),
            ("OC-Verb=GET", "OC-Verb=GET&OC-Verb=PUT"),
            ("OC-Verb=GET", ""),
            ("2023-11-14T22%3A13%3A20.000Z", "yesterday"),
            ("=1200", "=0"),
            ("=1200", "=-1"),
            ("=1200", "=%2B1200"),
            ("=1200", "=604801"),
            ("=1200", "=99999999999999999999"),
            ("=1200", "=12h"),
        ] {
            assert!(OC.contains(found));
            assert_eq!(with(&OC.replace(found, instead)), None, "{instead}");
        }
        assert_eq!(SignedUrl::parse(&format!("{BASE}?{OC}")), None);
        for signature in ["", "00", &"zz".repeat(32), &"+0".repeat(32), &"é0".repeat(21)] {
            assert_eq!(SignedUrl::parse(&format!("{BASE}?{OC}&OC-Signature={signature}")), None);
        }
        assert_eq!(with(&format!("{OC}&x={}", "x".repeat(LONGEST))), None);
    }

    #[test]
    fn a_url_is_good_from_its_date_for_as_long_as_it_says() {
        let url = with(OC).unwrap();
        let at =
            |seconds: i64| url.is_good(Timestamp::from_unix(1_700_000_000 + seconds, 0).unwrap());
        assert!(at(0) && at(1199) && at(-300));
        assert!(!at(1200) && !at(-301));
    }
}
