//! Settings of idp.

use ocis_core::config::{Address, Secret};
use ocis_core::settings;

settings! {
    /// OpenID Connect provider. Comes in a later version.
    pub struct Idp("idp", key "idp", prefix "IDP", debug "127.0.0.1:9134") {
        /// Where HTTP requests are answered when the service runs on its own.
        http_addr: Address = "127.0.0.1:9130", "http.addr", ["IDP_HTTP_ADDR"];
        /// Password with which the service asks the directory.
        bind_password: Secret = "",
            "ldap.bind_password", ["OCIS_LDAP_BIND_PASSWORD", "IDP_LDAP_BIND_PASSWORD"], required;
    }
}
