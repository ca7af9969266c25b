//! Settings of idp.

use ocis_core::config::Secret;
use ocis_core::settings;

settings! {
    /// OpenID Connect provider. Comes in a later version.
    pub struct Idp("idp", key "idp", prefix "IDP", debug "127.0.0.1:9134") {
        /// Password with which the service asks the directory.
        bind_password: Secret = "",
            "ldap.bind_password", ["OCIS_LDAP_BIND_PASSWORD", "IDP_LDAP_BIND_PASSWORD"], required;
    }
}
