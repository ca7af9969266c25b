//! Settings of ocs.

use ocis_core::config::{Address, Secret};
use ocis_core::settings;

settings! {
    /// OCS: the signed-in user.
    pub struct Ocs("ocs", key "ocs", prefix "OCS", debug "127.0.0.1:9114") {
        /// Where HTTP requests are answered when the service runs on its own.
        http_addr: Address = "127.0.0.1:9110", "http.addr", ["OCS_HTTP_ADDR"];
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "OCS_JWT_SECRET"], required;
    }
}
