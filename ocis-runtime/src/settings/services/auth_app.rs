//! Settings of auth-app.

use std::path::PathBuf;

use ocis_core::config::{Secret, WebUrl};
use ocis_core::settings;

settings! {
    /// Makes app tokens and lets programs sign in with them. Runs when it is added (OCIS_ADD_RUN_SERVICES).
    pub struct AuthApp("auth-app", key "auth_app", prefix "AUTH_APP", debug "127.0.0.1:9245") {
        /// Issuer under which the accounts are known.
        issuer: WebUrl = "https://localhost:9200", "", ["OCIS_URL", "OCIS_OIDC_ISSUER"];
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "AUTH_APP_JWT_SECRET"], required;
        /// Key with which parts of the server act for a user.
        machine_auth_api_key: Secret = "",
            "machine_auth_api_key", ["OCIS_MACHINE_AUTH_API_KEY", "AUTH_APP_MACHINE_AUTH_API_KEY"], required;
        /// File of an oCIS's app tokens, which are taken over once.
        database: PathBuf = "$OCIS_BASE_DATA_PATH/appauth.json",
            "database", ["AUTH_APP_DATABASE_PATH"];
        /// Whether administrators may make tokens for other accounts.
        allow_impersonation: bool = "false",
            "allow_impersonation", ["AUTH_APP_ENABLE_IMPERSONATION"];
    }
}
