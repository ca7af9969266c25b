//! Settings of ocs.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// OCS: the signed-in user.
    pub struct Ocs("ocs", key "ocs", prefix "OCS", debug "127.0.0.1:9114") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "OCS_JWT_SECRET"], required;
    }
}
