//! Settings of auth-service.

use ocis_core::config::{Secret, WebUrl};
use ocis_core::settings;

settings! {
    /// Lets service accounts sign in.
    pub struct AuthService("auth-service", key "auth_service", prefix "AUTH_SERVICE", debug "127.0.0.1:9198") {
        /// Issuer under which the accounts are known.
        issuer: WebUrl = "https://localhost:9200", "", ["OCIS_URL", "OCIS_OIDC_ISSUER"];
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "AUTH_SERVICE_JWT_SECRET"], required;
        /// Account under which the service acts on its own.
        service_account_id: String = "",
            "service_account.service_account_id", ["OCIS_SERVICE_ACCOUNT_ID", "AUTH_SERVICE_SERVICE_ACCOUNT_ID"], required;
        /// Secret of that account.
        service_account_secret: Secret = "",
            "service_account.service_account_secret", ["OCIS_SERVICE_ACCOUNT_SECRET", "AUTH_SERVICE_SERVICE_ACCOUNT_SECRET"], required;
    }
}
