//! Parameters of requests: queries and forms (`application/x-www-form-urlencoded`).
//!
//! RFC 6749 section 3.1: a parameter without a value counts as left out, and none may come twice.
//! Who reads the first of two and who reads the last of them would see two different requests.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use zeroize::Zeroize as _;

/// What may stand unescaped in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Parameters with their values, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Params(Vec<(String, String)>);

/// Passwords and tokens come as parameters, so none stays in memory.
impl Drop for Params {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

/// Why something is no list of parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// This one comes twice.
    Twice(String),
    /// It is not UTF-8.
    NotUtf8,
}

impl Params {
    /// Reads a query or a form.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let mut params: Vec<(String, String)> = Vec::new();
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            if params.iter().any(|(known, _)| *known == name) {
                return Err(Malformed::Twice(name));
            }
            params.push((name, value));
        }
        Ok(Self(params))
    }

    /// The value of a parameter; none when it is left out or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The words of a parameter that is a list.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        let words = self.get(name).unwrap_or_default().split(' ');
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    /// The same without `name`.
    pub(super) fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(known, _)| known != name).cloned().collect())
    }

    /// The same with `name` set to `value`.
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let mut params = self.without(name);
        params.0.push((name.to_owned(), value.to_owned()));
        params
    }

    /// The parameters as a query.
    pub(super) fn query(&self) -> String {
        encode(self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// A query of pairs.
pub(super) fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        query.extend(utf8_percent_encode(name, QUERY));
        query.push('=');
        query.extend(utf8_percent_encode(value, QUERY));
    }
    query
}

fn decode(text: &[u8]) -> Result<String, Malformed> {
    let spaced: Vec<u8> =
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let text = percent_decode(&spaced).decode_utf8().map_err(|_| Malformed::NotUtf8)?;
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_means() {
        let params = Params::parse(b"a=1+2%263&b=&c").unwrap();
        assert_eq!(params.get("a"), Some("1 2&3"));
        assert_eq!(params.get("b"), None);
        assert_eq!(params.get("c"), None);
        assert_eq!(params.words("a"), ["1", "2&3"]);
        assert_eq!(
            params.without("b").without("c").with("d", "ä/").query(),
            "a=1%202%263&d=%C3%A4%2F"
        );
    }

    #[test]
    fn nothing_comes_twice() {
        assert_eq!(Params::parse(b"a=1&b=2&%61=3"), Err(Malformed::Twice("a".into())));
        assert_eq!(Params::parse(b"a=%ff"), Err(Malformed::NotUtf8));
    }
}
