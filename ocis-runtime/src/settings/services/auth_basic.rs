//! Settings of auth-basic.

use ocis_auth::ldap::LdapOptions;
use ocis_core::config::WebUrl;

use crate::settings::ldap::{LdapDisable, directory, ldap_settings};

ldap_settings! {
    /// Checks user names and passwords.
    pub struct AuthBasic("auth-basic", key "auth_basic", prefix "AUTH_BASIC", debug "127.0.0.1:9147", ldap "auth_providers.ldap") {
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
        /// Attribute that is FALSE for a disabled user.
        user_enabled: String = "ownCloudUserEnabled",
            "auth_providers.ldap.user_schema.user_enabled", ["OCIS_LDAP_USER_ENABLED_ATTRIBUTE", "AUTH_BASIC_LDAP_USER_ENABLED_ATTRIBUTE"];
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
