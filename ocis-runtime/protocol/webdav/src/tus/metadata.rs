//! `Upload-Metadata`: what a client says of an upload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a client said, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata(pub(super) Vec<(String, String)>);

impl Metadata {
    /// Reads `<key> <base64>,<key>,...`; as in tusd, what is not of this form is passed over.
    pub(super) fn parse(text: &str) -> Self {
        let pair = |pair: &str| {
            let mut words = pair.split_ascii_whitespace();
            let key = words.next()?;
            let value = STANDARD.decode(words.next().unwrap_or_default()).ok()?;
            let value = String::from_utf8(value).ok()?;
            words.next().is_none().then(|| (key.to_owned(), value))
        };
        Self(text.split(',').filter_map(pair).collect())
    }

    /// The value of a key; none when it is missing or empty.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(name, value)| name == key && !value.is_empty());
        pair.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_with_and_without_values() {
        let read = Metadata::parse("filename dGVzdC50eHQ=, mtime MTcwMA==,is_new,bad !!,a b c,,");
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            read.0,
            [pair("filename", "test.txt"), pair("mtime", "1700"), pair("is_new", "")]
        );
        assert_eq!(read.get("filename"), Some("test.txt"));
        assert_eq!(read.get("is_new"), None);
        assert_eq!(Metadata::parse(""), Metadata::default());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-,a-z= ]{0,40}") {
            let _ = Metadata::parse(&text);
        }
    }
}
