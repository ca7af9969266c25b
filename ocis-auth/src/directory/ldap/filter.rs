//! Whether an entry matches a filter (RFC 4511, 4.5.1.7).
//!
//! All attributes compare without regard to case, members as distinguished names. An attribute that
//! the entry has not matches nothing; one that must not be asked for (`userPassword`) is neither
//! true nor false, so that not even its negation tells anything.

use ldap3_proto::proto::{LdapFilter, LdapMatchingRuleAssertion, LdapSubstringFilter};

use super::entry::Entry;
use crate::directory::dn::Dn;

/// The most conditions of a filter: their number times the number of entries is work.
pub(super) const MAX_ITEMS: usize = 512;

/// Whether the entry matches; none when that cannot be told.
pub(super) fn matches(filter: &LdapFilter, entry: &Entry) -> Option<bool> {
    match filter {
        LdapFilter::And(filters) => joined(filters, entry, true),
        LdapFilter::Or(filters) => joined(filters, entry, false),
        LdapFilter::Not(filter) => matches(filter, entry).map(|matched| !matched),
        LdapFilter::Present(name) => values(entry, name).map(|values| !values.is_empty()),
        LdapFilter::Equality(name, value) | LdapFilter::Approx(name, value) => {
            values(entry, name).map(|values| equals_any(name, values, value))
        }
        LdapFilter::Substring(name, parts) => {
            values(entry, name).map(|values| values.iter().any(|value| contains(value, parts)))
        }
        LdapFilter::GreaterOrEqual(name, bound) => {
            let bound = bound.to_lowercase();
            let high = |value: &String| value.to_lowercase() >= bound;
            values(entry, name).map(|values| values.iter().any(high))
        }
        LdapFilter::LessOrEqual(name, bound) => {
            let bound = bound.to_lowercase();
            let low = |value: &String| value.to_lowercase() <= bound;
            values(entry, name).map(|values| values.iter().any(low))
        }
        LdapFilter::Extensible(assertion) => extensible(assertion, entry),
    }
}

/// All of the filters (`neutral` is true) or one of them (false).
fn joined(filters: &[LdapFilter], entry: &Entry, neutral: bool) -> Option<bool> {
    let mut so_far = Some(neutral);
    for filter in filters {
        match matches(filter, entry) {
            Some(matched) if matched == neutral => {}
            Some(matched) => return Some(matched),
            None => so_far = None,
        }
    }
    so_far
}

/// How many conditions a filter has.
pub(super) fn items(filter: &LdapFilter) -> usize {
    match filter {
        LdapFilter::And(filters) | LdapFilter::Or(filters) => {
            filters.iter().map(items).sum::<usize>() + 1
        }
        LdapFilter::Not(filter) => items(filter) + 1,
        LdapFilter::Substring(_, parts) => parts.any.len() + 1,
        _ => 1,
    }
}

/// Whether one of an attribute's values equals `value`.
pub(super) fn equals_any(name: &str, values: &[String], value: &str) -> bool {
    let folded = value.to_lowercase();
    if values.iter().any(|one| one.to_lowercase() == folded) {
        return true;
    }
    if !["member", "memberof"].contains(&name.to_lowercase().as_str()) {
        return false;
    }
    Dn::parse(value).is_ok_and(|dn| {
        values.iter().any(|one| !one.is_empty() && Dn::parse(one).is_ok_and(|one| one == dn))
    })
}

/// Whether nothing about this attribute is told.
pub(super) fn is_secret(name: &str) -> bool {
    name.split(';').next().is_some_and(|name| name.eq_ignore_ascii_case("userPassword"))
}

fn values<'a>(entry: &'a Entry, name: &str) -> Option<&'a [String]> {
    (!is_secret(name)).then(|| entry.values(name))
}

fn contains(value: &str, parts: &LdapSubstringFilter) -> bool {
    let value = value.to_lowercase();
    let mut rest = value.as_str();
    if let Some(initial) = &parts.initial {
        let Some(behind) = rest.strip_prefix(&initial.to_lowercase()) else { return false };
        rest = behind;
    }
    if let Some(last) = &parts.final_ {
        let Some(before) = rest.strip_suffix(&last.to_lowercase()) else { return false };
        rest = before;
    }
    for part in &parts.any {
        let Some((_, behind)) = rest.split_once(&part.to_lowercase()) else { return false };
        rest = behind;
    }
    true
}

/// Only equality without regard to case is known by name (RFC 4517, 4.2.11).
fn extensible(assertion: &LdapMatchingRuleAssertion, entry: &Entry) -> Option<bool> {
    let rule = assertion.matching_rule.as_deref().unwrap_or("caseIgnoreMatch");
    let known = rule.eq_ignore_ascii_case("caseIgnoreMatch") || rule == "2.5.13.2";
    let name = assertion.type_.as_ref().filter(|_| known && !assertion.dn_attributes)?;
    values(entry, name).map(|values| equals_any(name, values, &assertion.match_value))
}

