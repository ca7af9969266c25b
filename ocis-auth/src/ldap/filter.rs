//! Search filters (RFC 4515). Every value that comes from outside goes through here, where what
//! means something in a filter is escaped.

use std::fmt::Write as _;

use ocis_core::Result;

use super::entry::octets;
use super::options::{IdAttribute, Place, Substring};

/// `attribute` is `value`.
pub(super) fn equals(attribute: &str, value: &str) -> String {
    format!("({attribute}={})", ldap3::ldap_escape(value))
}

/// The id is `id`; [`ocis_core::ErrorKind::NotFound`] when an attribute of octets can never have
/// that value.
pub(super) fn id(attribute: &IdAttribute, id: &str) -> Result<String> {
    if !attribute.octets {
        return Ok(equals(&attribute.name, id));
    }
    let mut value = String::new();
    for byte in octets(id)? {
        // Writing into a String cannot fail.
        let _ = write!(value, "\\{byte:02x}");
    }
    Ok(format!("({}={value})", attribute.name))
}

/// `text` stands in the value of one of `attributes`; those without a name are left out.
pub(super) fn contains(attributes: &[&str], kind: Substring, text: &str) -> String {
    let text = ldap3::ldap_escape(text);
    let value = match kind {
        Substring::Initial => format!("{text}*"),
        Substring::Any => format!("*{text}*"),
        Substring::Final => format!("*{text}"),
    };
    let named = attributes.iter().filter(|attribute| !attribute.is_empty());
    any(named.map(|attribute| format!("({attribute}={value})")))
}

/// One of `parts` is true.
pub(super) fn any(parts: impl IntoIterator<Item = String>) -> String {
    format!("(|{})", parts.into_iter().collect::<String>())
}

/// The entry counts, and `part`, which may be empty, is true of it.
pub(super) fn counting(place: &Place, part: &str) -> String {
    format!("(&{}(objectClass={}){part})", place.filter, place.object_class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::LdapOptions;

    #[test]
    fn values_cannot_leave_their_place() {
        for value in ["*", "a)(uid=*", "\\2a", "a\0b", "*)(|(objectClass=*", "(", "ü)*"] {
            for filter in [
                equals("uid", value),
                contains(&["uid", "mail"], Substring::Any, value),
                id(&IdAttribute { name: "x".into(), octets: false }, value).unwrap(),
            ] {
                assert!(ldap3::parse_filter(&filter).is_ok(), "{filter}");
                let inner = filter.trim_start_matches("(|");
                let stars = inner.matches('*').count();
                assert!(stars == 0 || stars == 4, "{filter}");
                assert!(!filter.contains("objectClass=*"), "{filter}");
                assert_eq!(filter.matches('(').count(), if stars == 0 { 1 } else { 3 }, "{filter}");
            }
        }
    }

    #[test]
    fn texts_are_looked_for_where_the_settings_say() {
        let kinds = [
            (Substring::Initial, "(|(uid=a*)(mail=a*))"),
            (Substring::Any, "(|(uid=*a*)(mail=*a*))"),
            (Substring::Final, "(|(uid=*a)(mail=*a))"),
        ];
        for (kind, expected) in kinds {
            assert_eq!(contains(&["uid", "", "mail"], kind, "a"), expected);
        }
    }

    #[test]
    fn an_id_of_octets_is_its_bytes() {
        let attribute = IdAttribute { name: "objectGUID".into(), octets: true };
        let filter = id(&attribute, "c4f62beb-2d51-7f44-8aa0-cf2499f6980f").unwrap();
        let bytes = r"\c4\f6\2b\eb\2d\51\7f\44\8a\a0\cf\24\99\f6\98\0f";
        assert_eq!(filter, format!("(objectGUID={bytes})"));
        assert!(id(&attribute, "einstein").is_err());
    }

    #[test]
    fn the_configured_filter_and_class_always_hold() {
        let mut place = LdapOptions::default().users.place;
        assert_eq!(counting(&place, ""), "(&(objectClass=inetOrgPerson))");
        place.filter = "(o=x)".into();
        assert_eq!(counting(&place, "(uid=a)"), "(&(o=x)(objectClass=inetOrgPerson)(uid=a))");
    }
}
