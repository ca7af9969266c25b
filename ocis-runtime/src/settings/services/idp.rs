//! Settings of idp.

use std::path::PathBuf;

use ocis_core::config::{Records, Seconds, Secret, WebUrl};
use ocis_core::settings;

settings! {
    /// OpenID Connect provider.
    pub struct Idp("idp", key "idp", prefix "IDP", debug "127.0.0.1:9134") {
        /// The issuer, which is where browsers and clients reach the server.
        issuer: WebUrl = "https://localhost:9200",
            "idp.iss", ["OCIS_URL", "OCIS_OIDC_ISSUER", "IDP_ISS"];
        /// Private keys (PEM) of the provider; the first one signs, all are accepted. It is made when it is not there.
        signing_keys: Vec<String> = "$OCIS_BASE_DATA_PATH/idp/private-key.pem",
            "idp.signing_private_key_files", ["IDP_SIGNING_PRIVATE_KEY_FILES"];
        /// Id of the first key.
        signing_kid: String = "private-key", "idp.signing_kid", ["IDP_SIGNING_KID"];
        /// Algorithm that tokens are signed with.
        signing_method: String = "PS256", "idp.signing_method", ["IDP_SIGNING_METHOD"];
        /// Directory of further keys (PEM) that are accepted.
        validation_keys: String = "", "idp.validation_keys_path", ["IDP_VALIDATION_KEYS_PATH"];
        /// The 32 bytes that protect cookies, codes and refresh tokens. Made when they are not there.
        encryption_secret: PathBuf = "$OCIS_BASE_DATA_PATH/idp/encryption.key",
            "idp.encrypt_secret_file", ["IDP_ENCRYPTION_SECRET_FILE"];
        /// File of sessions and of what was granted to clients.
        store_file: PathBuf = "$OCIS_BASE_DATA_PATH/idp/ocis-rs.redb",
            "idp.store_file", ["IDP_STORE_FILE"];
        /// How long access tokens last.
        access_token: Seconds = "300",
            "idp.access_token_duration_seconds", ["IDP_ACCESS_TOKEN_EXPIRATION"];
        /// How long ID tokens last.
        id_token: Seconds = "300", "idp.id_token_duration_seconds", ["IDP_ID_TOKEN_EXPIRATION"];
        /// How long refresh tokens last, and sessions that nobody uses.
        refresh_token: Seconds = "2592000",
            "idp.refresh_token_duration_seconds", ["IDP_REFRESH_TOKEN_EXPIRATION"];
        /// Whether clients may register themselves.
        dynamic_clients: bool = "false",
            "idp.allow_dynamic_client_registration", ["IDP_ALLOW_DYNAMIC_CLIENT_REGISTRATION"];
        /// How long such a registration lasts; 0 for ever.
        dynamic_client: Seconds = "0",
            "idp.dynamic_client_secret_duration_seconds", ["IDP_DYNAMIC_CLIENT_SECRET_DURATION"];
        /// The clients, instead of ownCloud's own four.
        clients: Records = "", "clients", [];
        /// File (YAML, as the provider's identifier-registration.yaml) with further clients.
        registration_file: String = "",
            "idp.identifier_registration_conf", ["IDP_IDENTIFIER_REGISTRATION_CONF"];
        /// Where people who forgot their password are sent.
        password_reset: String = "", "", ["IDP_PASSWORD_RESET_URI"];
        /// Directory whose lang/<code>.lang add languages to the sign-in pages.
        assets: String = "", "asset.asset", ["IDP_ASSET_PATH"];
        /// Picture behind the sign-in pages.
        background: String = "", "asset.login-background-url", ["IDP_LOGIN_BACKGROUND_URL"];
        /// Password with which the service asks the directory.
        bind_password: Secret = "",
            "ldap.bind_password", ["OCIS_LDAP_BIND_PASSWORD", "IDP_LDAP_BIND_PASSWORD"], required;
    }
}