#[cfg(test)]
mod tests {
    use ldap3_proto::parse_ldap_filter_str;
    use proptest::prelude::*;

    use super::*;

    fn entry() -> Entry {
        let values = |all: &[&str]| all.iter().map(|value| (*value).to_owned()).collect();
        Entry {
            dn: "cn=physics-lovers,ou=groups,o=libregraph-idm".into(),
            attributes: vec![
                ("objectClass", values(&["groupOfNames", "top"])),
                ("cn", values(&["Physics-Lovers é"])),
                ("member", values(&["uid=Marie,ou=users,o=libregraph-idm"])),
            ],
            operational: vec![("entryUUID", values(&["262982c1"]))],
        }
    }

    #[test]
    fn filters_of_every_kind() {
        for (filter, expected) in [
            ("(objectclass=GROUPOFNAMES)", true),
            ("(objectclass=person)", false),
            ("(cn=*)", true),
            ("(mail=*)", false),
            ("(!(mail=*))", true),
            ("(entryuuid=262982C1)", true),
            ("(cn=\"physics-lovers É\")", true),
            ("(cn=physics*)", true),
            ("(cn=*LOVERS*)", true),
            ("(cn=*é)", true),
            ("(cn=ph*lov*é)", true),
            ("(cn=ph*ph*)", false),
            ("(cn=*lovers*physics*)", false),
            ("(cn>=p)", true),
            ("(cn<=p)", false),
            ("(cn~=\"physics-lovers é\")", true),
            ("(member=\"UID = marie, OU=users,o=libregraph-idm\")", true),
            ("(member=\"uid=marie\")", false),
            ("(cn:caseIgnoreMatch:=\"physics-lovers é\")", true),
            ("(&(cn=*)(mail=*))", false),
            ("(|(cn=*)(mail=*))", true),
            ("(userPassword=*)", false),
            ("(!(userPassword=*))", false),
            ("(&(cn=*)(!(userPassword=x*)))", false),
            ("(|(cn=*)(userPassword=*))", true),
            ("(cn:1.2.3:=x)", false),
            ("(!(cn:1.2.3:=x))", false),
        ] {
            let parsed = parse_ldap_filter_str(filter).unwrap();
            assert_eq!(matches(&parsed, &entry()) == Some(true), expected, "{filter}");
        }
        // An attribute with an option (RFC 4512 section 2.5) comes over the wire, but the parser of
        // text does not know it.
        for name in ["userpassword;x", "userPassword;lang-de"] {
            let is_there = LdapFilter::Present(name.into());
            assert_ne!(matches(&is_there, &entry()), Some(true), "{name}");
            let is_not = LdapFilter::Not(Box::new(is_there));
            assert_ne!(matches(&is_not, &entry()), Some(true), "{name}");
        }
    }

    fn filters() -> impl Strategy<Value = LdapFilter> {
        let name = prop::sample::select(vec!["cn", "CN", "mail", "member", "userPassword"]);
        let text = "[a-pP é]{0,3}";
        let leaf = prop_oneof![
            (name.clone(), text).prop_map(|(n, v)| LdapFilter::Equality(n.into(), v)),
            name.clone().prop_map(|n| LdapFilter::Present(n.into())),
            (name.clone(), text).prop_map(|(n, v)| LdapFilter::GreaterOrEqual(n.into(), v)),
            (
                name,
                prop::option::of(text),
                prop::collection::vec(text, 0..3),
                prop::option::of(text)
            )
                .prop_map(|(n, initial, any, final_)| {
                    LdapFilter::Substring(n.into(), LdapSubstringFilter { initial, any, final_ })
                }),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(LdapFilter::And),
                prop::collection::vec(inner.clone(), 0..4).prop_map(LdapFilter::Or),
                inner.prop_map(|filter| LdapFilter::Not(Box::new(filter))),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_laws_of_de_morgan_hold(all in prop::collection::vec(filters(), 0..4)) {
            let not = |filter: LdapFilter| LdapFilter::Not(Box::new(filter));
            let entry = entry();
            let one = not(LdapFilter::And(all.clone()));
            let other = LdapFilter::Or(all.iter().cloned().map(not).collect());
            prop_assert_eq!(matches(&one, &entry), matches(&other, &entry));
            prop_assert_eq!(matches(&not(one.clone()), &entry), matches(&LdapFilter::And(all), &entry));
        }

        #[test]
        fn parts_of_a_value_are_found(value in "[a-c*é]{0,8}", cuts in prop::collection::vec(0..9_usize, 2)) {
            let chars: Vec<char> = value.chars().collect();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(chars.len())).collect();
            cuts.sort_unstable();
            let part = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
            let parts = LdapSubstringFilter {
                initial: Some(part(0, cuts[0])),
                any: vec![part(cuts[0], cuts[1])],
                final_: Some(part(cuts[1], chars.len())),
            };
            prop_assert!(contains(&value.to_uppercase(), &parts));
        }
    }
}
