//! Settings of storage-system.

use std::path::PathBuf;

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Stores the documents of other services.
    pub struct StorageSystem("storage-system", key "storage_system", prefix "STORAGE_SYSTEM", debug "127.0.0.1:9217") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "STORAGE_SYSTEM_JWT_SECRET"], required;
        /// Directory of the documents.
        ocis_root: PathBuf = "$OCIS_BASE_DATA_PATH/storage/metadata",
            "drivers.ocis.root", ["STORAGE_SYSTEM_OCIS_ROOT"];
        /// Account that owns the documents of the services.
        system_user_id: String = "", "system_user_id", ["OCIS_SYSTEM_USER_ID"], required;
        /// Key of that account.
        system_user_api_key: Secret = "",
            "system_user_api_key", ["OCIS_SYSTEM_USER_API_KEY"], required;
    }
}
