//! The settings that say how to reach an LDAP directory, and what its entries look like: their
//! types, and how those of a service become what the client of `ocis-auth` takes.

use ocis_auth::ldap::{DisableUsers, Scope, Substring};
use ocis_core::config::Value;

/// LDAP servers, in the order in which they are tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LdapUris(pub Vec<String>);

impl Value for LdapUris {
    const KIND: &'static str = "URL";

    fn parse(text: &str) -> Result<Self, String> {
        let uris = text.split([' ', ',']).filter(|uri| !uri.is_empty());
        let uris: Vec<String> = uris.map(|uri| uri.trim_end_matches('/').to_owned()).collect();
        let legal = |uri: &String| {
            let host = uri.strip_prefix("ldaps://").or_else(|| uri.strip_prefix("ldap://"));
            host.is_some_and(|host| !host.is_empty() && !host.contains('/'))
        };
        match !uris.is_empty() && uris.iter().all(legal) {
            true => Ok(Self(uris)),
            false => Err("; right would be ldaps:// or ldap:// with the name of a host".to_owned()),
        }
    }

    fn from_list(items: Vec<String>) -> Result<Self, String> {
        Self::parse(&items.join(" "))
    }
}

/// How far below its base a search reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LdapScope(pub Scope);

impl Value for LdapScope {
    const KIND: &'static str = "text";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "base" => Ok(Self(Scope::Base)),
            "one" => Ok(Self(Scope::One)),
            "sub" => Ok(Self(Scope::Sub)),
            _ => Err("; right would be base, one or sub".to_owned()),
        }
    }
}

/// Where in a name a searched text has to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LdapSubstring(pub Substring);

impl Value for LdapSubstring {
    const KIND: &'static str = "text";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "initial" => Ok(Self(Substring::Initial)),
            "any" => Ok(Self(Substring::Any)),
            "final" => Ok(Self(Substring::Final)),
            _ => Err("; right would be initial, any or final".to_owned()),
        }
    }
}

/// What makes a user a disabled one; the group is a setting of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LdapDisable {
    /// Nothing does.
    None,
    /// An attribute.
    #[default]
    Attribute,
    /// Membership in a group.
    Group,
}

impl LdapDisable {
    /// With the DN of the group.
    pub(crate) fn with(self, group: &str) -> DisableUsers {
        match self {
            Self::None => DisableUsers::None,
            Self::Attribute => DisableUsers::Attribute,
            Self::Group => DisableUsers::Group(group.to_owned()),
        }
    }
}

impl Value for LdapDisable {
    const KIND: &'static str = "text";
    const EMPTY: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "" | "none" => Ok(Self::None),
            "attribute" => Ok(Self::Attribute),
            "group" => Ok(Self::Group),
            _ => Err("; right would be none, attribute or group".to_owned()),
        }
    }
}

/// What the settings of every service that asks an LDAP directory say about it, in the form that
/// the client takes; what only some of them have is added by each.
macro_rules! directory {
    ($config:expr) => {{
        use ocis_auth::ldap::{IdAttribute, LdapOptions, Place};

        let config = $config;
        let mut options = LdapOptions {
            servers: config.ldap_uri.0.clone(),
            ca_cert: Some(&config.ldap_ca_cert).filter(|path| !path.is_empty()).map(Into::into),
            insecure: config.ldap_insecure,
            bind_dn: config.bind_dn.clone(),
            bind_password: config.bind_password.clone(),
            ..LdapOptions::default()
        };
        options.users.place = Place {
            base_dn: config.user_base_dn.clone(),
            scope: config.user_scope.0,
            filter: config.user_filter.clone(),
            object_class: config.user_object_class.clone(),
            ..options.users.place
        };
        options.users.id =
            IdAttribute { name: config.user_id.clone(), octets: config.user_id_octets };
        options.users.username = config.user_name.clone();
        options.users.display_name = config.user_display_name.clone();
        options.users.mail = config.user_mail.clone();
        options.groups.place = Place {
            base_dn: config.group_base_dn.clone(),
            scope: config.group_scope.0,
            filter: config.group_filter.clone(),
            object_class: config.group_object_class.clone(),
            ..options.groups.place
        };
        options.groups.id =
            IdAttribute { name: config.group_id.clone(), octets: config.group_id_octets };
        options.groups.name = config.group_name.clone();
        options.groups.member = config.group_member.clone();
        options
    }};
}

pub(crate) use directory;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_servers_may_be_named() {
        let uris = LdapUris::parse("ldaps://a:636/, ldap://b").unwrap();
        assert_eq!(uris.0, ["ldaps://a:636", "ldap://b"]);
        for wrong in ["", "localhost", "http://a", "ldap://", "ldap://a/dc=x", "ldap://a b"] {
            assert!(LdapUris::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_empty_mechanism_is_none() {
        assert_eq!(LdapDisable::parse("").unwrap(), LdapDisable::None);
        assert_eq!(
            LdapDisable::parse("Group").unwrap().with("cn=x"),
            DisableUsers::Group("cn=x".into())
        );
    }
}
