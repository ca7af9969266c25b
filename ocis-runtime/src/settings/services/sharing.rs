//! Settings of sharing.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Keeps shares and public links. Comes in a later version.
    pub struct Sharing("sharing", key "sharing", prefix "SHARING", debug "127.0.0.1:9151") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "SHARING_JWT_SECRET"], required;
        /// Account that owns the documents of the services.
        system_user_id: String = "",
            "user_sharing_drivers.jsoncs3.system_user_id", ["OCIS_SYSTEM_USER_ID", "SHARING_USER_JSONCS3_SYSTEM_USER_ID"], required;
        /// Key of that account.
        system_user_api_key: Secret = "",
            "user_sharing_drivers.jsoncs3.system_user_api_key", ["OCIS_SYSTEM_USER_API_KEY", "SHARING_USER_JSONCS3_SYSTEM_USER_API_KEY"], required;
        /// The same for public links.
        public_system_user_id: String = "",
            "public_sharing_drivers.jsoncs3.system_user_id", ["OCIS_SYSTEM_USER_ID", "SHARING_PUBLIC_JSONCS3_SYSTEM_USER_ID"], required;
        /// The same for public links.
        public_system_user_api_key: Secret = "",
            "public_sharing_drivers.jsoncs3.system_user_api_key", ["OCIS_SYSTEM_USER_API_KEY", "SHARING_PUBLIC_JSONCS3_SYSTEM_USER_API_KEY"], required;
    }
}
