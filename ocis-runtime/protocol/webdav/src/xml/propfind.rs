//! The body of PROPFIND (RFC 4918 section 14.20).

use crate::error::{Answer, Failure};
use crate::xml::read::Reader;
use crate::xml::{DAV, Name};

/// The most properties that one request may name, and the most bytes of their names: every one that
/// a file does not have is named again for every file.
const MAX_PROPERTIES: usize = 256;
const MAX_BYTES: usize = 16 * 1024;

/// Which properties are wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Those that every server has and those that clients stored, and these.
    All(Vec<Name>),
    /// The names of all.
    Names,
    /// These.
    These(Vec<Name>),
}

/// Reads a body; an empty one stands for `allprop`.
pub(crate) fn read(body: &[u8]) -> Answer<Wanted> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Wanted::All(Vec::new()));
    }
    let mut reader = Reader::new(body)?;
    reader.root(DAV, "propfind")?;
    let (mut all, mut names, mut these, mut include) = (false, false, None, None);
    while let Some(child) = reader.child()? {
        match (child.name.ns.as_str(), child.name.local.as_str()) {
            (DAV, "allprop") => {
                all = true;
                reader.skip()?;
            }
            (DAV, "propname") => {
                names = true;
                reader.skip()?;
            }
            (DAV, "prop") if these.is_none() => these = Some(properties(&mut reader)?),
            (DAV, "include") if include.is_none() => include = Some(properties(&mut reader)?),
            (DAV, "prop" | "include") => {
                return Err(Failure::bad_request("an element is there twice"));
            }
            _ => reader.skip()?,
        }
    }
    reader.finish()?;
    match (all, names, these, include) {
        (true, false, None, include) => Ok(Wanted::All(include.unwrap_or_default())),
        (false, true, None, None) => Ok(Wanted::Names),
        // oCIS takes an empty list, and none, for allprop.
        (false, false, Some(list), None) if !list.is_empty() => Ok(Wanted::These(list)),
        (false, false, _, None) => Ok(Wanted::All(Vec::new())),
        _ => Err(Failure::bad_request("allprop, propname and prop exclude each other")),
    }
}

fn properties(reader: &mut Reader<'_>) -> Answer<Vec<Name>> {
    let mut list: Vec<Name> = Vec::new();
    let mut bytes = 0;
    while let Some(property) = reader.child()? {
        reader.skip()?;
        bytes += property.name.ns.len() + property.name.local.len();
        if list.len() >= MAX_PROPERTIES || bytes > MAX_BYTES {
            return Err(Failure::bad_request("the request names too many properties"));
        }
        if !list.contains(&property.name) {
            list.push(property.name);
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bodies() {
        let name = |ns: &str, local: &str| Name { ns: ns.into(), local: local.into() };
        let body = |inner: &str| {
            read(format!("<D:propfind xmlns:D='DAV:'>{inner}</D:propfind>").as_bytes())
        };
        assert_eq!(read(b"").unwrap(), Wanted::All(vec![]));
        assert_eq!(body("<D:allprop/>").unwrap(), Wanted::All(vec![]));
        assert_eq!(body("<D:prop/>").unwrap(), Wanted::All(vec![]));
        assert_eq!(body("<D:propname/>").unwrap(), Wanted::Names);
        assert_eq!(
            body("<D:allprop/><D:include><D:a/></D:include>").unwrap(),
            Wanted::All(vec![name(DAV, "a")])
        );
        assert_eq!(
            body("<x/><D:prop><D:a/><b xmlns='u'>t</b><c/><D:a/></D:prop>").unwrap(),
            Wanted::These(vec![name(DAV, "a"), name("u", "b"), name("", "c")])
        );
        for wrong in [
            "<D:allprop/><D:propname/>",
            "<D:include/>",
            "<D:prop><D:a/></D:prop><D:propname/>",
            "<D:prop><bar:foo xmlns:bar=''/></D:prop>",
            "<foo>",
        ] {
            assert!(body(wrong).is_err(), "{wrong}");
        }
        assert!(read(b"<propfind/>").is_err());
        let many = (0..300).fold(String::new(), |s, i| format!("{s}<a{i}/>"));
        assert!(body(&format!("<D:prop>{many}</D:prop>")).is_err());
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(inner in "(<D:prop>|</D:prop>|<D:a/>|<D:include>|x|&lt;|<D:allprop/>|</D:propfind>){0,10}") {
            let _ = read(format!("<D:propfind xmlns:D='DAV:'>{inner}</D:propfind>").as_bytes());
        }
    }
}
