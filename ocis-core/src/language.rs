//! Which language a client wants.

/// The language that an `Accept-Language` (RFC 9110 section 12.5.4) likes best, the first of several;
/// none where it likes any or none.
pub fn best(accept: &str) -> Option<&str> {
    let ranges = accept.split(',').map(|range| {
        let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
        (tag.trim(), weight.unwrap_or(1.0_f32))
    });
    let liked = ranges.filter(|(tag, weight)| !tag.is_empty() && *weight > 0.0);
    let best = liked.rev().max_by(|(_, one), (_, other)| one.total_cmp(other));
    best.map(|(tag, _)| tag).filter(|tag| *tag != "*")
}

/// Whether a tag such as `de-AT` means this language.
pub fn is(tag: &str, language: &str) -> bool {
    tag.split(['-', '_']).next().is_some_and(|first| first.eq_ignore_ascii_case(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_liked_best() {
        for (accept, expected) in [
            ("de", Some("de")),
            ("en;q=0.5, de-AT;q=0.8, fr;q=0.8", Some("de-AT")),
            ("fr;q=0", None),
            ("fr;q=0.1, *;q=0.2", None),
            ("", None),
            (",;q=x", None),
        ] {
            assert_eq!(best(accept), expected, "{accept}");
        }
    }

    #[test]
    fn a_dialect_is_its_language() {
        assert!(
            is("de", "de")
                && is("de-AT", "de")
                && is("DE_at", "de")
                && !is("den", "de")
                && !is("", "de")
        );
    }
}
