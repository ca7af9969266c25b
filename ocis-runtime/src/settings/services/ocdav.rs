//! Settings of ocdav.

use ocis_core::config::{Secret, WebUrl};
use ocis_core::settings;

settings! {
    /// WebDAV.
    pub struct Ocdav("ocdav", key "ocdav", prefix "OCDAV", debug "127.0.0.1:9163") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "OCDAV_JWT_SECRET"], required;
        /// Key with which parts of the server act for a user.
        machine_auth_api_key: Secret = "",
            "machine_auth_api_key", ["OCIS_MACHINE_AUTH_API_KEY", "OCDAV_MACHINE_AUTH_API_KEY"], required;
        /// The URL under which clients reach the server.
        public_url: WebUrl = "https://localhost:9200",
            "public_url", ["OCIS_URL", "OCDAV_PUBLIC_URL"];
        /// Whether a PROPFIND may ask for a whole tree at once.
        allow_propfind_depth_infinity: bool = "false",
            "allow_propfind_depth_infinity", ["OCDAV_ALLOW_PROPFIND_DEPTH_INFINITY"];
        /// Edition that `/status.php` names.
        edition: String = "Community", "", ["OCIS_EDITION", "OCDAV_EDITION"];
    }
}
