//! Settings of groups.

use ocis_auth::ldap::{DisableUsers, LdapOptions};

use crate::settings::ldap::{LdapSubstring, directory, ldap_settings};

ldap_settings! {
    /// Looks up groups.
    pub struct Groups("groups", key "groups", prefix "GROUPS", debug "127.0.0.1:9161", ldap "drivers.ldap") {
        /// Where in a name a searched text has to stand: initial, any or final.
        group_substring: LdapSubstring = "any",
            "drivers.ldap.group_substring_filter_type", ["LDAP_GROUP_SUBSTRING_FILTER_TYPE", "GROUPS_LDAP_GROUP_SUBSTRING_FILTER_TYPE"];
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
