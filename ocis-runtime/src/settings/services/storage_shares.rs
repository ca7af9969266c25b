//! Settings of storage-shares.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Serves the files that others share with a user. Comes in a later version.
    pub struct StorageShares("storage-shares", key "storage_shares", prefix "STORAGE_SHARES", debug "127.0.0.1:9156") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "STORAGE_SHARES_JWT_SECRET"], required;
    }
}
