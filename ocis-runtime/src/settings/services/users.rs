//! Settings of users.

use ocis_auth::ldap::LdapOptions;

use crate::settings::ldap::{LdapDisable, LdapSubstring, directory, ldap_settings};

ldap_settings! {
    /// Looks up users.
    pub struct Users("users", key "users", prefix "USERS", debug "127.0.0.1:9145", ldap "drivers.ldap") {
        /// Where in a name a searched text has to stand: initial, any or final.
        user_substring: LdapSubstring = "any",
            "drivers.ldap.user_substring_filter_type", ["LDAP_USER_SUBSTRING_FILTER_TYPE", "USERS_LDAP_USER_SUBSTRING_FILTER_TYPE"];
        /// What makes a user a disabled one: none, attribute or group.
        disable_users: LdapDisable = "attribute",
            "drivers.ldap.disable_user_mechanism", ["OCIS_LDAP_DISABLE_USER_MECHANISM", "USERS_LDAP_DISABLE_USER_MECHANISM"];
        /// The group whose members are disabled.
        disabled_group_dn: String = "cn=DisabledUsersGroup,ou=groups,o=libregraph-idm",
            "drivers.ldap.ldap_disabled_users_group_dn", ["OCIS_LDAP_DISABLED_USERS_GROUP_DN", "USERS_LDAP_DISABLED_USERS_GROUP_DN"];
        /// Attribute with the kind of a user: Member, Guest or Federated.
        user_type: String = "ownCloudUserType",
            "drivers.ldap.user_type_attribute", ["OCIS_LDAP_USER_SCHEMA_USER_TYPE", "USERS_LDAP_USER_TYPE_ATTRIBUTE"];
        /// Attribute that is FALSE for a disabled user.
        user_enabled: String = "ownCloudUserEnabled",
            "drivers.ldap.user_schema.user_enabled", ["OCIS_LDAP_USER_ENABLED_ATTRIBUTE", "USERS_LDAP_USER_ENABLED_ATTRIBUTE"];
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
