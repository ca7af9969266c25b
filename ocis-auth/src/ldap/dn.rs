//! Distinguished names (RFC 4514): taken apart, compared, and put together.
//!
//! Servers write the same name in different ways, and compare most values without regard to case.
//! So names are compared by a normal form of ours, which is never sent to a server.

/// `attribute=value,parent`, whatever is in the value.
pub(super) fn below(parent: &str, attribute: &str, value: &str) -> String {
    format!("{attribute}={},{parent}", ldap3::dn_escape(value))
}

/// `attribute=value`, whatever is in the value: what a renamed entry is called.
pub(super) fn relative(attribute: &str, value: &str) -> String {
    format!("{attribute}={}", ldap3::dn_escape(value))
}

/// What stands after the first relative name.
pub(super) fn parent(dn: &str) -> &str {
    let first = split(dn, ',').first().map_or(0, |first| first.len());
    dn.get(first..).unwrap_or_default().trim_start_matches(',').trim_start()
}

/// Whether the entry is called by `attribute` alone, so that to change its value is to rename the
/// entry.
pub(super) fn is_named_by(dn: &str, attribute: &str) -> bool {
    let first = split(dn, ',').first().copied().unwrap_or_default();
    split(first, '+').len() == 1
        && first
            .split_once('=')
            .is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case(attribute))
}

/// The normal form, the same for names that a server takes for the same.
pub(super) fn normal(dn: &str) -> String {
    let relative = |name: &str| {
        let mut parts: Vec<String> = split(name, '+').into_iter().map(assertion).collect();
        parts.sort_unstable();
        parts.join("+")
    };
    split(dn, ',').into_iter().map(relative).collect::<Vec<_>>().join(",")
}

fn assertion(part: &str) -> String {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    // An escaped blank at an end belongs to the value.
    let value = unescape(trim(value)).to_lowercase();
    format!("{}={}", name.trim().to_lowercase(), ldap3::dn_escape(value))
}

fn trim(value: &str) -> &str {
    let value = value.trim_start_matches(' ');
    let shorter = value.trim_end_matches(' ');
    match shorter.ends_with('\\') && shorter.len() < value.len() {
        true => value.get(..=shorter.len()).unwrap_or(value),
        false => shorter,
    }
}

fn unescape(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let Some(first) = rest.next() else { break };
        let mut ahead = rest.clone();
        match (hex(first), ahead.next().and_then(hex)) {
            (Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                rest = ahead;
            }
            _ => bytes.push(first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The parts between separators that are not escaped.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if !escaped && c == separator {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + c.len_utf8();
        }
        escaped = !escaped && c == '\\';
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_takes_for_the_same_has_one_normal_form() {
        for (one, other) in [
            ("uid=einstein,ou=users,o=x", "UID=Einstein, OU=Users, O=X"),
            (r"cn=Doe\, John,o=x", r"cn=doe\2c john,o=x"),
            (r"cn=a+uid=b,o=x", r"UID=b + CN=a,o=x"),
            (r"cn=L\C3\BCnn,o=x", "cn=lünn,o=x"),
        ] {
            assert_eq!(normal(one), normal(other));
        }
        for (one, other) in [
            ("uid=a,o=x", "uid=b,o=x"),
            (r"cn=a\,o=x", "cn=a,o=x"),
            (r"cn=a\ ,o=x", "cn=a,o=x"),
            (r"cn=a\+b=c,o=x", "cn=a+b=c,o=x"),
        ] {
            assert_ne!(normal(one), normal(other));
        }
    }

    #[test]
    fn names_are_put_together_whatever_is_in_them() {
        let dn = below("ou=users,o=x", "uid", "a,ou=admins+x=\"\\<>; ");
        assert_eq!(parent(&dn), "ou=users,o=x");
        assert_eq!(split(&dn, ',').len(), 3);
        assert!(is_named_by(&dn, "UID") && !is_named_by(&dn, "cn") && !is_named_by(&dn, "x"));
        assert_eq!(normal(&relative("uid", "#a")), normal(r"uid=\#A"));
        assert_eq!(parent("o=x"), "");
    }
}
