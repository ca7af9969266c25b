//! Settings of users.

use ocis_auth::ldap::LdapOptions;
use ocis_core::config::Secret;
use ocis_core::settings;

use crate::settings::ldap::{LdapDisable, LdapScope, LdapSubstring, LdapUris, directory};

settings! {
    /// Looks up users.
    pub struct Users("users", key "users", prefix "USERS", debug "127.0.0.1:9145") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "USERS_JWT_SECRET"], required;
        /// Password with which the service asks the directory.
        bind_password: Secret = "",
            "drivers.ldap.bind_password", ["OCIS_LDAP_BIND_PASSWORD", "USERS_LDAP_BIND_PASSWORD"], required;
        /// The LDAP servers of the directory (ldap:// or ldaps://); several with blanks or commas between them are tried in order. The default, and any other URI of the address where idm of the same process listens, means its directory without LDAP.
        ldap_uri: LdapUris = "ldaps://localhost:9235",
            "drivers.ldap.uri", ["OCIS_LDAP_URI", "USERS_LDAP_URI"];
        /// File with certificates (PEM) to trust for LDAP besides the system's; empty for only those.
        ldap_ca_cert: String = "$OCIS_BASE_DATA_PATH/idm/ldap.crt",
            "drivers.ldap.ca_cert", ["OCIS_LDAP_CACERT", "USERS_LDAP_CACERT"];
        /// Whether any certificate of the LDAP server will do.
        ldap_insecure: bool = "false",
            "drivers.ldap.insecure", ["OCIS_LDAP_INSECURE", "USERS_LDAP_INSECURE"];
        /// Account with which the service asks the directory; empty for none.
        bind_dn: String = "uid=reva,ou=sysusers,o=libregraph-idm",
            "drivers.ldap.bind_dn", ["OCIS_LDAP_BIND_DN", "USERS_LDAP_BIND_DN"];
        /// Entry below which the users are.
        user_base_dn: String = "ou=users,o=libregraph-idm",
            "drivers.ldap.user_base_dn", ["OCIS_LDAP_USER_BASE_DN", "USERS_LDAP_USER_BASE_DN"];
        /// Entry below which the groups are.
        group_base_dn: String = "ou=groups,o=libregraph-idm",
            "drivers.ldap.group_base_dn", ["OCIS_LDAP_GROUP_BASE_DN", "USERS_LDAP_GROUP_BASE_DN"];
        /// How far below that entry users are: base, one or sub.
        user_scope: LdapScope = "sub",
            "drivers.ldap.user_scope", ["OCIS_LDAP_USER_SCOPE", "USERS_LDAP_USER_SCOPE"];
        /// How far below that entry groups are: base, one or sub.
        group_scope: LdapScope = "sub",
            "drivers.ldap.group_scope", ["OCIS_LDAP_GROUP_SCOPE", "USERS_LDAP_GROUP_SCOPE"];
        /// Where in a name a searched text has to stand: initial, any or final.
        user_substring: LdapSubstring = "any",
            "drivers.ldap.user_substring_filter_type", ["LDAP_USER_SUBSTRING_FILTER_TYPE", "USERS_LDAP_USER_SUBSTRING_FILTER_TYPE"];
        /// Filter that users have to meet besides, with its parentheses.
        user_filter: String = "",
            "drivers.ldap.user_filter", ["OCIS_LDAP_USER_FILTER", "USERS_LDAP_USER_FILTER"];
        /// Filter that groups have to meet besides, with its parentheses.
        group_filter: String = "",
            "drivers.ldap.group_filter", ["OCIS_LDAP_GROUP_FILTER", "USERS_LDAP_GROUP_FILTER"];
        /// Object class of users.
        user_object_class: String = "inetOrgPerson",
            "drivers.ldap.user_object_class", ["OCIS_LDAP_USER_OBJECTCLASS", "USERS_LDAP_USER_OBJECTCLASS"];
        /// Object class of groups; members of a posixGroup are user names, of all others DNs.
        group_object_class: String = "groupOfNames",
            "drivers.ldap.group_object_class", ["OCIS_LDAP_GROUP_OBJECTCLASS", "USERS_LDAP_GROUP_OBJECTCLASS"];
        /// What makes a user a disabled one: none, attribute or group.
        disable_users: LdapDisable = "attribute",
            "drivers.ldap.disable_user_mechanism", ["OCIS_LDAP_DISABLE_USER_MECHANISM", "USERS_LDAP_DISABLE_USER_MECHANISM"];
        /// The group whose members are disabled.
        disabled_group_dn: String = "cn=DisabledUsersGroup,ou=groups,o=libregraph-idm",
            "drivers.ldap.ldap_disabled_users_group_dn", ["OCIS_LDAP_DISABLED_USERS_GROUP_DN", "USERS_LDAP_DISABLED_USERS_GROUP_DN"];
        /// Attribute with the kind of a user: Member, Guest or Federated.
        user_type: String = "ownCloudUserType",
            "drivers.ldap.user_type_attribute", ["OCIS_LDAP_USER_SCHEMA_USER_TYPE", "USERS_LDAP_USER_TYPE_ATTRIBUTE"];
        /// Attribute with the id of a user.
        user_id: String = "ownclouduuid",
            "drivers.ldap.user_schema.id", ["OCIS_LDAP_USER_SCHEMA_ID", "USERS_LDAP_USER_SCHEMA_ID"];
        /// Whether that attribute holds the 16 bytes of a UUID, as objectGUID of Active Directory.
        user_id_octets: bool = "false",
            "drivers.ldap.user_schema.id_is_octet_string", ["OCIS_LDAP_USER_SCHEMA_ID_IS_OCTETSTRING", "USERS_LDAP_USER_SCHEMA_ID_IS_OCTETSTRING"];
        /// Attribute with the mail address of a user.
        user_mail: String = "mail",
            "drivers.ldap.user_schema.mail", ["OCIS_LDAP_USER_SCHEMA_MAIL", "USERS_LDAP_USER_SCHEMA_MAIL"];
        /// Attribute with the name to show of a user.
        user_display_name: String = "displayname",
            "drivers.ldap.user_schema.display_name", ["OCIS_LDAP_USER_SCHEMA_DISPLAYNAME", "USERS_LDAP_USER_SCHEMA_DISPLAYNAME"];
        /// Attribute with the name that a user signs in with.
        user_name: String = "uid",
            "drivers.ldap.user_schema.user_name", ["OCIS_LDAP_USER_SCHEMA_USERNAME", "USERS_LDAP_USER_SCHEMA_USERNAME"];
        /// Attribute that is FALSE for a disabled user.
        user_enabled: String = "ownCloudUserEnabled",
            "drivers.ldap.user_schema.user_enabled", ["OCIS_LDAP_USER_ENABLED_ATTRIBUTE", "USERS_LDAP_USER_ENABLED_ATTRIBUTE"];
        /// Attribute with the id of a group.
        group_id: String = "ownclouduuid",
            "drivers.ldap.group_schema.id", ["OCIS_LDAP_GROUP_SCHEMA_ID", "USERS_LDAP_GROUP_SCHEMA_ID"];
        /// Whether that attribute holds the 16 bytes of a UUID.
        group_id_octets: bool = "false",
            "drivers.ldap.group_schema.id_is_octet_string", ["OCIS_LDAP_GROUP_SCHEMA_ID_IS_OCTETSTRING", "USERS_LDAP_GROUP_SCHEMA_ID_IS_OCTETSTRING"];
        /// Attribute with the mail address of a group.
        group_mail: String = "mail",
            "drivers.ldap.group_schema.mail", ["OCIS_LDAP_GROUP_SCHEMA_MAIL", "USERS_LDAP_GROUP_SCHEMA_MAIL"];
        /// Attribute with the name to show of a group.
        group_display_name: String = "cn",
            "drivers.ldap.group_schema.display_name", ["OCIS_LDAP_GROUP_SCHEMA_DISPLAYNAME", "USERS_LDAP_GROUP_SCHEMA_DISPLAYNAME"];
        /// Attribute with the name of a group.
        group_name: String = "cn",
            "drivers.ldap.group_schema.group_name", ["OCIS_LDAP_GROUP_SCHEMA_GROUPNAME", "USERS_LDAP_GROUP_SCHEMA_GROUPNAME"];
        /// Attribute with the members of a group.
        group_member: String = "member",
            "drivers.ldap.group_schema.member", ["OCIS_LDAP_GROUP_SCHEMA_MEMBER", "USERS_LDAP_GROUP_SCHEMA_MEMBER"];
    }
}

impl Users {
    /// The directory behind LDAP.
    pub(crate) fn directory(&self) -> LdapOptions {
        let mut options = directory!(self);
        options.users.place.substring = self.user_substring.0;
        options.users.user_type = self.user_type.clone();
        options.users.enabled = self.user_enabled.clone();
        options.disable = self.disable_users.with(&self.disabled_group_dn);
        options.groups.display_name = self.group_display_name.clone();
        options.groups.mail = self.group_mail.clone();
        options
    }
}
