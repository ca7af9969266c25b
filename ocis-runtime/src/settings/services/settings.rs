//! Settings of settings.

use ocis_core::config::Secret;
use ocis_core::config::reader::Check;
use ocis_core::settings;

settings! {
    /// Keeps the settings and roles of users.
    pub struct Settings("settings", key "settings", prefix "SETTINGS", debug "127.0.0.1:9194") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "SETTINGS_JWT_SECRET"], required;
        /// Account that owns the documents of the services.
        system_user_id: String = "",
            "metadata_config.system_user_id", ["OCIS_SYSTEM_USER_ID", "SETTINGS_SYSTEM_USER_ID"], required;
        /// Key of that account.
        system_user_api_key: Secret = "",
            "metadata_config.system_user_api_key", ["OCIS_SYSTEM_USER_API_KEY"], required;
        /// Account that gets the admin role with the default assignments.
        admin_user_id: String = "",
            "admin_user_id", ["OCIS_ADMIN_USER_ID", "SETTINGS_ADMIN_USER_ID"];
        /// Language of who has not chosen one; empty for `en`.
        default_language: String = "", "default_language", ["OCIS_DEFAULT_LANGUAGE"];
        /// Whether demo users get their roles at first start.
        set_default_assignments: bool = "false",
            "set_default_assignments", ["SETTINGS_SETUP_DEFAULT_ASSIGNMENTS", "IDM_CREATE_DEMO_USERS"];
        /// Accounts that are services.
        service_account_ids: Vec<String> = "service-user-id",
            "service_account_ids", ["SETTINGS_SERVICE_ACCOUNT_IDS", "OCIS_SERVICE_ACCOUNT_ID"], required;
    }
    check Settings::check
}

impl Settings {
    fn check(&self, check: &mut Check<'_>) {
        if self.set_default_assignments && self.admin_user_id.is_empty() {
            check.missing("admin_user_id");
        }
    }
}
