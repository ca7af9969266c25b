//! The request headers of WebDAV and HTTP that this crate reads, each within bounds.

pub(crate) mod conditions;
pub(crate) mod date;
pub(crate) mod if_header;
pub(crate) mod mtime;
pub(crate) mod range;
pub(crate) mod timeout;

use http::{HeaderMap, HeaderName};

use crate::error::{Answer, Failure};

/// The text of a header; 400 when it is not ASCII or comes twice.
pub(crate) fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Answer<Option<&'h str>> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Failure::bad_request(format!("the header {name} comes twice")));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(Failure::bad_request(format!("the header {name} is not plain text"))),
    }
}

/// How deep a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The resource alone.
    Zero,
    /// And its children.
    One,
    /// And all below it.
    Infinity,
}

/// The header `Depth` (RFC 4918 section 10.2); `default` when it is missing.
pub(crate) fn depth(headers: &HeaderMap, default: Depth) -> Answer<Depth> {
    match text(headers, &DEPTH)? {
        None | Some("") => Ok(default),
        Some("0") => Ok(Depth::Zero),
        Some("1") => Ok(Depth::One),
        Some(word) if word.eq_ignore_ascii_case("infinity") => Ok(Depth::Infinity),
        Some(_) => Err(Failure::bad_request("the header Depth must be 0, 1 or infinity")),
    }
}

/// The header `Overwrite` (RFC 4918 section 10.6); true when it is missing.
pub(crate) fn overwrite(headers: &HeaderMap) -> Answer<bool> {
    match text(headers, &OVERWRITE)? {
        None | Some("T" | "t") => Ok(true),
        Some("F" | "f") => Ok(false),
        Some(_) => Err(Failure::bad_request("the header Overwrite must be T or F")),
    }
}

/// Whether the client wants no word about properties that are not there (RFC 8144; `Brief` is
/// Microsoft's older way to say it).
pub(crate) fn wants_minimal(headers: &HeaderMap) -> bool {
    let says = |name: &HeaderName, wanted: &str| {
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).any(|value| {
            value.split([',', ';']).any(|word| word.trim().eq_ignore_ascii_case(wanted))
        })
    };
    says(&PREFER, "return=minimal") || says(&PREFER, "return-minimal") || says(&BRIEF, "t")
}

/// The token of a header `Lock-Token: <token>` (RFC 4918 section 10.5), without the brackets too
/// (oCIS); none when the header is missing.
pub(crate) fn lock_token(headers: &HeaderMap) -> Answer<Option<String>> {
    let Some(text) = text(headers, &LOCK_TOKEN)? else { return Ok(None) };
    let bare = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    if if_header::is_token(bare) {
        Ok(Some(bare.into()))
    } else {
        Err(Failure::bad_request("the header Lock-Token must hold a token in <>"))
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: HeaderName = HeaderName::from_static($text);)*
    };
}

names! {
    /// RFC 4918 section 10.1.
    DAV = "dav";
    /// RFC 4918 section 10.2.
    DEPTH = "depth";
    /// RFC 4918 section 10.3.
    DESTINATION = "destination";
    /// RFC 4918 section 10.4.
    IF = "if";
    /// RFC 4918 section 10.5.
    LOCK_TOKEN = "lock-token";
    /// RFC 4918 section 10.6.
    OVERWRITE = "overwrite";
    /// RFC 4918 section 10.7.
    TIMEOUT = "timeout";
    /// RFC 7240.
    PREFER = "prefer";
    /// RFC 7240.
    PREFERENCE_APPLIED = "preference-applied";
    /// Microsoft's `Prefer: return=minimal`.
    BRIEF = "brief";
    /// Tells Microsoft's clients that this is WebDAV.
    MS_AUTHOR_VIA = "ms-author-via";
    /// The time of the content, in seconds since 1970.
    X_OC_MTIME = "x-oc-mtime";
    /// A digest of the content.
    OC_CHECKSUM = "oc-checksum";
    /// The length of a body in chunks, from the Finder of macOS.
    X_EXPECTED_ENTITY_LENGTH = "x-expected-entity-length";
    /// The old protocol of uploads in pieces.
    OC_CHUNKED = "oc-chunked";
    /// Which version of tus is spoken.
    TUS_RESUMABLE = "tus-resumable";
    /// Which versions are known.
    TUS_VERSION = "tus-version";
    /// Which extensions.
    TUS_EXTENSION = "tus-extension";
    /// Which checksums.
    TUS_CHECKSUM_ALGORITHM = "tus-checksum-algorithm";
    /// The method that is meant, from clients that cannot send every one.
    X_HTTP_METHOD_OVERRIDE = "x-http-method-override";
    /// The etag, untouched by proxies that compress.
    OC_ETAG = "oc-etag";
    /// The resource id.
    OC_FILE_ID = "oc-fileid";
    /// The permissions, as in the property `oc:permissions`.
    OC_PERM = "oc-perm";
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn depth_overwrite_and_lock_token() {
        for (value, wanted) in
            [("0", Depth::Zero), ("1", Depth::One), ("Infinity", Depth::Infinity)]
        {
            assert_eq!(depth(&with(DEPTH, value), Depth::Zero).unwrap(), wanted);
        }
        for value in ["2", "-1", "99999999999999999999999", "infinity,noroot", "é"] {
            let headers =
                HeaderMap::from_iter([(DEPTH, HeaderValue::from_bytes(value.as_bytes()).unwrap())]);
            assert!(depth(&headers, Depth::One).is_err(), "{value}");
        }
        assert!(overwrite(&HeaderMap::new()).unwrap());
        assert!(!overwrite(&with(OVERWRITE, "F")).unwrap());
        assert!(overwrite(&with(OVERWRITE, "no")).is_err());
        for value in ["<urn:uuid:1>", "urn:uuid:1"] {
            let token = lock_token(&with(LOCK_TOKEN, value)).unwrap();
            assert_eq!(token.as_deref(), Some("urn:uuid:1"));
        }
        for value in ["", "urn", "<>", "<a b>", "<a:b", "a:b>", "<<a:b>>"] {
            assert!(lock_token(&with(LOCK_TOKEN, value)).is_err(), "{value}");
        }
        assert_eq!(lock_token(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn minimal_answers() {
        assert!(wants_minimal(&with(PREFER, "depth-noroot, return=minimal")));
        assert!(wants_minimal(&with(BRIEF, "t")));
        assert!(!wants_minimal(&with(PREFER, "return=representation")));
    }
}
