//! Settings of web.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// The web page. Comes in a later version.
    pub struct Web("web", key "web", prefix "WEB", debug "127.0.0.1:9104") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "WEB_JWT_SECRET"], required;
    }
}
