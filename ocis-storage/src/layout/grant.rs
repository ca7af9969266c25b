//! Access control entries in the metadata of a node.
//!
//! The value under `grant.u:<user>` or `grant.g:<group>` is NUL, then fields `t`, `f`, `p`, `c` and
//! `e` as one line of CSV with colons between them, then a line feed. Type is `A` allow or `D`
//! deny, `f` is `g` for groups, `p` the letters of the permissions, `c` the creator, `e` the expiry
//! (nanoseconds since 1970, 0 for none).

use ocis_core::access::{Grant, Grantee};
use ocis_core::id::{GroupId, UserId};
use ocis_core::permissions::Permissions;
use ocis_core::time::Timestamp;

const SECOND: i64 = 1_000_000_000;

/// What the key of a grant ends with.
pub(crate) fn key(grantee: &Grantee) -> String {
    match grantee {
        Grantee::User(user) => format!("u:{user}"),
        Grantee::Group(group) => format!("g:{group}"),
    }
}

/// The value of a grant.
pub(crate) fn write(grant: &Grant) -> Vec<u8> {
    let kind = if grant.permissions == Permissions::NONE { "D" } else { "A" };
    let flag = if matches!(grant.grantee, Grantee::Group(_)) { "g" } else { "" };
    let letters = grant.permissions.letters();
    let creator = grant.creator.as_ref().map(UserId::as_str).unwrap_or_default();
    let expires = grant.expires.map_or(0, |time| {
        time.unix_seconds().saturating_mul(SECOND).saturating_add(time.subsec_nanos().into())
    });
    let creator = quoted(format!("c={creator}"));
    // oCIS writes a placeholder before the first field and then puts NUL over it.
    format!("\0t={kind}:f={flag}:p={letters}:{creator}:e={expires}\n").into_bytes()
}

/// A field as CSV has it. Ids have neither blanks nor line ends.
fn quoted(field: String) -> String {
    if field.contains([':', '"']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

/// Reads the entry under `grant.<key>`; none when the key or the entry is not of oCIS's form.
pub(crate) fn read(key: &str, value: &[u8]) -> Option<Grant> {
    let grantee = match key.split_once(':')? {
        ("u", id) => Grantee::User(UserId::parse(id).ok()?),
        ("g", id) => Grantee::Group(GroupId::parse(id).ok()?),
        _ => return None,
    };
    let text = std::str::from_utf8(value).ok()?.trim_start_matches('\0').trim_end();
    let mut grant = Grant { grantee, permissions: Permissions::NONE, expires: None, creator: None };
    let mut denied = false;
    for field in fields(text) {
        match field.split_once('=') {
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

/// The fields of a line of CSV with colons.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if is_quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' if is_quoted => is_quoted = false,
            '"' if field.is_empty() => is_quoted = true,
            ':' if !is_quoted => fields.push(std::mem::take(&mut field)),
            _ => field.push(char),
        }
    }
    fields.push(field);
    fields
}

fn expiry(nanos: i64) -> Option<Timestamp> {
    let part = u32::try_from(nanos.rem_euclid(SECOND)).ok()?;
    (nanos != 0).then(|| Timestamp::from_unix(nanos.div_euclid(SECOND), part).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every kind of entry that a real oCIS 7 wrote.
    const REAL: [(&str, &[u8]); 6] = [
        ("u:9181deb3-c90b-4ea4-b1f0-aab7043e920e", b"\0t=A:f=:p=txrwadCcoOuUPvVq:c=:e=0\n"),
        (
            "u:f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c",
            b"\0t=A:f=:p=txrwadcuUvVq:c=9181deb3-c90b-4ea4-b1f0-aab7043e920e:e=0\n",
        ),
        (
            "u:932b4540-8d16-481e-8ef4-588e4b6b151c",
            b"\0t=A:f=:p=txrcuq:c=9181deb3-c90b-4ea4-b1f0-aab7043e920e:e=0\n",
        ),
        (
            "g:262982c1-2362-4afa-bfdf-8cbfef64a06e",
            b"\0t=A:f=g:p=txrwaduUq:c=4c510ada-c86b-4815-8820-42cdf82c3d51:e=0\n",
        ),
        (
            "u:f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c",
            b"\0t=A:f=:p=txruq:c=4c510ada-c86b-4815-8820-42cdf82c3d51:e=0\n",
        ),
        (
            "u:932b4540-8d16-481e-8ef4-588e4b6b151c",
            b"\0t=A:f=:p=txrwuUq:c=4c510ada-c86b-4815-8820-42cdf82c3d51:e=2320581600000000000\n",
        ),
    ];

    #[test]
    fn entries_of_a_real_ocis_are_read_and_written() {
        for (name, value) in REAL {
            let grant = read(name, value).unwrap();
            assert_eq!(key(&grant.grantee), name);
            assert_eq!(write(&grant), value, "{name}");
        }
        let grant = read(REAL[3].0, REAL[3].1).unwrap();
        assert!(matches!(grant.grantee, Grantee::Group(_)));
        assert_eq!(grant.permissions.letters(), "txrwaduUq");
        let expiring = read("u:u", b"\0t=A:f=:p=t:c=u:e=1500000000\n").unwrap();
        assert_eq!(expiring.expires, Some(Timestamp::from_unix(1, 500_000_000).unwrap()));
        let denial = read("u:u", b"\0t=D:f=:p=:c=u:e=0\n").unwrap();
        assert_eq!(denial.permissions, Permissions::NONE);
        assert!(read("x:u", b"").is_none());
    }

    #[test]
    fn fields_with_colons_and_quotes_are_quoted_as_go_does() {
        let creator = UserId::parse("a:\"b\"").unwrap();
        let grantee = Grantee::User(creator.clone());
        let permissions = Permissions::from_letters("t");
        let grant = Grant { grantee, permissions, expires: None, creator: Some(creator) };
        assert_eq!(write(&grant), b"\0t=A:f=:p=t:\"c=a:\"\"b\"\"\":e=0\n");
        assert_eq!(read("u:a:\"b\"", &write(&grant)), Some(grant));
        let older = read("u:u", b"\0t=A:f=:p=t:\"c=u!https://localhost:9200\":e=0\n").unwrap();
        assert_eq!(older.creator, UserId::parse("u").ok());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            (is_group, id, creator) in (any::<bool>(), "[a-zA-Z0-9:\"=,;-]{1,40}", "[a-z0-9:\"=-]{0,40}"),
            letters in "[txrwadCcoOuUPvVq]{0,17}",
            (seconds, nanos) in (0..9_000_000_000_i64, 0..1_000_000_000_u32),
        ) {
            let grantee = if is_group {
                Grantee::Group(GroupId::parse(&id).unwrap())
            } else {
                Grantee::User(UserId::parse(&id).unwrap())
            };
            let expires = Timestamp::from_unix(seconds, nanos).ok().filter(|_| seconds % 3 != 0);
            let permissions = Permissions::from_letters(&letters);
            let grant = Grant { grantee, permissions, expires, creator: UserId::parse(&creator).ok() };
            let mut back = read(&key(&grant.grantee), &write(&grant)).unwrap();
            // A letter stands for more than one permission.
            prop_assert_eq!(back.permissions.letters(), grant.permissions.letters());
            back.permissions = grant.permissions;
            prop_assert_eq!(back, grant);
        }
    }
}
