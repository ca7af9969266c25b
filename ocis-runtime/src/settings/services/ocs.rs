//! Settings of ocs.

use std::time::Duration;

use ocis_core::config::{Secret, WebUrl};
use ocis_core::settings;

settings! {
    /// OCS: the keys with which clients sign URLs, and signed URLs as credentials.
    pub struct Ocs("ocs", key "ocs", prefix "OCS", debug "127.0.0.1:9114") {
        /// Issuer under which the accounts are known.
        issuer: WebUrl = "https://localhost:9200", "", ["OCIS_URL", "OCIS_OIDC_ISSUER"];
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "OCS_JWT_SECRET"], required;
        /// How long a key is good, and whatever was signed with it.
        signing_key_ttl: Duration = "12h0m0s",
            "signing_keys.ttl", ["OCIS_CACHE_TTL", "OCS_PRESIGNEDURL_SIGNING_KEYS_STORE_TTL"];
    }
}
