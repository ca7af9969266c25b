//! Settings of frontend.

use ocis_core::config::{ByteSize, Secret, WebUrl};
use ocis_core::settings;

settings! {
    /// OCS: capabilities; where resumable uploads go on; in a later version, sharing, archives and applications.
    pub struct Frontend("frontend", key "frontend", prefix "FRONTEND", debug "127.0.0.1:9141") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "FRONTEND_JWT_SECRET"], required;
        /// Signs the tickets with which file contents are fetched and sent.
        transfer_secret: Secret = "", "transfer_secret", ["OCIS_TRANSFER_SECRET"], required;
        /// Key with which parts of the server act for a user.
        machine_auth_api_key: Secret = "",
            "machine_auth_api_key", ["OCIS_MACHINE_AUTH_API_KEY", "FRONTEND_MACHINE_AUTH_API_KEY"], required;
        /// Account under which the service acts on its own.
        service_account_id: String = "",
            "service_account.service_account_id", ["OCIS_SERVICE_ACCOUNT_ID", "FRONTEND_SERVICE_ACCOUNT_ID"], required;
        /// Secret of that account.
        service_account_secret: Secret = "",
            "service_account.service_account_secret", ["OCIS_SERVICE_ACCOUNT_SECRET", "FRONTEND_SERVICE_ACCOUNT_SECRET"], required;
        /// The URL under which clients reach the server.
        public_url: WebUrl = "https://localhost:9200",
            "public_url", ["OCIS_URL", "FRONTEND_PUBLIC_URL"];
        /// Edition that the capabilities name.
        edition: String = "Community", "edition", ["OCIS_EDITION", "FRONTEND_EDITION"];
        /// Largest quota that a space can have, in bytes; 0 for no limit.
        max_quota: ByteSize = "0", "max_quota", ["OCIS_SPACES_MAX_QUOTA", "FRONTEND_MAX_QUOTA"];
        /// Whether clients may make, change and remove users, as graph allows it.
        users_write_enabled: bool = "true",
            "ldap_server_write_enabled", ["OCIS_LDAP_SERVER_WRITE_ENABLED", "FRONTEND_LDAP_SERVER_WRITE_ENABLED"];
        /// Bytes that clients should send with one request of a resumable upload; 0 for any number.
        upload_max_chunk_size: ByteSize = "10000000",
            "upload_max_chunk_size", ["FRONTEND_UPLOAD_MAX_CHUNK_SIZE"];
        /// Method that clients should use in place of PATCH, for what stands between and refuses it:
        /// POST, or empty for none.
        upload_http_method_override: String = "",
            "upload_http_method_override", ["FRONTEND_UPLOAD_HTTP_METHOD_OVERRIDE"];
        /// Kinds of checksums that clients may send.
        checksums: Vec<String> = "sha1,md5,adler32",
            "checksums.supported_types", ["FRONTEND_CHECKSUMS_SUPPORTED_TYPES"];
        /// Kind of checksum that clients should send.
        preferred_checksum: String = "sha1",
            "checksums.preferred_upload_type", ["FRONTEND_CHECKSUMS_PREFERRED_UPLOAD_TYPE"];
    }
}
