//! The part of OData's query options that is understood.
//!
//! An option that would leave something out or put it in another order is refused where it is not
//! acted on, so that nobody takes an unfiltered list for a filtered one. Those that oCIS reads and
//! passes over (`$select`, `$top`) are passed over; what OData does not know is a mistake.

use std::collections::HashMap;

use http::StatusCode;
use ocis_core::{Error, Result};
use percent_encoding::percent_decode_str;

use crate::error::Failure;
use crate::filter::Filter;

/// The options that change nothing in oCIS, wherever they stand.
const PASSED_OVER: [&str; 8] =
    ["$count", "$format", "$index", "$levels", "$select", "$skip", "$skiptoken", "$top"];

/// The options that OData has beyond them.
const KNOWN: [&str; 7] =
    ["$apply", "$compute", "$expand", "$filter", "$orderby", "$search", "$deltatoken"];

/// The options of one request, decoded.
#[derive(Debug, Default)]
pub(crate) struct Options(HashMap<String, String>);

impl Options {
    /// Reads a query. `allowed` are the options, which begin with `$`, that the path acts on; what
    /// does not begin with `$` is ignored.
    pub(crate) fn parse(query: &str, allowed: &[&str]) -> Result<Self, Failure> {
        let mut options = HashMap::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            if !name.starts_with('$') || PASSED_OVER.contains(&&*name) {
                continue;
            }
            if !allowed.contains(&&*name) {
                let refusal = format!("the option {name} is not supported");
                return Err(match KNOWN.contains(&&*name) {
                    true => Error::unimplemented(refusal).into(),
                    false => Failure::invalid(refusal),
                });
            }
            if options.insert(name, decode(value)?).is_some() {
                return Err(Failure::invalid("a query option occurs twice"));
            }
        }
        Ok(Self(options))
    }

    /// Whether an option is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The items of `$expand`.
    pub(crate) fn expand(&self) -> impl Iterator<Item = &str> {
        let list = self.0.get("$expand").map_or("", String::as_str);
        list.split(',').map(str::trim).filter(|item| !item.is_empty())
    }

    /// Whether `$expand` has `name`; what else it has is passed over, as in oCIS.
    pub(crate) fn expands(&self, name: &str) -> bool {
        self.expand().any(|item| item == name)
    }

    /// Refuses what oCIS does not expand: anything below what is expanded, and options for it.
    pub(crate) fn plain_expand(&self) -> Result<(), Failure> {
        match self.expand().any(|item| item.contains(['(', ')', '/'])) {
            true => Err(Failure::invalid("options for $expand are not supported")),
            false => Ok(()),
        }
    }

    /// The condition of `$filter`.
    pub(crate) fn filter(&self) -> Result<Option<Filter>> {
        self.0.get("$filter").map(|text| Filter::parse(text)).transpose()
    }

    /// The order of `$orderby`.
    pub(crate) fn order(&self) -> Result<Option<Order>> {
        self.0.get("$orderby").map(|text| Order::parse(text)).transpose()
    }

    /// The text of `$search`: one word, or any text in double quotes.
    pub(crate) fn search(&self) -> Result<Option<&str>, Failure> {
        let Some(text) = self.0.get("$search").map(|text| text.trim()) else { return Ok(None) };
        let mut terms = terms(text)?.into_iter();
        match (terms.next(), terms.next()) {
            (Some(Term::Text(text)), None) => Ok(Some(text)),
            _ => Err(Failure::Refused(
                StatusCode::NOT_IMPLEMENTED,
                "generalException",
                "complex search queries are not supported".into(),
            )),
        }
    }
}

/// What a `$search` is made of.
enum Term<'a> {
    /// A word of ASCII letters, digits and underscores, or a text in double quotes, without them.
    Text(&'a str),
    /// What makes a search of several texts.
    Other,
}

/// The terms of a search; 400 for what cannot begin one, in oCIS's words.
fn terms(text: &str) -> Result<Vec<Term<'_>>, Failure> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut terms = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"'));
        let word = rest.split_once(|c| !is_word(c)).map_or(rest, |(word, _)| word);
        let (term, length) = match (quoted, rest.as_bytes()) {
            (Some((quoted, _)), _) if !quoted.is_empty() => {
                (Some(Term::Text(quoted)), quoted.len() + 2)
            }
            (_, [b' ', ..]) => (None, 1),
            (_, [b'(' | b')', ..]) => (Some(Term::Other), 1),
            _ if matches!(word, "AND" | "OR" | "NOT") => (Some(Term::Other), word.len()),
            _ if !word.is_empty() => (Some(Term::Text(word)), word.len()),
            _ => return Err(Failure::invalid(format!("Token '{rest}' is invalid"))),
        };
        terms.extend(term);
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(terms)
}

