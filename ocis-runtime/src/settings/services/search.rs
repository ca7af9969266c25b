//! Settings of search.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Finds files by name and content. Comes in a later version.
    pub struct Search("search", key "search", prefix "SEARCH", debug "127.0.0.1:9224") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "SEARCH_JWT_SECRET"], required;
        /// Account under which the service acts on its own.
        service_account_id: String = "",
            "service_account.service_account_id", ["OCIS_SERVICE_ACCOUNT_ID", "SEARCH_SERVICE_ACCOUNT_ID"], required;
        /// Secret of that account.
        service_account_secret: Secret = "",
            "service_account.service_account_secret", ["OCIS_SERVICE_ACCOUNT_SECRET", "SEARCH_SERVICE_ACCOUNT_SECRET"], required;
    }
}
