//! Settings of auth-basic.

use ocis_auth::ldap::LdapOptions;
use ocis_core::config::{Secret, WebUrl};
use ocis_core::settings;

use crate::settings::ldap::{LdapDisable, LdapScope, LdapUris, directory};

settings! {
    /// Checks user names and passwords.
    pub struct AuthBasic("auth-basic", key "auth_basic", prefix "AUTH_BASIC", debug "127.0.0.1:9147") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "AUTH_BASIC_JWT_SECRET"], required;
        /// Password with which the service asks the directory.
        bind_password: Secret = "",
            "auth_providers.ldap.bind_password", ["OCIS_LDAP_BIND_PASSWORD", "AUTH_BASIC_LDAP_BIND_PASSWORD"], required;
        /// The LDAP servers of the directory (ldap:// or ldaps://); several with blanks or commas between them are tried in order. The default, and any other URI of the address where idm of the same process listens, means its directory without LDAP.
        ldap_uri: LdapUris = "ldaps://localhost:9235",
            "auth_providers.ldap.uri", ["OCIS_LDAP_URI", "AUTH_BASIC_LDAP_URI"];
        /// File with certificates (PEM) to trust for LDAP besides the system's; empty for only those.
        ldap_ca_cert: String = "$OCIS_BASE_DATA_PATH/idm/ldap.crt",
            "auth_providers.ldap.ca_cert", ["OCIS_LDAP_CACERT", "AUTH_BASIC_LDAP_CACERT"];
        /// Whether any certificate of the LDAP server will do.
        ldap_insecure: bool = "false",
            "auth_providers.ldap.insecure", ["OCIS_LDAP_INSECURE", "AUTH_BASIC_LDAP_INSECURE"];
        /// Account with which the service asks the directory; empty for none.
        bind_dn: String = "uid=reva,ou=sysusers,o=libregraph-idm",
            "auth_providers.ldap.bind_dn", ["OCIS_LDAP_BIND_DN", "AUTH_BASIC_LDAP_BIND_DN"];
        /// Entry below which the users are.
        user_base_dn: String = "ou=users,o=libregraph-idm",
            "auth_providers.ldap.user_base_dn", ["OCIS_LDAP_USER_BASE_DN", "AUTH_BASIC_LDAP_USER_BASE_DN"];
        /// Entry below which the groups are.
        group_base_dn: String = "ou=groups,o=libregraph-idm",
            "auth_providers.ldap.group_base_dn", ["OCIS_LDAP_GROUP_BASE_DN", "AUTH_BASIC_LDAP_GROUP_BASE_DN"];
        /// How far below that entry users are: base, one or sub.
        user_scope: LdapScope = "sub",
            "auth_providers.ldap.user_scope", ["OCIS_LDAP_USER_SCOPE", "AUTH_BASIC_LDAP_USER_SCOPE"];
        /// How far below that entry groups are: base, one or sub.
        group_scope: LdapScope = "sub",
            "auth_providers.ldap.group_scope", ["OCIS_LDAP_GROUP_SCOPE", "AUTH_BASIC_LDAP_GROUP_SCOPE"];
        /// Filter that users have to meet besides, with its parentheses.
        user_filter: String = "",
            "auth_providers.ldap.user_filter", ["OCIS_LDAP_USER_FILTER", "AUTH_BASIC_LDAP_USER_FILTER"];
        /// Filter that groups have to meet besides, with its parentheses.
        group_filter: String = "",
            "auth_providers.ldap.group_filter", ["OCIS_LDAP_GROUP_FILTER", "AUTH_BASIC_LDAP_GROUP_FILTER"];
        /// Object class of users.
        user_object_class: String = "inetOrgPerson",
            "auth_providers.ldap.user_object_class", ["OCIS_LDAP_USER_OBJECTCLASS", "AUTH_BASIC_LDAP_USER_OBJECTCLASS"];
        /// Object class of groups; members of a posixGroup are user names, of all others DNs.
        group_object_class: String = "groupOfNames",
            "auth_providers.ldap.group_object_class", ["OCIS_LDAP_GROUP_OBJECTCLASS", "AUTH_BASIC_LDAP_GROUP_OBJECTCLASS"];
        /// Attributes whose value somebody may sign in with.
        login_attributes: Vec<String> = "uid",
            "auth_providers.ldap.login_attributes", ["LDAP_LOGIN_ATTRIBUTES", "AUTH_BASIC_LDAP_LOGIN_ATTRIBUTES"];
        /// Issuer under which the accounts are known.
        issuer: WebUrl = "https://localhost:9200",
            "auth_providers.ldap.idp", ["OCIS_URL", "OCIS_OIDC_ISSUER", "AUTH_BASIC_IDP_URL"];
        /// What makes a user a disabled one: none, attribute or group.
        disable_users: LdapDisable = "attribute",
            "auth_providers.ldap.disable_user_mechanism", ["OCIS_LDAP_DISABLE_USER_MECHANISM", "AUTH_BASIC_DISABLE_USER_MECHANISM"];
        /// The group whose members are disabled.
        disabled_group_dn: String = "cn=DisabledUsersGroup,ou=groups,o=libregraph-idm",
            "auth_providers.ldap.ldap_disabled_users_group_dn", ["OCIS_LDAP_DISABLED_USERS_GROUP_DN", "AUTH_BASIC_DISABLED_USERS_GROUP_DN"];
        /// Attribute with the id of a user.
        user_id: String = "ownclouduuid",
            "auth_providers.ldap.user_schema.id", ["OCIS_LDAP_USER_SCHEMA_ID", "AUTH_BASIC_LDAP_USER_SCHEMA_ID"];
        /// Whether that attribute holds the 16 bytes of a UUID, as objectGUID of Active Directory.
        user_id_octets: bool = "false",
            "auth_providers.ldap.user_schema.id_is_octet_string", ["OCIS_LDAP_USER_SCHEMA_ID_IS_OCTETSTRING", "AUTH_BASIC_LDAP_USER_SCHEMA_ID_IS_OCTETSTRING"];
        /// Attribute with the mail address of a user.
        user_mail: String = "mail",
            "auth_providers.ldap.user_schema.mail", ["OCIS_LDAP_USER_SCHEMA_MAIL", "AUTH_BASIC_LDAP_USER_SCHEMA_MAIL"];
        /// Attribute with the name to show of a user.
        user_display_name: String = "displayname",
            "auth_providers.ldap.user_schema.display_name", ["OCIS_LDAP_USER_SCHEMA_DISPLAYNAME", "AUTH_BASIC_LDAP_USER_SCHEMA_DISPLAYNAME"];
        /// Attribute with the name that a user signs in with.
        user_name: String = "uid",
            "auth_providers.ldap.user_schema.user_name", ["OCIS_LDAP_USER_SCHEMA_USERNAME", "AUTH_BASIC_LDAP_USER_SCHEMA_USERNAME"];
        /// Attribute that is FALSE for a disabled user.
        user_enabled: String = "ownCloudUserEnabled",
            "auth_providers.ldap.user_schema.user_enabled", ["OCIS_LDAP_USER_ENABLED_ATTRIBUTE", "AUTH_BASIC_LDAP_USER_ENABLED_ATTRIBUTE"];
        /// Attribute with the id of a group.
        group_id: String = "ownclouduuid",
            "auth_providers.ldap.group_schema.id", ["OCIS_LDAP_GROUP_SCHEMA_ID", "AUTH_BASIC_LDAP_GROUP_SCHEMA_ID"];
        /// Whether that attribute holds the 16 bytes of a UUID.
        group_id_octets: bool = "false",
            "auth_providers.ldap.group_schema.id_is_octet_string", ["OCIS_LDAP_GROUP_SCHEMA_ID_IS_OCTETSTRING", "AUTH_BASIC_LDAP_GROUP_SCHEMA_ID_IS_OCTETSTRING"];
        /// Attribute with the mail address of a group.
        group_mail: String = "mail",
            "auth_providers.ldap.group_schema.mail", ["OCIS_LDAP_GROUP_SCHEMA_MAIL", "AUTH_BASIC_LDAP_GROUP_SCHEMA_MAIL"];
        /// Attribute with the name to show of a group.
        group_display_name: String = "cn",
            "auth_providers.ldap.group_schema.display_name", ["OCIS_LDAP_GROUP_SCHEMA_DISPLAYNAME", "AUTH_BASIC_LDAP_GROUP_SCHEMA_DISPLAYNAME"];
        /// Attribute with the name of a group.
        group_name: String = "cn",
            "auth_providers.ldap.group_schema.group_name", ["OCIS_LDAP_GROUP_SCHEMA_GROUPNAME", "AUTH_BASIC_LDAP_GROUP_SCHEMA_GROUPNAME"];
        /// Attribute with the members of a group.
        group_member: String = "member",
            "auth_providers.ldap.group_schema.member", ["OCIS_LDAP_GROUP_SCHEMA_MEMBER", "AUTH_BASIC_LDAP_GROUP_SCHEMA_MEMBER"];
    }
}

impl AuthBasic {
    /// The directory behind LDAP.
    pub(crate) fn directory(&self) -> LdapOptions {
        let mut options = directory!(self);
        options.login_attributes = self.login_attributes.clone();
        options.users.enabled = self.user_enabled.clone();
        options.disable = self.disable_users.with(&self.disabled_group_dn);
        options
    }
}
