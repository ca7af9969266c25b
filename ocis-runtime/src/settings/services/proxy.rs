//! Settings of proxy.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ocis_core::config::{Address, ByteSize, Secret, WebUrl};
use ocis_core::settings;

settings! {
    /// The public listener: TLS, authentication and routes to the services behind it.
    pub struct Proxy("proxy", key "proxy", prefix "PROXY", debug "127.0.0.1:9205") {
        /// Where the public listener is bound.
        http_addr: Address = "0.0.0.0:9200", "http.addr", ["PROXY_HTTP_ADDR"];
        /// Whether the public listener speaks TLS.
        tls: bool = "true", "http.tls", ["PROXY_TLS"];
        /// Its certificate chain (PEM). At the default place a self-signed one is made when there is none.
        tls_cert: PathBuf = "$OCIS_BASE_DATA_PATH/proxy/server.crt",
            "http.tls_cert", ["PROXY_TRANSPORT_TLS_CERT"];
        /// The private key of the certificate (PEM).
        tls_key: PathBuf = "$OCIS_BASE_DATA_PATH/proxy/server.key",
            "http.tls_key", ["PROXY_TRANSPORT_TLS_KEY"];
        /// The URL under which clients reach the server.
        ocis_url: WebUrl = "https://localhost:9200", "", ["OCIS_URL"];
        /// Whether clients may sign in with user name and password at every request.
        enable_basic_auth: bool = "false", "enable_basic_auth", ["PROXY_ENABLE_BASIC_AUTH"];
        /// Quota of a new personal space in bytes, by the id of the user's role.
        role_quotas: BTreeMap<String, ByteSize> = "", "role_quotas", [];
        /// Key with which parts of the server act for a user.
        machine_auth_api_key: Secret = "",
            "machine_auth_api_key", ["OCIS_MACHINE_AUTH_API_KEY", "PROXY_MACHINE_AUTH_API_KEY"], required;
        /// Account under which the service acts on its own.
        service_account_id: String = "",
            "service_account.service_account_id", ["OCIS_SERVICE_ACCOUNT_ID", "PROXY_SERVICE_ACCOUNT_ID"], required;
        /// Secret of that account.
        service_account_secret: Secret = "",
            "service_account.service_account_secret", ["OCIS_SERVICE_ACCOUNT_SECRET", "PROXY_SERVICE_ACCOUNT_SECRET"], required;
    }
}
