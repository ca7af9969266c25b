//! Settings of auth-basic.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Checks user names and passwords.
    pub struct AuthBasic("auth-basic", key "auth_basic", prefix "AUTH_BASIC", debug "127.0.0.1:9147") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "AUTH_BASIC_JWT_SECRET"], required;
        /// Password with which the service asks the directory.
        bind_password: Secret = "",
            "auth_providers.ldap.bind_password", ["OCIS_LDAP_BIND_PASSWORD", "AUTH_BASIC_LDAP_BIND_PASSWORD"], required;
    }
}
