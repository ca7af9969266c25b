//! Access control entries in the metadata of a node.

use ocis_core::access::{Grant, Grantee};
use ocis_core::id::{GroupId, UserId};
use ocis_core::permissions::Permissions;
use ocis_core::time::Timestamp;

/// Reads the entry under `grant.<key>`; none when the key or the entry is not of oCIS's form.
///
/// The value is NUL, then fields `t`, `f`, `p`, `c` and `e` separated by colons, then a line feed.
/// Type is `A` allow or `D` deny, `c` the creator, `e` the expiry (nanoseconds, 0 for none).
pub(crate) fn read(key: &str, value: &[u8]) -> Option<Grant> {
    let grantee = match key.split_once(':')? {
        ("u", id) => Grantee::User(UserId::parse(id).ok()?),
        ("g", id) => Grantee::Group(GroupId::parse(id).ok()?),
        _ => return None,
    };
    let text = std::str::from_utf8(value).ok()?.trim_start_matches('\0').trim_end();
    let mut grant = Grant { grantee, permissions: Permissions::NONE, expires: None, creator: None };
    let mut denied = false;
    for field in text.split(':') {
        match field.trim_matches('"').split_once('=') {
            Some(("t", kind)) => denied = kind == "D",
            Some(("p", letters)) => grant.permissions = Permissions::from_letters(letters),
            // Older data has `<user>!<issuer>`.
            Some(("c", who)) => {
                grant.creator = UserId::parse(who.split('!').next().unwrap_or(who)).ok();
            }
            Some(("e", nanos)) => grant.expires = expiry(nanos.parse().ok()?),
            _ => {}
        }
    }
    if denied {
        grant.permissions = Permissions::NONE;
    }
    Some(grant)
}

fn expiry(nanos: i64) -> Option<Timestamp> {
    let second = 1_000_000_000;
    let part = u32::try_from(nanos.rem_euclid(second)).ok()?;
    (nanos != 0).then(|| Timestamp::from_unix(nanos.div_euclid(second), part).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_a_real_ocis_are_read() {
        let value = b"\0t=A:f=g:p=txrwaduUq:c=4c510ada-c86b-4815-8820-42cdf82c3d51:e=0\n";
        let grant = read("g:262982c1-2362-4afa-bfdf-8cbfef64a06e", value).unwrap();
        assert!(matches!(grant.grantee, Grantee::Group(_)));
        assert_eq!(grant.permissions.letters(), "txrwaduUq");
        assert_eq!(grant.expires, None);
        let expiring = read("u:u", b"\0t=A:f=:p=t:c=u:e=1500000000\n").unwrap();
        assert_eq!(expiring.expires, Some(Timestamp::from_unix(1, 500_000_000).unwrap()));
        let denial = read("u:u", b"\0t=D:f=:p=:c=u:e=0\n").unwrap();
        assert_eq!(denial.permissions, Permissions::NONE);
        assert!(read("x:u", b"").is_none());
    }
}
