//! Settings of userlog.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Keeps what users should be told. Comes in a later version.
    pub struct Userlog("userlog", key "userlog", prefix "USERLOG", debug "127.0.0.1:9214") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "USERLOG_JWT_SECRET"], required;
        /// Account under which the service acts on its own.
        service_account_id: String = "",
            "service_account.service_account_id", ["OCIS_SERVICE_ACCOUNT_ID", "USERLOG_SERVICE_ACCOUNT_ID"], required;
        /// Secret of that account.
        service_account_secret: Secret = "",
            "service_account.service_account_secret", ["OCIS_SERVICE_ACCOUNT_SECRET", "USERLOG_SERVICE_ACCOUNT_SECRET"], required;
    }
}
