//! Settings at the top of `ocis.yaml`, to which those of the services fall back.

use ocis_core::config::{LogLevel, Secret, WebUrl};
use ocis_core::settings;

settings! {
    /// What all services share.
    pub struct Global("global", key "") {
        /// The URL under which clients reach the server.
        ocis_url: WebUrl = "https://localhost:9200", "ocis_url", ["OCIS_URL"];
        /// Lines below this level are not written: panic, fatal, error, warning, info, debug, trace.
        log_level: LogLevel = "error", "log.level", ["OCIS_LOG_LEVEL"];
        /// Lines for a person instead of JSON; not together with a file.
        log_pretty: bool = "false", "log.pretty", ["OCIS_LOG_PRETTY"];
        /// Colours in pretty lines.
        log_color: bool = "false", "log.color", ["OCIS_LOG_COLOR"];
        /// File to append to instead of the standard error output.
        log_file: String = "", "log.file", ["OCIS_LOG_FILE"];
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "", "token_manager.jwt_secret", ["OCIS_JWT_SECRET"];
        /// Key with which parts of the server act for a user.
        machine_auth_api_key: Secret = "", "machine_auth_api_key", ["OCIS_MACHINE_AUTH_API_KEY"];
        /// Signs the tickets with which file contents are fetched and sent.
        transfer_secret: Secret = "", "transfer_secret", ["OCIS_TRANSFER_SECRET"];
        /// Account that owns the documents of the services.
        system_user_id: String = "", "system_user_id", ["OCIS_SYSTEM_USER_ID"];
        /// Key of that account.
        system_user_api_key: Secret = "", "system_user_api_key", ["OCIS_SYSTEM_USER_API_KEY"];
        /// Id of the account `admin`.
        admin_user_id: String = "", "admin_user_id", ["OCIS_ADMIN_USER_ID"];
    }
}
