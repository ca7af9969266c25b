//! What a setting's text means. Every type says what would be right, so that an error can.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::secret::Secret;

/// A type that a setting can have. Values come as text, from a variable or a YAML scalar, or as a
/// list, from a YAML sequence.
pub trait Value: Default {
    /// What a value looks like, in one or two words, for the reference.
    const KIND: &'static str;
    /// Whether the value must not be shown.
    const SECRET: bool = false;
    /// Whether the empty text is a value. Where it is none it counts as not set, as in oCIS: container files
    /// pass many a variable on without a value.
    const EMPTY: bool = false;

    /// Reads `text`. The error ends the sentence that begins with place and, unless it is a secret,
    /// value, such as `; right would be true or false`.
    fn parse(text: &str) -> Result<Self, String>;

    /// Reads a YAML sequence; only lists can. The error is as that of [`Self::parse`], without the
    /// value.
    fn from_list(_items: Vec<String>) -> Result<Self, String> {
        Err(format!(" is a list; right would be: {}", Self::KIND))
    }

    /// Reads what is deeper in YAML than a list or mapping of scalars; only records can.
    fn from_tree(_tree: serde_json::Value) -> Result<Self, String> {
        Err(format!(" is not one value; right would be: {}", Self::KIND))
    }

    /// Reads a YAML mapping; only maps can.
    fn from_map(_entries: Vec<(String, String)>) -> Result<Self, String> {
        Err(format!(" is not one value; right would be: {}", Self::KIND))
    }
}

fn right(what: &str) -> String {
    format!("; right would be {what}")
}

impl Value for String {
    const KIND: &'static str = "text";
    const EMPTY: bool = true;
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Value for PathBuf {
    const KIND: &'static str = "path";
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }
}

impl Value for Secret {
    const KIND: &'static str = "secret";
    const SECRET: bool = true;
    const EMPTY: bool = true;
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::new(text))
    }
}

impl Value for Vec<String> {
    const KIND: &'static str = "list";
    const EMPTY: bool = true;
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect())
    }
    fn from_list(items: Vec<String>) -> Result<Self, String> {
        Ok(items)
    }
}

impl<T: Value> Value for BTreeMap<String, T> {
    const KIND: &'static str = "map";
    const EMPTY: bool = true;
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            Ok(Self::new())
        } else {
            Err(right("keys below it, each with its value"))
        }
    }
    fn from_map(entries: Vec<(String, String)>) -> Result<Self, String> {
        let entry = |(key, text): (String, String)| match T::parse(&text) {
            Ok(value) => Ok((key, value)),
            Err(right) => Err(format!(": {key} is {text:?}{right}")),
        };
        entries.into_iter().map(entry).collect()
    }
}

/// A list of mappings, such as the clients of the OpenID provider. Only YAML can hold one; whoever
/// needs them reads each with serde.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records(pub Vec<serde_json::Value>);

impl Value for Records {
    const KIND: &'static str = "list of mappings";
    const EMPTY: bool = true;
    /// Such a list may hold secrets (those of clients, for one).
    const SECRET: bool = true;
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(Self::default()) } else { Err(right(Self::KIND)) }
    }
    fn from_list(items: Vec<String>) -> Result<Self, String> {
        if items.is_empty() { Ok(Self::default()) } else { Err(right(Self::KIND)) }
    }
    fn from_tree(tree: serde_json::Value) -> Result<Self, String> {
        match tree {
            serde_json::Value::Array(items) if items.iter().all(serde_json::Value::is_object) => {
                Ok(Self(items))
            }
            _ => Err(right(Self::KIND)),
        }
    }
}

impl Value for bool {
    const KIND: &'static str = "true or false";
    /// The forms of Go's `strconv.ParseBool`.
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
            _ => Err(right("true or false")),
        }
    }
}

/// The base and digits of an integer with Go's prefixes `0x`, `0o`, `0b` and `0`.
fn digits(text: &str) -> (u32, &str) {
    let lower = |prefix: &str| {
        text.get(..2).filter(|head| head.eq_ignore_ascii_case(prefix)).and_then(|_| text.get(2..))
    };
    if let Some(rest) = lower("0x") {
        (16, rest)
    } else if let Some(rest) = lower("0o") {
        (8, rest)
    } else if let Some(rest) = lower("0b") {
        (2, rest)
    } else if text.len() > 1 && text.starts_with('0') {
        (8, text)
    } else {
        (10, text)
    }
}

