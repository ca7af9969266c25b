//! Settings of users.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Looks up users.
    pub struct Users("users", key "users", prefix "USERS", debug "127.0.0.1:9145") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "USERS_JWT_SECRET"], required;
        /// Password with which the service asks the directory.
        bind_password: Secret = "",
            "drivers.ldap.bind_password", ["OCIS_LDAP_BIND_PASSWORD", "USERS_LDAP_BIND_PASSWORD"], required;
    }
}
