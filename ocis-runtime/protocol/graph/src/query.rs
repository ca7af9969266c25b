//! The part of OData's query options that is understood.
//!
//! An option that is not understood is refused, so that nobody takes an unfiltered list for a
//! filtered one. Exempt are `$select`, whose answer may hold more than what was selected, and
//! `$expand` where what could be expanded is not there.

use std::collections::HashMap;

use ocis_core::{Error, Result};
use percent_encoding::percent_decode_str;

use crate::error::Failure;

/// The options of one request, decoded.
#[derive(Debug)]
pub(crate) struct Options(HashMap<String, String>);

impl Options {
    /// Reads a query. `allowed` are the options, which begin with `$`, that the path has; what does
    /// not begin with `$` is ignored.
    pub(crate) fn parse(query: &str, allowed: &[&str]) -> Result<Self, Failure> {
        let mut options = HashMap::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            if !name.starts_with('$') {
                continue;
            }
            if !allowed.contains(&&*name) {
                return Err(
                    Error::unimplemented(format!("the option {name} is not supported")).into()
                );
            }
            if options.insert(name, decode(value)?).is_some() {
                return Err(Error::invalid("a query option occurs twice").into());
            }
        }
        Ok(Self(options))
    }

    /// The items of `$expand`.
    pub(crate) fn expand(&self) -> impl Iterator<Item = &str> {
        let list = self.0.get("$expand").map_or("", String::as_str);
        list.split(',').map(str::trim).filter(|item| !item.is_empty())
    }

    /// The condition of `$filter`.
    pub(crate) fn filter(&self) -> Result<Option<Filter>> {
        self.0.get("$filter").map(|text| Filter::parse(text)).transpose()
    }

    /// The order of `$orderby`.
    pub(crate) fn order(&self) -> Result<Option<Order>> {
        self.0.get("$orderby").map(|text| Order::parse(text)).transpose()
    }
}

/// `<field> eq '<value>'`, the one form of condition that oCIS understands for drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    /// The field.
    pub(crate) field: String,
    /// The value, without quotes.
    pub(crate) value: String,
}

impl Filter {
    fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::invalid("the filter is not supported, only: <field> eq '<value>'");
        let mut words = text.trim().splitn(3, ' ').map(str::trim);
        let (Some(field), Some("eq"), Some(value)) = (words.next(), words.next(), words.next())
        else {
            return Err(wrong());
        };
        let is_name = !field.is_empty() && field.bytes().all(|c| c.is_ascii_alphanumeric());
        let value = value
            .strip_prefix('\'')
            .and_then(|value| value.strip_suffix('\''))
            .and_then(unquote)
            .filter(|_| is_name)
            .ok_or_else(wrong)?;
        Ok(Self { field: field.into(), value })
    }
}

/// The inside of a quoted text, where a quote is written twice; none when one stands alone.
fn unquote(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split("''").collect();
    parts.iter().all(|part| !part.contains('\'')).then(|| parts.join("'"))
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

    fn filter(query: &str) -> Result<Option<Filter>> {
        let options = Options::parse(query, &["$filter"]).unwrap();
        options.filter()
    }

    #[test]
    fn filters() {
        for query in [
            "$filter=driveType eq 'personal'",
            "%24filter=driveType%20eq%20%27personal%27",
            "$filter=driveType+eq+'personal'&x",
            "a=b&$filter=%20driveType eq  'personal' ",
        ] {
            let filter = filter(query).unwrap().unwrap();
            assert_eq!((&*filter.field, &*filter.value), ("driveType", "personal"), "{query}");
        }
        assert_eq!(filter("").unwrap(), None);
        assert_eq!(filter("$filter=name eq 'O''Neil''s'").unwrap().unwrap().value, "O'Neil's");
        for query in [
            "$filter=",
            "$filter=driveType",
            "$filter=driveType eq",
            "$filter=driveType eq personal",
            "$filter=driveType eq 'personal",
            "$filter=driveType eq '",
            "$filter=driveType ne 'personal'",
            "$filter=a eq 'b' and c eq 'd'",
            "$filter=a eq 'b''",
            "$filter=not(a) eq 'b'",
        ] {
            assert!(filter(query).is_err(), "{query}");
        }
    }

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
    fn what_is_not_understood_is_refused() {
        assert!(Options::parse("$top=1", &["$filter"]).is_err());
        assert!(Options::parse("$filter=a&%24filter=b", &["$filter"]).is_err());
        assert!(Options::parse("$filter=%ff", &["$filter"]).is_err());
        assert!(Options::parse("top=1&&=&", &[]).is_ok());
        let options = Options::parse("$expand=memberOf, drive,,", &["$expand"]).unwrap();
        assert_eq!(options.expand().collect::<Vec<_>>(), ["memberOf", "drive"]);
    }

    proptest! {
        #[test]
        fn no_query_breaks_the_parser(text in ".*") {
            let _ = Filter::parse(&text);
            let _ = Order::parse(&text);
            let _ = Options::parse(&text, &["$filter"]);
        }

        #[test]
        fn a_quoted_value_is_read_back(value in ".*") {
            let text = format!("id eq '{}'", value.replace('\'', "''"));
            prop_assert_eq!(Filter::parse(&text).unwrap().value, value);
        }
    }
}