/// `<field>`, `<field> asc` or `<field> desc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// The field.
    pub(crate) field: String,
    /// Whether the largest comes first.
    pub(crate) descending: bool,
}

impl Order {
    fn parse(text: &str) -> Result<Self> {
        let mut words = text.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(field), direction @ (None | Some("asc" | "desc")), None) => {
                Ok(Self { field: field.into(), descending: direction == Some("desc") })
            }
            _ => Err(Error::invalid("the order is not supported, only: <field> asc or desc")),
        }
    }

    /// Sorts by what `key` says of an item, as texts without regard to case.
    pub(crate) fn sort<T>(&self, items: &mut [T], key: impl Fn(&T) -> &str) {
        items.sort_by_cached_key(|item| key(item).to_lowercase());
        if self.descending {
            items.reverse();
        }
    }

    /// 400: there is no order by this field.
    pub(crate) fn unknown(&self) -> Failure {
        Failure::invalid(format!("we do not support <{}> as a order parameter", self.field))
    }
}

/// A parameter of a query that is none of OData's options; the last one counts.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.rsplit('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).find_map(|(_, value)| decode(value).ok())
}

/// Decodes a name or value of a query, where a blank may be written as a plus sign.
fn decode(text: &str) -> Result<String> {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8()
        .map(Into::into)
        .map_err(|error| Error::invalid("the query is not UTF-8").because(error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders() {
        let order = |query| Options::parse(query, &["$orderby"]).unwrap().order();
        let is = |descending| Some(Order { field: "name".into(), descending });
        assert_eq!(order("$orderby=name").unwrap(), is(false));
        assert_eq!(order("$orderby=name asc").unwrap(), is(false));
        assert_eq!(order("$orderby=name%20desc").unwrap(), is(true));
        for query in ["$orderby=", "$orderby=name up", "$orderby=a desc,b"] {
            assert!(order(query).is_err(), "{query}");
        }
    }

    #[test]
    fn searches() {
        let search = |query: &str| {
            let options = Options::parse(query, &["$search"]).unwrap();
            let found = options.search().map(|text| text.map(str::to_owned));
            found.map_err(|failure| match failure {
                Failure::Error(error) => error.message().to_owned(),
                _ => "complex".to_owned(),
            })
        };
        assert_eq!(search("$search=mar"), Ok(Some("mar".into())));
        assert_eq!(search("$search=%22marie+c%22"), Ok(Some("marie c".into())));
        assert_eq!(search("$search=%22-_.%40%22"), Ok(Some("-_.@".into())));
        assert_eq!(search("x"), Ok(None));
        for query in ["a AND b", "", "(a)", "\"a\" OR \"b\"", "a b", "NOT a"] {
            assert_eq!(search(&format!("$search={query}")), Err("complex".into()), "{query}");
        }
        for (query, token) in [
            ("tea-lovers", "-lovers"),
            ("Alice@From@Wonderland", "@From@Wonderland"),
            ("a \"b", "\"b"),
            ("\"\"", "\"\""),
            ("España", "ña"),
        ] {
            let wrong = format!("Token '{token}' is invalid");
            assert_eq!(search(&format!("$search={query}")), Err(wrong), "{query}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let kind = |query: &str| Options::parse(query, &["$filter"]).unwrap_err().kind();
        assert_eq!(kind("$search=a"), Some(ocis_core::ErrorKind::Unimplemented));
        assert_eq!(kind("$invalid=true"), Some(ocis_core::ErrorKind::InvalidArgument));
        assert!(Options::parse("$filter=a&%24filter=b", &["$filter"]).is_err());
        assert!(Options::parse("$filter=%ff", &["$filter"]).is_err());
        assert!(Options::parse("top=1&&=&&$top=1&$select=id", &[]).is_ok());
        let options = Options::parse("$expand=memberOf, drive,,", &["$expand"]).unwrap();
        assert_eq!(options.expand().collect::<Vec<_>>(), ["memberOf", "drive"]);
        assert!(options.expands("drive") && !options.expands("driv"));
        let nested = Options::parse("$expand=memberOf($top=1)", &["$expand"]).unwrap();
        assert!(nested.plain_expand().is_err());
    }

    proptest! {
        #[test]
        fn no_query_breaks_the_parser(text in ".*") {
            let _ = Order::parse(&text);
            for name in ["$filter", "$orderby", "$search", "$expand"] {
                if let Ok(options) = Options::parse(&format!("{name}={text}"), &[name]) {
                    let _ = (options.filter(), options.order(), options.search());
                    let _ = options.plain_expand();
                }
            }
            let _ = Options::parse(&text, &["$filter"]);
        }
    }
}
