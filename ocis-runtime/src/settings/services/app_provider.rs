//! Settings of app-provider.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Opens files in web applications of others. Comes in a later version.
    pub struct AppProvider("app-provider", key "app_provider", prefix "APP_PROVIDER", debug "127.0.0.1:9165") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "APP_PROVIDER_JWT_SECRET"], required;
    }
}