fn unsigned(text: &str) -> Option<u64> {
    let (base, digits) = digits(text.strip_prefix('+').unwrap_or(text));
    let bare = digits.starts_with(|c: char| c.is_ascii_hexdigit());
    bare.then(|| u64::from_str_radix(digits, base).ok()).flatten()
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Value for $type {
            const KIND: &'static str = "number";
            fn parse(text: &str) -> Result<Self, String> {
                unsigned(text).and_then(|number| Self::try_from(number).ok()).ok_or_else(|| {
                    right(&format!("a whole number from 0 to {}", Self::MAX))
                })
            }
        }
    )*};
}
integers!(u16, u32, u64, usize);

impl Value for i64 {
    const KIND: &'static str = "number";
    fn parse(text: &str) -> Result<Self, String> {
        let number = match text.strip_prefix('-') {
            Some(rest) => unsigned(rest).and_then(|number| 0_i64.checked_sub_unsigned(number)),
            None => unsigned(text).and_then(|number| Self::try_from(number).ok()),
        };
        number.ok_or_else(|| right("a whole number such as 100 or -1"))
    }
}

impl Value for Duration {
    const KIND: &'static str = "duration";
    /// The forms of Go's `time.ParseDuration` that are not negative.
    fn parse(text: &str) -> Result<Self, String> {
        go_duration(text).ok_or_else(|| right("a duration such as 300ms, 10s or 1h30m"))
    }
}

fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let nanos: u64 = match unit {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        total = total.checked_add(scaled(number, nanos)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

/// `number`, which may have a fraction, times `nanos` nanoseconds.
fn scaled(number: &str, nanos: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut total = whole.checked_mul(nanos)?;
    let mut scale = nanos;
    for digit in fraction.chars() {
        scale /= 10;
        total = total.checked_add(u64::from(digit.to_digit(10)?) * scale)?;
    }
    Some(Duration::from_nanos(total))
}

/// A span of time that oCIS writes as a plain number of seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub Duration);

impl Value for Seconds {
    const KIND: &'static str = "seconds";
    fn parse(text: &str) -> Result<Self, String> {
        unsigned(text)
            .map(|seconds| Self(Duration::from_secs(seconds)))
            .ok_or_else(|| right("a whole number of seconds such as 60"))
    }
}

/// An amount of data, written as a plain number of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl Value for ByteSize {
    const KIND: &'static str = "bytes";
    fn parse(text: &str) -> Result<Self, String> {
        unsigned(text).map(Self).ok_or_else(|| right("a whole number of bytes such as 1000000000"))
    }
}

/// Where a socket is bound, as `host:port`: a name, an address (`[::1]` in brackets), or nothing
/// for all interfaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// The host without brackets; empty for all interfaces.
    pub fn host(&self) -> &str {
        let host = self.0.rsplit_once(':').map_or("", |(host, _)| host);
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port; 0 lets the system choose one.
    pub fn port(&self) -> u16 {
        self.0.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(0)
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value for Address {
    const KIND: &'static str = "host:port";
    fn parse(text: &str) -> Result<Self, String> {
        let host = text
            .rsplit_once(':')
            .filter(|(_, port)| {
                port.starts_with(|c: char| c.is_ascii_digit()) && port.parse::<u16>().is_ok()
            })
            .map(|(host, _)| host);
        let fits = host.is_some_and(|host| match host.strip_prefix('[') {
            Some(rest) => rest
                .strip_suffix(']')
                .is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok()),
            None => host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')),
        });
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(right("host:port such as 127.0.0.1:9200, [::1]:9200 or 0.0.0.0:9200"))
        }
    }
}

/// The URL of a server: `http` or `https`, a host, maybe a port and a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebUrl(String);

impl WebUrl {
    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without brackets and port.
    pub fn host(&self) -> String {
        let uri: Option<http::Uri> = self.0.parse().ok();
        let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']').to_owned()
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value for WebUrl {
    const KIND: &'static str = "URL";
    fn parse(text: &str) -> Result<Self, String> {
        let uri: Option<http::Uri> = text.parse().ok();
        let fits = uri.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        });
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(right(
                "a URL with protocol, host and maybe port, such as https://cloud.example.org",
            ))
        }
    }
}

