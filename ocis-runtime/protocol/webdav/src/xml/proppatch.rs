//! The body of PROPPATCH (RFC 4918 section 14.19).

use crate::error::{Answer, Failure};
use crate::xml::read::Reader;
use crate::xml::{DAV, Name, value};

/// The most changes of one request.
const MAX_CHANGES: usize = 1000;

/// One change, in the order of the document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Sets a property to the XML inside of its element.
    Set(Name, String),
    /// Removes a property.
    Remove(Name),
}

/// Reads a body.
pub(crate) fn read(body: &[u8]) -> Answer<Vec<Change>> {
    let mut reader = Reader::new(body)?;
    reader.root(DAV, "propertyupdate")?;
    let mut changes = Vec::new();
    while let Some(child) = reader.child()? {
        match (child.name.ns.as_str(), child.name.local.as_str()) {
            (DAV, "set") => properties(&mut reader, &mut changes, true)?,
            (DAV, "remove") => properties(&mut reader, &mut changes, false)?,
            _ => reader.skip()?,
        }
    }
    reader.finish()?;
    if changes.is_empty() {
        return Err(Failure::bad_request("the request changes no property"));
    }
    Ok(changes)
}

fn properties(reader: &mut Reader<'_>, changes: &mut Vec<Change>, set: bool) -> Answer<()> {
    while let Some(child) = reader.child()? {
        if (child.name.ns.as_str(), child.name.local.as_str()) != (DAV, "prop") {
            reader.skip()?;
            continue;
        }
        while let Some(property) = reader.child()? {
            if changes.len() >= MAX_CHANGES {
                return Err(Failure::bad_request("the request changes too many properties"));
            }
            changes.push(if set {
                Change::Set(property.name, value::inner(reader)?)
            } else {
                reader.skip()?;
                Change::Remove(property.name)
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_in_the_order_of_the_document() {
        let name = |ns: &str, local: &str| Name { ns: ns.into(), local: local.into() };
        let body = "<D:propertyupdate xmlns:D='DAV:' xmlns:p='u'>\
            <D:set><D:prop><p:a>1<p:b/></p:a><c/></D:prop></D:set>\
            <D:remove><D:prop><p:a/></D:prop></D:remove>\
            <D:set><D:prop><p:a>2</p:a></D:prop></D:set></D:propertyupdate>";
        assert_eq!(
            read(body.as_bytes()).unwrap(),
            [
                Change::Set(name("u", "a"), "1<p:b xmlns:p=\"u\"></p:b>".into()),
                Change::Set(name("", "c"), String::new()),
                Change::Remove(name("u", "a")),
                Change::Set(name("u", "a"), "2".into()),
            ]
        );
        assert!(read(b"<D:propertyupdate xmlns:D='DAV:'/>").is_err());
        assert!(read(b"").is_err());
    }
}
