//! Settings of ocm.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Federated sharing with other servers. Comes in a later version.
    pub struct Ocm("ocm", key "ocm", prefix "OCM", debug "127.0.0.1:9281") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "OCM_JWT_SECRET"], required;
        /// Account under which the service acts on its own.
        service_account_id: String = "",
            "service_account.service_account_id", ["OCIS_SERVICE_ACCOUNT_ID", "OCM_SERVICE_ACCOUNT_ID"], required;
        /// Secret of that account.
        service_account_secret: Secret = "",
            "service_account.service_account_secret", ["OCIS_SERVICE_ACCOUNT_SECRET", "OCM_SERVICE_ACCOUNT_SECRET"], required;
    }
}
