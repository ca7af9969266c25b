//! The conditional headers of HTTP (RFC 9110 section 13).

use http::{HeaderMap, StatusCode, header};
use ocis_core::etag::EtagMatch;
use ocis_core::node::NodeInfo;
use ocis_core::port::Conditions;
use ocis_core::time::Timestamp;

use crate::error::{Answer, Failure};
use crate::headers::{date, if_header};

/// The most tags of one header.
const MAX_TAGS: usize = 256;

/// The conditions of a request that changes something; checking them is the storage's.
pub(crate) fn for_change(headers: &HeaderMap) -> Answer<Conditions> {
    Ok(Conditions {
        if_match: tags(headers, &header::IF_MATCH)?,
        if_none_match: tags(headers, &header::IF_NONE_MATCH)?,
        if_unmodified_since: time(headers, &header::IF_UNMODIFIED_SINCE),
        lock_tokens: Vec::new(),
    })
}

/// Checks the conditions of a GET or HEAD against the file, in the order of section 13.2.2. True
/// when the client's copy is still good (304).
pub(crate) fn is_fresh(headers: &HeaderMap, node: &NodeInfo) -> Answer<bool> {
    let etag = Some(&node.etag);
    let failed = || Failure::precondition("the file has changed meanwhile");
    match tags(headers, &header::IF_MATCH)? {
        Some(wanted) if !wanted.matches(etag) => return Err(failed()),
        Some(_) => {}
        None => {
            if time(headers, &header::IF_UNMODIFIED_SINCE)
                .is_some_and(|since| is_newer(node, since))
            {
                return Err(failed());
            }
        }
    }
    Ok(match tags(headers, &header::IF_NONE_MATCH)? {
        Some(known) => known.matches(etag),
        None => {
            time(headers, &header::IF_MODIFIED_SINCE).is_some_and(|since| !is_newer(node, since))
        }
    })
}

/// Whether the header `Range` counts: `If-Range` is missing, or names what the file is now
/// (section 13.1.5; a weak tag never does).
pub(crate) fn range_counts(headers: &HeaderMap, node: &NodeInfo) -> bool {
    let Some(value) = headers.get(header::IF_RANGE) else { return true };
    let Ok(text) = value.to_str() else { return false };
    let text = text.trim();
    if text.starts_with('"') {
        return if_header::etag(text).is_some_and(|etag| etag == node.etag);
    }
    date::parse(text).is_some_and(|time| time.unix_seconds() == node.mtime.unix_seconds())
}

/// HTTP's dates have no fraction.
fn is_newer(node: &NodeInfo, since: Timestamp) -> bool {
    node.mtime.unix_seconds() > since.unix_seconds()
}

fn time(headers: &HeaderMap, name: &http::HeaderName) -> Option<Timestamp> {
    headers.get(name).and_then(|value| value.to_str().ok()).and_then(date::parse)
}

fn tags(headers: &HeaderMap, name: &http::HeaderName) -> Answer<Option<EtagMatch>> {
    let mut list = Vec::new();
    for value in headers.get_all(name) {
        let text = value.to_str().map_err(|_| malformed(name))?.trim();
        if text == "*" {
            return Ok(Some(EtagMatch::Any));
        }
        let mut rest = text;
        while let Some((tag, after)) = next_tag(rest) {
            // Old clients leave out the quotes.
            let quoted = if tag.contains('"') { tag.into() } else { format!("\"{tag}\"") };
            list.push(if_header::etag(&quoted).ok_or_else(|| malformed(name))?);
            if list.len() > MAX_TAGS {
                return Err(malformed(name));
            }
            rest = after;
        }
    }
    if headers.contains_key(name) && list.is_empty() {
        return Err(malformed(name));
    }
    Ok((!list.is_empty()).then_some(EtagMatch::OneOf(list)))
}

/// The first tag of a list, and what follows it. A comma inside of quotes belongs to the tag.
fn next_tag(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([',', ' ', '\t']);
    let mut quotes = 0;
    let end = text.find(|c| {
        quotes += usize::from(c == '"');
        c == ',' && quotes % 2 == 0
    });
    let (tag, after) = text.split_at(end.unwrap_or(text.len()));
    (!tag.is_empty()).then_some((tag.trim_end(), after))
}

fn malformed(name: &http::HeaderName) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, format!("the header {name} must be * or a list of etags"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use ocis_core::etag::Etag;

    fn node() -> NodeInfo {
        NodeInfo {
            id: "s$p!n".parse().unwrap(),
            parent: None,
            name: "n".into(),
            kind: ocis_core::node::NodeKind::File,
            size: 0,
            mtime: Timestamp::from_unix(946_684_800, 5).unwrap(),
            etag: Etag::new("a"),
            checksums: None,
            metadata: std::collections::BTreeMap::new(),
            owner: None,
            processing: None,
        }
    }

    fn headers(list: &[(HeaderName, &str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn reading_conditionally() {
        const SAME: &str = "Sat, 01 Jan 2000 00:00:00 GMT";
        const OLDER: &str = "Fri, 31 Dec 1999 23:59:59 GMT";
        let fresh = |list: &[(HeaderName, &str)]| {
            is_fresh(&headers(list), &node()).map_err(|failure| failure.status.as_u16())
        };
        use header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
        for (list, wanted) in [
            (vec![], Ok(false)),
            (vec![(IF_NONE_MATCH, "\"b\", W/\"a\"")], Ok(true)),
            (vec![(IF_NONE_MATCH, "*")], Ok(true)),
            (vec![(IF_NONE_MATCH, "\"b\"")], Ok(false)),
            (vec![(IF_NONE_MATCH, "\"b\""), (IF_MODIFIED_SINCE, SAME)], Ok(false)),
            (vec![(IF_MODIFIED_SINCE, SAME)], Ok(true)),
            (vec![(IF_MODIFIED_SINCE, OLDER)], Ok(false)),
            (vec![(IF_MODIFIED_SINCE, "nonsense")], Ok(false)),
            (vec![(IF_MATCH, "\"a\""), (IF_UNMODIFIED_SINCE, OLDER)], Ok(false)),
            (vec![(IF_MATCH, "\"b\"")], Err(412)),
            (vec![(IF_MATCH, "\"b,c\" , ,\"a\",")], Ok(false)),
            (vec![(IF_MATCH, "b, a")], Ok(false)),
            (vec![(IF_UNMODIFIED_SINCE, OLDER)], Err(412)),
            (vec![(IF_UNMODIFIED_SINCE, SAME)], Ok(false)),
            (vec![(IF_MATCH, "\"")], Err(400)),
            (vec![(IF_MATCH, "")], Err(400)),
        ] {
            assert_eq!(fresh(&list), wanted, "{list:?}");
        }
        for (value, counts) in
            [("\"a\"", true), ("\"b\"", false), ("W/\"a\"", false), (SAME, true), (OLDER, false)]
        {
            assert_eq!(
                range_counts(&headers(&[(header::IF_RANGE, value)]), &node()),
                counts,
                "{value}"
            );
        }
    }
}
