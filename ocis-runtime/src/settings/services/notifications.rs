//! Settings of notifications.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// Sends mails about what happens. Comes in a later version.
    pub struct Notifications("notifications", key "notifications", prefix "NOTIFICATIONS", debug "127.0.0.1:9174") {
        /// Account under which the service acts on its own.
        service_account_id: String = "",
            "service_account.service_account_id", ["OCIS_SERVICE_ACCOUNT_ID", "NOTIFICATIONS_SERVICE_ACCOUNT_ID"], required;
        /// Secret of that account.
        service_account_secret: Secret = "",
            "service_account.service_account_secret", ["OCIS_SERVICE_ACCOUNT_SECRET", "NOTIFICATIONS_SERVICE_ACCOUNT_SECRET"], required;
    }
}
