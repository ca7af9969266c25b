//! What stands in the query of a request.

use std::time::Duration;

use ocis_core::config::Value as _;
use ocis_core::{Error, Result};
use percent_encoding::percent_decode_str;

/// A query as it was sent.
pub(crate) struct Query<'a>(pub(crate) &'a str);

impl<'a> Query<'a> {
    /// The first value of a name that is not empty, as a form encodes it.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        decoded(&self.raw(name)?.replace('+', " "))
    }

    /// As [`Self::text`], but a plus is one: hashes have some, and clients forget to encode them.
    pub(crate) fn verbatim(&self, name: &str) -> Option<String> {
        decoded(self.raw(name)?)
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        let pair = |pair: &'a str| pair.split_once('=').filter(|(key, _)| *key == name);
        self.0.split('&').find_map(pair).map(|(_, value)| value)
    }
}

fn decoded(value: &str) -> Option<String> {
    let decoded = percent_decode_str(value).decode_utf8_lossy().into_owned();
    Some(decoded).filter(|text| !text.is_empty())
}

/// How long a token is to be good, as Go writes it: `72h`, `1h30m`.
pub(crate) fn lifetime(text: &str) -> Result<Duration> {
    Duration::parse(text)
        .ok()
        .filter(|expiry| !expiry.is_zero())
        .ok_or_else(|| Error::invalid("error parsing expiry. Use e.g. 30m or 72h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_once() {
        let query = Query("label=my%20phone+1&token=$argon2id$v=19$m=8%2B+x&empty=&label=other");
        assert_eq!(query.text("label").as_deref(), Some("my phone 1"));
        assert_eq!(query.verbatim("token").as_deref(), Some("$argon2id$v=19$m=8++x"));
        assert_eq!(query.text("empty"), None);
        assert_eq!(query.text("abel"), None);
    }

    #[test]
    fn a_lifetime_is_that_of_go_and_not_over() {
        assert_eq!(lifetime("1h30m").unwrap(), Duration::from_secs(5400));
        for text in ["", "0", "0s", "-1h", "72", "ever"] {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }
}
