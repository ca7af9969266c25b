//! Settings of gateway.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Finds the storage that holds a space and the checker that knows a credential.
    pub struct Gateway("gateway", key "gateway", prefix "GATEWAY", debug "127.0.0.1:9143") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "GATEWAY_JWT_SECRET"], required;
        /// Signs the tickets with which file contents are fetched and sent.
        transfer_secret: Secret = "", "transfer_secret", ["OCIS_TRANSFER_SECRET"], required;
        /// Id of the storage that holds the spaces of users.
        storage_users_mount_id: String = "",
            "storage_registry.storage_users_mount_id", ["GATEWAY_STORAGE_USERS_MOUNT_ID"], required;
    }
}
