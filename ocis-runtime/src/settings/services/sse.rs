//! Settings of sse.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Streams events to browsers. Comes in a later version.
    pub struct Sse("sse", key "sse", prefix "SSE", debug "127.0.0.1:9139") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "SSE_JWT_SECRET"], required;
    }
}
