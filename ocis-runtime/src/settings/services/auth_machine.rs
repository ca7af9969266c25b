//! Settings of auth-machine.

use ocis_core::config::{Secret, WebUrl};
use ocis_core::settings;

settings! {
    /// Lets parts of the server act for a user.
    pub struct AuthMachine("auth-machine", key "auth_machine", prefix "AUTH_MACHINE", debug "127.0.0.1:9167") {
        /// Issuer under which the accounts are known.
        issuer: WebUrl = "https://localhost:9200", "", ["OCIS_URL", "OCIS_OIDC_ISSUER"];
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "AUTH_MACHINE_JWT_SECRET"], required;
        /// Key with which parts of the server act for a user.
        api_key: Secret = "",
            "machine_auth_api_key", ["OCIS_MACHINE_AUTH_API_KEY", "AUTH_MACHINE_API_KEY"], required;
    }
}
