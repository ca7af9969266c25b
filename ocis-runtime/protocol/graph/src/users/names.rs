//! Which names and addresses accounts may get through this interface: oCIS's patterns, by hand.

/// The longest name or address, in bytes.
const LONGEST: usize = 254;

/// Whether a name is the local part of a mail address that does not begin with a digit, with the
/// host or without (`GRAPH_USERNAME_MATCH=default`).
pub(crate) fn is_username(name: &str) -> bool {
    let mut parts = name.split('@');
    let local = parts.next().unwrap_or_default();
    let begins = local.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    name.len() <= LONGEST && begins && is_local(local) && parts.all(is_host)
}

/// Whether this is a mail address as HTML understands it.
pub(crate) fn is_mail(mail: &str) -> bool {
    let Some((local, host)) = mail.split_once('@') else { return false };
    mail.len() <= LONGEST && is_local(local) && is_host(host)
}

fn is_local(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    !text.is_empty() && text.chars().all(legal)
}

fn is_host(text: &str) -> bool {
    text.split('.').all(|label| {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let ends = label.starts_with('-') || label.ends_with('-');
        !label.is_empty() && label.len() <= 63 && !ends && label.chars().all(legal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        for name in ["einstein", "_x", "a*!_+-&", "name.with.dots", "a@b.example", "user1", "a/b"] {
            assert!(is_username(name), "{name}");
        }
        for name in ["", "1a", "name with space", "(*:!;", "0.0", "a:b", "a@", "a@-b", "é", "@a"] {
            assert!(!is_username(name), "{name}");
        }
        assert!(!is_username(&"a".repeat(255)));
    }

    #[test]
    fn addresses() {
        for mail in ["a@b", "new@example.org", "1@2.3", ".@a"] {
            assert!(is_mail(mail), "{mail}");
        }
        for mail in ["", "a", "@example.org", "a@", "a@b@c", "a b@c", "a@b..c", "a@b-", "é@b"] {
            assert!(!is_mail(mail), "{mail}");
        }
    }
}
