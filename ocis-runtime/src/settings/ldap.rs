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
            let schemes = ["ldaps://", "ldap://", "ldap+starttls://"];
            let host = schemes.iter().find_map(|scheme| uri.strip_prefix(scheme));
            host.is_some_and(|host| !host.is_empty() && !host.contains('/'))
        };
        match !uris.is_empty() && uris.iter().all(legal) {
            true => Ok(Self(uris)),
            false => {
                Err("; right would be ldaps://, ldap:// or ldap+starttls:// with the name of \
                          a host"
                    .to_owned())
            }
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

/// Declares the settings of a service that asks a directory as those of reva do: they differ in the
/// prefix of their variables and in the place in YAML (`ldap`), and in what some of them have besides.
macro_rules! ldap_settings {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident($service:literal, key $key:literal, prefix $prefix:literal, debug $debug:literal, ldap $yaml:literal) {
            $($own:tt)*
        }
    ) => {
        ocis_core::settings! {
            $(#[doc = $about])+
            $vis struct $name($service, key $key, prefix $prefix, debug $debug) {
                /// Signs the tokens that carry the caller inside the server.
                jwt_secret: ocis_core::config::Secret = "",
                    "token_manager.jwt_secret", ["OCIS_JWT_SECRET", concat!($prefix, "_JWT_SECRET")], required;
                /// Password with which the service asks the directory.
                bind_password: ocis_core::config::Secret = "",
                    concat!($yaml, ".bind_password"), ["OCIS_LDAP_BIND_PASSWORD", concat!($prefix, "_LDAP_BIND_PASSWORD")], required;
                /// The LDAP servers of the directory (ldaps://, ldap://, or ldap+starttls:// to make the latter secure); several with blanks or commas between them are tried in order. The default, and any other URI of the address where idm of the same process listens, means its directory without LDAP.
                ldap_uri: $crate::settings::ldap::LdapUris = "ldaps://localhost:9235",
                    concat!($yaml, ".uri"), ["OCIS_LDAP_URI", concat!($prefix, "_LDAP_URI")];
                /// File with certificates (PEM) to trust for LDAP besides the system's; empty for only those.
                ldap_ca_cert: String = "$OCIS_BASE_DATA_PATH/idm/ldap.crt",
                    concat!($yaml, ".ca_cert"), ["OCIS_LDAP_CACERT", concat!($prefix, "_LDAP_CACERT")];
                /// Whether any certificate of the LDAP server will do.
                ldap_insecure: bool = "false",
                    concat!($yaml, ".insecure"), ["OCIS_LDAP_INSECURE", concat!($prefix, "_LDAP_INSECURE")];
                /// Account with which the service asks the directory; empty for none.
                bind_dn: String = "uid=reva,ou=sysusers,o=libregraph-idm",
                    concat!($yaml, ".bind_dn"), ["OCIS_LDAP_BIND_DN", concat!($prefix, "_LDAP_BIND_DN")];
                /// Entry below which the users are.
                user_base_dn: String = "ou=users,o=libregraph-idm",
                    concat!($yaml, ".user_base_dn"), ["OCIS_LDAP_USER_BASE_DN", concat!($prefix, "_LDAP_USER_BASE_DN")];
                /// Entry below which the groups are.
                group_base_dn: String = "ou=groups,o=libregraph-idm",
                    concat!($yaml, ".group_base_dn"), ["OCIS_LDAP_GROUP_BASE_DN", concat!($prefix, "_LDAP_GROUP_BASE_DN")];
                /// How far below that entry users are: base, one or sub.
                user_scope: $crate::settings::ldap::LdapScope = "sub",
                    concat!($yaml, ".user_scope"), ["OCIS_LDAP_USER_SCOPE", concat!($prefix, "_LDAP_USER_SCOPE")];
                /// How far below that entry groups are: base, one or sub.
                group_scope: $crate::settings::ldap::LdapScope = "sub",
                    concat!($yaml, ".group_scope"), ["OCIS_LDAP_GROUP_SCOPE", concat!($prefix, "_LDAP_GROUP_SCOPE")];
                /// Filter that users have to meet besides, with its parentheses.
                user_filter: String = "",
                    concat!($yaml, ".user_filter"), ["OCIS_LDAP_USER_FILTER", concat!($prefix, "_LDAP_USER_FILTER")];
                /// Filter that groups have to meet besides, with its parentheses.
                group_filter: String = "",
                    concat!($yaml, ".group_filter"), ["OCIS_LDAP_GROUP_FILTER", concat!($prefix, "_LDAP_GROUP_FILTER")];
                /// Object class of users.
                user_object_class: String = "inetOrgPerson",
                    concat!($yaml, ".user_object_class"), ["OCIS_LDAP_USER_OBJECTCLASS", concat!($prefix, "_LDAP_USER_OBJECTCLASS")];
                /// Object class of groups; members of a posixGroup are user names, of all others DNs.
                group_object_class: String = "groupOfNames",
                    concat!($yaml, ".group_object_class"), ["OCIS_LDAP_GROUP_OBJECTCLASS", concat!($prefix, "_LDAP_GROUP_OBJECTCLASS")];
                /// Attribute with the id of a user.
                user_id: String = "ownclouduuid",
                    concat!($yaml, ".user_schema.id"), ["OCIS_LDAP_USER_SCHEMA_ID", concat!($prefix, "_LDAP_USER_SCHEMA_ID")];
                /// Whether that attribute holds the 16 bytes of a UUID, as objectGUID of Active Directory.
                user_id_octets: bool = "false",
                    concat!($yaml, ".user_schema.id_is_octet_string"), ["OCIS_LDAP_USER_SCHEMA_ID_IS_OCTETSTRING", concat!($prefix, "_LDAP_USER_SCHEMA_ID_IS_OCTETSTRING")];
                /// Attribute with the mail address of a user.
                user_mail: String = "mail",
                    concat!($yaml, ".user_schema.mail"), ["OCIS_LDAP_USER_SCHEMA_MAIL", concat!($prefix, "_LDAP_USER_SCHEMA_MAIL")];
                /// Attribute with the name to show of a user.
                user_display_name: String = "displayname",
                    concat!($yaml, ".user_schema.display_name"), ["OCIS_LDAP_USER_SCHEMA_DISPLAYNAME", concat!($prefix, "_LDAP_USER_SCHEMA_DISPLAYNAME")];
                /// Attribute with the name that a user signs in with.
                user_name: String = "uid",
                    concat!($yaml, ".user_schema.user_name"), ["OCIS_LDAP_USER_SCHEMA_USERNAME", concat!($prefix, "_LDAP_USER_SCHEMA_USERNAME")];
                /// Attribute with the id of a group.
                group_id: String = "ownclouduuid",
                    concat!($yaml, ".group_schema.id"), ["OCIS_LDAP_GROUP_SCHEMA_ID", concat!($prefix, "_LDAP_GROUP_SCHEMA_ID")];
                /// Whether that attribute holds the 16 bytes of a UUID.
                group_id_octets: bool = "false",
                    concat!($yaml, ".group_schema.id_is_octet_string"), ["OCIS_LDAP_GROUP_SCHEMA_ID_IS_OCTETSTRING", concat!($prefix, "_LDAP_GROUP_SCHEMA_ID_IS_OCTETSTRING")];
                /// Attribute with the mail address of a group.
                group_mail: String = "mail",
                    concat!($yaml, ".group_schema.mail"), ["OCIS_LDAP_GROUP_SCHEMA_MAIL", concat!($prefix, "_LDAP_GROUP_SCHEMA_MAIL")];
                /// Attribute with the name to show of a group.
                group_display_name: String = "cn",
                    concat!($yaml, ".group_schema.display_name"), ["OCIS_LDAP_GROUP_SCHEMA_DISPLAYNAME", concat!($prefix, "_LDAP_GROUP_SCHEMA_DISPLAYNAME")];
                /// Attribute with the name of a group.
                group_name: String = "cn",
                    concat!($yaml, ".group_schema.group_name"), ["OCIS_LDAP_GROUP_SCHEMA_GROUPNAME", concat!($prefix, "_LDAP_GROUP_SCHEMA_GROUPNAME")];
                /// Attribute with the members of a group.
                group_member: String = "member",
                    concat!($yaml, ".group_schema.member"), ["OCIS_LDAP_GROUP_SCHEMA_MEMBER", concat!($prefix, "_LDAP_GROUP_SCHEMA_MEMBER")];
                $($own)*
            }
        }
    };
}

pub(crate) use ldap_settings;

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
        let uris = LdapUris::parse("ldaps://a:636/, ldap://b ldap+starttls://c").unwrap();
        assert_eq!(uris.0, ["ldaps://a:636", "ldap://b", "ldap+starttls://c"]);
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
