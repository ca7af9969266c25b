//! Settings of groups.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Looks up groups.
    pub struct Groups("groups", key "groups", prefix "GROUPS", debug "127.0.0.1:9161") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "GROUPS_JWT_SECRET"], required;
        /// Password with which the service asks the directory.
        bind_password: Secret = "",
            "drivers.ldap.bind_password", ["OCIS_LDAP_BIND_PASSWORD", "GROUPS_LDAP_BIND_PASSWORD"], required;
    }
}
