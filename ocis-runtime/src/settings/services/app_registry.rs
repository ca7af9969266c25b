//! Settings of app-registry.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Knows which application opens which media type. Comes in a later version.
    pub struct AppRegistry("app-registry", key "app_registry", prefix "APP_REGISTRY", debug "127.0.0.1:9243") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "APP_REGISTRY_JWT_SECRET"], required;
    }
}
