//! The body of LOCK (RFC 4918 section 14.11).

use ocis_core::lock::LockScope;

use crate::error::{Answer, Failure};
use crate::xml::read::Reader;
use crate::xml::{DAV, value};

/// The most bytes of what a client says of itself; what the port takes.
const MAX_OWNER: usize = 4096;

/// Which lock is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LockInfo {
    /// Exclusive or shared.
    pub(crate) scope: LockScope,
    /// The XML inside of `owner`.
    pub(crate) owner: Option<String>,
}

/// Reads a body; none for an empty one, which asks for a lock to be refreshed.
pub(crate) fn read(body: &[u8]) -> Answer<Option<LockInfo>> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let mut reader = Reader::new(body)?;
    reader.root(DAV, "lockinfo")?;
    let (mut scope, mut kind, mut owner) = (None, None, None);
    while let Some(child) = reader.child()? {
        match (child.name.ns.as_str(), child.name.local.as_str()) {
            (DAV, "lockscope") => scope = choice(&mut reader)?,
            (DAV, "locktype") => kind = Some(choice(&mut reader)?),
            (DAV, "owner") => owner = Some(value::inner(&mut reader)?),
            _ => reader.skip()?,
        }
    }
    reader.finish()?;
    let scope = match scope.as_deref() {
        Some("exclusive") => LockScope::Exclusive,
        Some("shared") => LockScope::Shared,
        _ => return Err(Failure::bad_request("the lock must be exclusive or shared")),
    };
    // There is no other kind, and clients of oCIS leave it out.
    if kind.is_some_and(|kind| kind.as_deref() != Some("write")) {
        return Err(Failure::bad_request("the lock must be a write lock"));
    }
    if owner.as_ref().is_some_and(|owner| owner.len() > MAX_OWNER) {
        return Err(Failure::bad_request(format!("the owner is longer than {MAX_OWNER} bytes")));
    }
    Ok(Some(LockInfo { scope, owner }))
}

/// The name of the last `DAV:` element inside of the one that is open.
fn choice(reader: &mut Reader<'_>) -> Answer<Option<String>> {
    let mut chosen = None;
    while let Some(child) = reader.child()? {
        reader.skip()?;
        if child.name.ns == DAV {
            chosen = Some(child.name.local);
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let body = |inner: &str| {
            read(format!("<D:lockinfo xmlns:D='DAV:'>{inner}</D:lockinfo>").as_bytes())
        };
        let write = "<D:locktype><D:write/></D:locktype>";
        assert_eq!(read(b" \r\n").unwrap(), None);
        assert_eq!(
            body(&format!("<D:lockscope><D:shared/></D:lockscope>{write}<D:owner><D:href>me</D:href></D:owner>")).unwrap(),
            Some(LockInfo {
                scope: LockScope::Shared,
                owner: Some("<D:href xmlns:D=\"DAV:\">me</D:href>".into()),
            })
        );
        let long = format!(
            "<D:lockscope><D:exclusive/></D:lockscope>{write}<D:owner>{}</D:owner>",
            "x".repeat(5000)
        );
        let exclusive = "<D:lockscope><D:exclusive/></D:lockscope>";
        let bare = LockInfo { scope: LockScope::Exclusive, owner: None };
        assert_eq!(body(exclusive).unwrap(), Some(bare));
        let (no_kind, read) = (
            format!("{exclusive}<D:locktype/>"),
            format!("{exclusive}<D:locktype><D:read/></D:locktype>"),
        );
        for wrong in ["", write, &no_kind, &read, &long] {
            assert!(body(wrong).is_err(), "{wrong}");
        }
    }
}
