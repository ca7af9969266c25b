//! Settings of groups.

use ocis_auth::ldap::{DisableUsers, LdapOptions};
use ocis_core::config::Secret;
use ocis_core::settings;

use crate::settings::ldap::{LdapScope, LdapSubstring, LdapUris, directory};

settings! {
    /// Looks up groups.
    pub struct Groups("groups", key "groups", prefix "GROUPS", debug "127.0.0.1:9161") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "GROUPS_JWT_SECRET"], required;
        /// Password with which the service asks the directory.
        bind_password: Secret = "",
            "drivers.ldap.bind_password", ["OCIS_LDAP_BIND_PASSWORD", "GROUPS_LDAP_BIND_PASSWORD"], required;
        /// The LDAP servers of the directory (ldap:// or ldaps://); several with blanks or commas between them are tried in order. The default, and any other URI of the address where idm of the same process listens, means its directory without LDAP.
        ldap_uri: LdapUris = "ldaps://localhost:9235",
            "drivers.ldap.uri", ["OCIS_LDAP_URI", "GROUPS_LDAP_URI"];
        /// File with certificates (PEM) to trust for LDAP besides the system's; empty for only those.
        ldap_ca_cert: String = "$OCIS_BASE_DATA_PATH/idm/ldap.crt",
            "drivers.ldap.ca_cert", ["OCIS_LDAP_CACERT", "GROUPS_LDAP_CACERT"];
        /// Whether any certificate of the LDAP server will do.
        ldap_insecure: bool = "false",
            "drivers.ldap.insecure", ["OCIS_LDAP_INSECURE", "GROUPS_LDAP_INSECURE"];
        /// Account with which the service asks the directory; empty for none.
        bind_dn: String = "uid=reva,ou=sysusers,o=libregraph-idm",
            "drivers.ldap.bind_dn", ["OCIS_LDAP_BIND_DN", "GROUPS_LDAP_BIND_DN"];
        /// Entry below which the users are.
        user_base_dn: String = "ou=users,o=libregraph-idm",
            "drivers.ldap.user_base_dn", ["OCIS_LDAP_USER_BASE_DN", "GROUPS_LDAP_USER_BASE_DN"];
        /// Entry below which the groups are.
        group_base_dn: String = "ou=groups,o=libregraph-idm",
            "drivers.ldap.group_base_dn", ["OCIS_LDAP_GROUP_BASE_DN", "GROUPS_LDAP_GROUP_BASE_DN"];
        /// How far below that entry users are: base, one or sub.
        user_scope: LdapScope = "sub",
            "drivers.ldap.user_scope", ["OCIS_LDAP_USER_SCOPE", "GROUPS_LDAP_USER_SCOPE"];
        /// How far below that entry groups are: base, one or sub.
        group_scope: LdapScope = "sub",
            "drivers.ldap.group_scope", ["OCIS_LDAP_GROUP_SCOPE", "GROUPS_LDAP_GROUP_SCOPE"];
        /// Where in a name a searched text has to stand: initial, any or final.
        group_substring: LdapSubstring = "any",
            "drivers.ldap.group_substring_filter_type", ["LDAP_GROUP_SUBSTRING_FILTER_TYPE", "GROUPS_LDAP_GROUP_SUBSTRING_FILTER_TYPE"];
        /// Filter that users have to meet besides, with its parentheses.
        user_filter: String = "",
            "drivers.ldap.user_filter", ["OCIS_LDAP_USER_FILTER", "GROUPS_LDAP_USER_FILTER"];
        /// Filter that groups have to meet besides, with its parentheses.
        group_filter: String = "",
            "drivers.ldap.group_filter", ["OCIS_LDAP_GROUP_FILTER", "GROUPS_LDAP_GROUP_FILTER"];
        /// Object class of users.
        user_object_class: String = "inetOrgPerson",
            "drivers.ldap.user_object_class", ["OCIS_LDAP_USER_OBJECTCLASS", "GROUPS_LDAP_USER_OBJECTCLASS"];
        /// Object class of groups; members of a posixGroup are user names, of all others DNs.
        group_object_class: String = "groupOfNames",
            "drivers.ldap.group_object_class", ["OCIS_LDAP_GROUP_OBJECTCLASS", "GROUPS_LDAP_GROUP_OBJECTCLASS"];
        /// Attribute with the id of a user.
        user_id: String = "ownclouduuid",
            "drivers.ldap.user_schema.id", ["OCIS_LDAP_USER_SCHEMA_ID", "GROUPS_LDAP_USER_SCHEMA_ID"];
        /// Whether that attribute holds the 16 bytes of a UUID, as objectGUID of Active Directory.
        user_id_octets: bool = "false",
            "drivers.ldap.user_schema.id_is_octet_string", ["OCIS_LDAP_USER_SCHEMA_ID_IS_OCTETSTRING", "GROUPS_LDAP_USER_SCHEMA_ID_IS_OCTETSTRING"];
        /// Attribute with the mail address of a user.
        user_mail: String = "mail",
            "drivers.ldap.user_schema.mail", ["OCIS_LDAP_USER_SCHEMA_MAIL", "GROUPS_LDAP_USER_SCHEMA_MAIL"];
        /// Attribute with the name to show of a user.
        user_display_name: String = "displayname",
            "drivers.ldap.user_schema.display_name", ["OCIS_LDAP_USER_SCHEMA_DISPLAYNAME", "GROUPS_LDAP_USER_SCHEMA_DISPLAYNAME"];
        /// Attribute with the name that a user signs in with.
        user_name: String = "uid",
            "drivers.ldap.user_schema.user_name", ["OCIS_LDAP_USER_SCHEMA_USERNAME", "GROUPS_LDAP_USER_SCHEMA_USERNAME"];
        /// Attribute with the id of a group.
        group_id: String = "ownclouduuid",
            "drivers.ldap.group_schema.id", ["OCIS_LDAP_GROUP_SCHEMA_ID", "GROUPS_LDAP_GROUP_SCHEMA_ID"];
        /// Whether that attribute holds the 16 bytes of a UUID.
        group_id_octets: bool = "false",
            "drivers.ldap.group_schema.id_is_octet_string", ["OCIS_LDAP_GROUP_SCHEMA_ID_IS_OCTETSTRING", "GROUPS_LDAP_GROUP_SCHEMA_ID_IS_OCTETSTRING"];
        /// Attribute with the mail address of a group.
        group_mail: String = "mail",
            "drivers.ldap.group_schema.mail", ["OCIS_LDAP_GROUP_SCHEMA_MAIL", "GROUPS_LDAP_GROUP_SCHEMA_MAIL"];
        /// Attribute with the name to show of a group.
        group_display_name: String = "cn",
            "drivers.ldap.group_schema.display_name", ["OCIS_LDAP_GROUP_SCHEMA_DISPLAYNAME", "GROUPS_LDAP_GROUP_SCHEMA_DISPLAYNAME"];
        /// Attribute with the name of a group.
        group_name: String = "cn",
            "drivers.ldap.group_schema.group_name", ["OCIS_LDAP_GROUP_SCHEMA_GROUPNAME", "GROUPS_LDAP_GROUP_SCHEMA_GROUPNAME"];
        /// Attribute with the members of a group.
        group_member: String = "member",
            "drivers.ldap.group_schema.member", ["OCIS_LDAP_GROUP_SCHEMA_MEMBER", "GROUPS_LDAP_GROUP_SCHEMA_MEMBER"];
    }
}

impl Groups {
    /// The directory behind LDAP.
    pub(crate) fn directory(&self) -> LdapOptions {
        let mut options = directory!(self);
        options.groups.place.substring = self.group_substring.0;
        options.groups.display_name = self.group_display_name.clone();
        options.groups.mail = self.group_mail.clone();
        // Of members only the ids are told.
        options.disable = DisableUsers::None;
        options
    }
}
