//! Settings of storage-publiclink.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Serves the files behind public links. Comes in a later version.
    pub struct StoragePubliclink("storage-publiclink", key "storage_public", prefix "STORAGE_PUBLICLINK", debug "127.0.0.1:9179") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "STORAGE_PUBLICLINK_JWT_SECRET"], required;
    }
}
