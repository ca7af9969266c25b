//! Settings of graph.

use ocis_core::config::{Secret, WebUrl};
use ocis_core::settings;

settings! {
    /// LibreGraph: the signed-in user and the drives.
    pub struct Graph("graph", key "graph", prefix "GRAPH", debug "127.0.0.1:9124") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "GRAPH_JWT_SECRET"], required;
        /// Id of the application whose roles users have.
        application_id: String = "", "application.id", ["GRAPH_APPLICATION_ID"], required;
        /// Base of the WebDAV URLs of drives.
        webdav_base: WebUrl = "https://localhost:9200",
            "spaces.webdav_base", ["OCIS_URL", "GRAPH_SPACES_WEBDAV_BASE"];
        /// Language that clients are told to prefer.
        default_language: String = "", "spaces.default_language", ["OCIS_DEFAULT_LANGUAGE"];
        /// Password with which the service asks the directory.
        bind_password: Secret = "",
            "identity.ldap.bind_password", ["OCIS_LDAP_BIND_PASSWORD", "GRAPH_LDAP_BIND_PASSWORD"], required;
        /// Account under which the service acts on its own.
        service_account_id: String = "",
            "service_account.service_account_id", ["OCIS_SERVICE_ACCOUNT_ID", "GRAPH_SERVICE_ACCOUNT_ID"], required;
        /// Secret of that account.
        service_account_secret: Secret = "",
            "service_account.service_account_secret", ["OCIS_SERVICE_ACCOUNT_SECRET", "GRAPH_SERVICE_ACCOUNT_SECRET"], required;
    }
}
