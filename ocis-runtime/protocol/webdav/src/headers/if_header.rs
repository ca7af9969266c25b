//! The header `If` (RFC 4918 section 10.4): its grammar. What its conditions mean for a resource is
//! decided in [`crate::verb::guard`].

use ocis_core::etag::Etag;

use crate::error::{Answer, Failure};

/// The longest header, in bytes.
const MAX_LENGTH: usize = 8 * 1024;
/// The most lists, and the most conditions of all lists.
const MAX_LISTS: usize = 64;
const MAX_CONDITIONS: usize = 256;

/// A list of conditions: it holds when all of them do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List {
    /// The resource that the conditions are about, as a URL or path; none means that of the request.
    pub(crate) resource: Option<String>,
    /// The conditions.
    pub(crate) conditions: Vec<Condition>,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Whether the state must not be there.
    pub(crate) not: bool,
    /// Which state.
    pub(crate) state: State,
}

/// What a resource can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// A lock with this token.
    Token(String),
    /// This entity tag.
    Etag(Etag),
}

/// Reads the header into lists, of which one must hold.
pub(crate) fn parse(text: &str) -> Answer<Vec<List>> {
    if text.len() > MAX_LENGTH {
        return Err(wrong("it is too long"));
    }
    let mut rest = text.trim_start();
    let mut lists: Vec<List> = Vec::new();
    let mut resource: Option<String> = None;
    let mut conditions = 0;
    let mut pending_tag = false;
    while !rest.is_empty() {
        if let Some(tagged) = rest.strip_prefix('<') {
            let (url, after) = tagged.split_once('>').ok_or_else(|| wrong("a > is missing"))?;
            // No-tag-lists and tagged lists do not mix.
            if url.is_empty() || pending_tag || (resource.is_none() && !lists.is_empty()) {
                return Err(wrong("a resource is out of place"));
            }
            resource = Some(url.into());
            pending_tag = true;
            rest = after.trim_start();
            continue;
        }
        let inside = rest.strip_prefix('(').ok_or_else(|| wrong("a ( is missing"))?;
        let (list, after) = read_list(inside)?;
        conditions += list.len();
        if lists.len() >= MAX_LISTS || conditions > MAX_CONDITIONS {
            return Err(wrong("it has too many conditions"));
        }
        lists.push(List { resource: resource.clone(), conditions: list });
        pending_tag = false;
        rest = after.trim_start();
    }
    if lists.is_empty() || pending_tag {
        return Err(wrong("it has no conditions"));
    }
    Ok(lists)
}

/// The conditions up to the closing parenthesis, and what follows it.
fn read_list(text: &str) -> Answer<(Vec<Condition>, &str)> {
    let mut list = Vec::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix(')') {
            return if list.is_empty() { Err(wrong("a list is empty")) } else { Ok((list, after)) };
        }
        let not = match rest.get(..3) {
            Some(word) if word.eq_ignore_ascii_case("not") => {
                rest = rest.get(3..).unwrap_or_default().trim_start();
                true
            }
            _ => false,
        };
        let (state, after) = if let Some(inside) = rest.strip_prefix('<') {
            let (token, after) = inside.split_once('>').ok_or_else(|| wrong("a > is missing"))?;
            if !is_token(token) {
                return Err(wrong("a state token is no URI"));
            }
            (State::Token(token.into()), after)
        } else if let Some(inside) = rest.strip_prefix('[') {
            let (tag, after) = inside.split_once(']').ok_or_else(|| wrong("a ] is missing"))?;
            (State::Etag(etag(tag.trim()).ok_or_else(|| wrong("an etag is malformed"))?), after)
        } else {
            return Err(wrong("a condition is neither <token> nor [etag]"));
        };
        list.push(Condition { not, state });
        rest = after.trim_start();
    }
}

/// Whether `text` can be a state token: an absolute URI without blanks.
pub(crate) fn is_token(text: &str) -> bool {
    text.len() <= 512
        && text.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
        && text.bytes().all(|c| c.is_ascii_graphic() && !matches!(c, b'<' | b'>' | b'"'))
}

/// Reads one entity tag, weak or strong, in quotes.
pub(crate) fn etag(text: &str) -> Option<Etag> {
    let bare = text.strip_prefix("W/").unwrap_or(text).strip_prefix('"')?.strip_suffix('"')?;
    (!bare.contains('"') && bare.bytes().all(|c| c >= 0x20 && c != 0x7f)).then(|| Etag::new(text))
}

fn wrong(what: &'static str) -> Failure {
    Failure::bad_request(format!("the header If cannot be read: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_rfc() {
        let token = |token: &str| State::Token(token.into());
        let lists = parse("(<urn:uuid:1> [\"I am an ETag\"]) ([\"I am another ETag\"])").unwrap();
        assert_eq!(lists[1].conditions[0].state, State::Etag(Etag::new("I am another ETag")));
        let lists = parse("(<urn:uuid:1> [W/\"a\"])(Not <DAV:no-lock>)").unwrap();
        assert_eq!(lists.len(), 2);
        assert_eq!(lists[0].conditions[1].state, State::Etag(Etag::new("a")));
        assert_eq!(lists[1].conditions, [Condition { not: true, state: token("DAV:no-lock") }]);
        let lists = parse("</a> (<urn:uuid:1>) (Not<urn:uuid:2>) <http://h/b> ([\"x\"])").unwrap();
        let resources: Vec<_> = lists.iter().map(|list| list.resource.as_deref()).collect();
        assert_eq!(resources, [Some("/a"), Some("/a"), Some("http://h/b")]);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let lists = "(<a:b>)".repeat(65);
        let conditions = format!("({})", "<a:b>".repeat(257));
        let long = format!("(<a:{}>)", "b".repeat(9000));
        for text in [
            "",
            "()",
            "(",
            "(<a:b>",
            "(<a:b)",
            "<a>",
            "<a> <b> (<a:b>)",
            "(<a:b>) <c> (<a:b>)",
            "(Not)",
            "(x)",
            "([a])",
            "([\"a)",
            "(<>)",
            "(<token>)",
            "(<a: b>)",
            "a",
            "(<a:b>) x",
            &lists,
            &conditions,
            &long,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\(|\\)|<|>|\\[|\\]|\"|Not|a:b|é| ){0,40}") {
            let _ = parse(&text);
        }
    }
}