/// How grave a log line must be to be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// What a developer looks for.
    Debug,
    /// What happens.
    Info,
    /// What looks wrong and does no harm yet.
    Warn,
    /// What went wrong; oCIS's default.
    #[default]
    Error,
    /// What ends the process.
    Fatal,
    /// A defect.
    Panic,
}

impl Value for LogLevel {
    const KIND: &'static str = "log level";
    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "panic" => Ok(Self::Panic),
            "fatal" => Ok(Self::Fatal),
            "error" => Ok(Self::Error),
            "warn" | "warning" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            "trace" => Ok(Self::Trace),
            _ => Err(right("panic, fatal, error, warning, info, debug or trace")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_those_of_go() {
        for text in ["1", "t", "T", "TRUE", "true", "True"] {
            assert_eq!(bool::parse(text), Ok(true), "{text}");
        }
        for text in ["0", "f", "F", "FALSE", "false", "False"] {
            assert_eq!(bool::parse(text), Ok(false), "{text}");
        }
        for text in ["yes", "on", "tRUE", "2", " true"] {
            assert!(bool::parse(text).unwrap_err().contains("true or false"), "{text}");
        }
    }

    #[test]
    fn numbers_take_prefixes() {
        for (text, number) in
            [("10", 10), ("0x1F", 31), ("0o17", 15), ("017", 15), ("0b101", 5), ("0", 0), ("+7", 7)]
        {
            assert_eq!(u64::parse(text), Ok(number), "{text}");
        }
        for text in ["-1", "1.5", "abc", "0x", "09", "++1", "0x+1", "1_000", "\u{e9}\u{e9}"] {
            assert!(u64::parse(text).is_err(), "{text}");
        }
        assert!(u16::parse("65536").unwrap_err().contains("65535"));
        assert_eq!(i64::parse("-0x10"), Ok(-16));
    }

    #[test]
    fn durations_are_those_of_go() {
        for (text, millis) in [
            ("300ms", 300),
            ("1h30m", 5_400_000),
            ("1.5s", 1_500),
            (".5s", 500),
            ("1.s", 1_000),
            ("336h0m0s", 1_209_600_000),
            ("0", 0),
            ("+1s", 1_000),
            ("2000us", 2),
        ] {
            assert_eq!(Duration::parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "-1s", "1x", "s", ".s", "1h30", "1..5s", "99999999999h"] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
        assert_eq!(Seconds::parse("60"), Ok(Seconds(Duration::from_secs(60))));
        assert!(Seconds::parse("1m").is_err());
    }

    #[test]
    fn addresses_have_host_and_port() {
        for (text, host, port) in [
            ("0.0.0.0:9200", "0.0.0.0", 9200),
            ("localhost:5555", "localhost", 5555),
            ("[::1]:9200", "::1", 9200),
            (":9200", "", 9200),
            ("127.0.0.1:0", "127.0.0.1", 0),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.host(), address.port()), (host, port), "{text}");
        }
        for text in
            ["9200", "localhost", "::1:9200", "a:b", "a:65536", "a:", "a b:1", "[x]:1", "a:+1"]
        {
            assert!(Address::parse(text).unwrap_err().contains("host:port"), "{text}");
        }
    }

    #[test]
    fn urls_have_protocol_and_host() {
        let url = WebUrl::parse("https://[::1]:9200/x").unwrap();
        assert_eq!(url.host(), "::1");
        assert_eq!(WebUrl::parse("https://cloud.example.org").unwrap().host(), "cloud.example.org");
        for text in
            ["cloud.example.org", "localhost:9200", "ftp://a", "https://", "https://u:p@host"]
        {
            assert!(WebUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn levels_and_lists() {
        assert_eq!(LogLevel::parse("Warning"), Ok(LogLevel::Warn));
        assert_eq!(LogLevel::parse("warn"), Ok(LogLevel::Warn));
        assert!(LogLevel::parse("loud").unwrap_err().contains("warning"));
        assert_eq!(<Vec<String>>::parse(" a, ,b ,"), Ok(vec!["a".to_owned(), "b".to_owned()]));
    }
}
