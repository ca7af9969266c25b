//! `${NAME}` and `${NAME|default}` in YAML values.
//!
//! Expansion happens after the YAML is parsed, so that no value of a variable can change the shape
//! of a file, and touches nothing but this form: a generated password such as `$P@h` stays whole.

use std::borrow::Cow;

/// `text` with every `${NAME}` and `${NAME|default}` replaced. A variable that is not set or empty
/// gives the default; without a default it gives nothing, and its name is added to `unset`.
pub fn expand<'a>(
    text: &'a str,
    lookup: impl Fn(&str) -> Option<String>,
    unset: &mut Vec<String>,
) -> Cow<'a, str> {
    if !text.contains("${") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, default, tail)) = reference(after) else {
            out.push_str("${");
            rest = after;
            continue;
        };
        match (lookup(name).filter(|value| !value.is_empty()), default) {
            (Some(value), _) => out.push_str(&value),
            (None, Some(default)) => out.push_str(default),
            (None, None) => unset.push(name.to_owned()),
        }
        rest = tail;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Splits `NAME|default}tail` or `NAME}tail`; blanks around name and default do not count.
fn reference(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let (inner, tail) = text.split_once('}')?;
    let (name, default) = match inner.split_once('|') {
        Some((name, default)) => (name.trim(), Some(default.trim())),
        None => (inner.trim(), None),
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some((name, default, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> (String, Vec<String>) {
        let mut unset = Vec::new();
        let lookup = |name: &str| match name {
            "HOST" => Some("cloud.example.org".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        (expand(text, lookup, &mut unset).into_owned(), unset)
    }

    #[test]
    fn forms() {
        for (text, expected) in [
            ("https://${HOST}:443", "https://cloud.example.org:443"),
            ("${ HOST }", "cloud.example.org"),
            ("${HOST|localhost}", "cloud.example.org"),
            ("${NONE|localhost}:9200", "localhost:9200"),
            ("${EMPTY| localhost }", "localhost"),
            ("${NONE|}", ""),
            ("${NONE|a|b}", "a|b"),
        ] {
            assert_eq!(run(text), (expected.to_owned(), Vec::new()), "{text}");
        }
        assert_eq!(run("a${NONE}b"), ("ab".to_owned(), vec!["NONE".to_owned()]));
    }

    #[test]
    fn nothing_else_is_touched() {
        for text in
            ["$P@hY@bkj", "$HOST", "${", "${}", "${1A}", "${HOST", "${A-B}", "$$", "%{HOST}"]
        {
            assert_eq!(run(text), (text.to_owned(), Vec::new()));
        }
    }
}
