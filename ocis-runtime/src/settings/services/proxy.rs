//! Settings of proxy.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ocis_core::config::{Address, ByteSize, Networks, Seconds, Secret, WebUrl};
use ocis_core::settings;

use crate::settings::openid::{AccountClaim, RoleDriver, RoleMappings, VerifyMethod};
use crate::settings::policies::Policies;

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
        /// Whether programs may sign in with user name and app token at every request.
        enable_app_auth: bool = "false",
            "auth_middleware.allow_app_auth", ["PROXY_ENABLE_APP_AUTH"];
        /// Whether a signature in the URL is accepted instead of credentials.
        enable_presigned_urls: bool = "true",
            "pre_signed_url.enabled", ["PROXY_ENABLE_PRESIGNEDURLS"];
        /// Methods that a URL can be signed for.
        presigned_url_methods: Vec<String> = "GET", "pre_signed_url.allowed_http_methods", [];
        /// Networks and addresses of the reverse proxies in front of this server. Only they may name the client's address in X-Forwarded-For, by which failed sign-ins are counted.
        trusted_proxies: Networks = "", "trusted_proxies", ["PROXY_TRUSTED_PROXIES"];
        /// The OpenID provider whose tokens are accepted.
        oidc_issuer: WebUrl = "https://localhost:9200",
            "oidc.issuer", ["OCIS_URL", "OCIS_OIDC_ISSUER", "PROXY_OIDC_ISSUER"];
        /// Whether any certificate of the provider is accepted, for tests and development only.
        oidc_insecure: bool = "false", "oidc.insecure", ["OCIS_INSECURE", "PROXY_OIDC_INSECURE"];
        /// How access tokens are verified: `jwt` by their signature, `none` by asking the provider's userinfo endpoint (for tokens that are no JWT).
        oidc_access_token_verify_method: VerifyMethod = "jwt",
            "oidc.access_token_verify_method", ["PROXY_OIDC_ACCESS_TOKEN_VERIFY_METHOD"];
        /// Whether the claims of a JWT are enough, so that userinfo is not asked for more.
        oidc_skip_user_info: bool = "false", "oidc.skip_user_info", ["PROXY_OIDC_SKIP_USER_INFO"];
        /// Whom tokens must be meant for (`aud`), one of these; empty for anybody.
        oidc_audiences: Vec<String> = "", "oidc.audiences", ["PROXY_OIDC_AUDIENCES"];
        /// How long a token is remembered that does not say when it expires, or is no JWT.
        oidc_user_info_cache_ttl: Duration = "10s",
            "oidc.user_info_cache.ttl", ["OCIS_CACHE_TTL", "PROXY_OIDC_USERINFO_CACHE_TTL"];
        /// Minutes after which the provider's keys are fetched again.
        oidc_jwks_refresh_interval: u64 = "60",
            "oidc.jwks.refresh_interval", ["PROXY_OIDC_JWKS_REFRESH_INTERVAL"];
        /// Seconds that the provider may take to answer.
        oidc_jwks_refresh_timeout: Seconds = "10",
            "oidc.jwks.refresh_timeout", ["PROXY_OIDC_JWKS_REFRESH_TIMEOUT"];
        /// Seconds between two fetches because of keys that are not known.
        oidc_jwks_refresh_limit: Seconds = "60",
            "oidc.jwks.refresh_limit", ["PROXY_OIDC_JWKS_REFRESH_RATE_LIMIT"];
        /// Whether a key that is not known is a reason to fetch the provider's keys again.
        oidc_jwks_refresh_unknown_kid: bool = "true",
            "oidc.jwks.refresh_unknown_kid", ["PROXY_OIDC_JWKS_REFRESH_UNKNOWN_KID"];
        /// Whether `/.well-known/openid-configuration` answers with the document of the provider.
        oidc_rewrite_well_known: bool = "false",
            "oidc.rewrite_well_known", ["PROXY_OIDC_REWRITE_WELLKNOWN"];
        /// The claim that names the account, or the path to it with dots between names.
        user_oidc_claim: String = "preferred_username", "user_oidc_claim", ["PROXY_USER_OIDC_CLAIM"];
        /// What of an account the claim is: `username`, `mail` or `userid`.
        user_cs3_claim: AccountClaim = "username", "user_cs3_claim", ["PROXY_USER_CS3_CLAIM"];
        /// Whether somebody whom the provider knows and we do not gets an account.
        auto_provision_accounts: bool = "false",
            "auto_provision_accounts", ["PROXY_AUTOPROVISION_ACCOUNTS"];
        /// The claim with the user name of a new account.
        auto_provision_claim_username: String = "preferred_username",
            "auto_provision_claims.username", ["PROXY_AUTOPROVISION_CLAIM_USERNAME"];
        /// The claim with its mail address.
        auto_provision_claim_email: String = "email",
            "auto_provision_claims.email", ["PROXY_AUTOPROVISION_CLAIM_EMAIL"];
        /// The claim with the name to show.
        auto_provision_claim_display_name: String = "name",
            "auto_provision_claims.display_name", ["PROXY_AUTOPROVISION_CLAIM_DISPLAYNAME"];
        /// The claim with the names of its groups.
        auto_provision_claim_groups: String = "groups",
            "auto_provision_claims.groups", ["PROXY_AUTOPROVISION_CLAIM_GROUPS"];
        /// Where roles come from: `default` from the server's own assignments, `oidc` from a claim.
        role_assignment_driver: RoleDriver = "default",
            "role_assignment.driver", ["PROXY_ROLE_ASSIGNMENT_DRIVER"];
        /// The claim with roles, or the path to it.
        role_claim: String = "roles",
            "role_assignment.oidc_role_mapper.role_claim", ["PROXY_ROLE_ASSIGNMENT_OIDC_CLAIM"];
        /// Which value of the claim gives which role, the first that fits: entries with `role_name` and `claim_value`.
        role_mapping: RoleMappings = "admin:ocisAdmin,spaceadmin:ocisSpaceAdmin,user:ocisUser,user-light:ocisGuest",
            "role_assignment.oidc_role_mapper.role_mapping", [];
        /// Routes of the public listener in place of those of its own. Each has `endpoint`, `type` (`prefix`, `query`, `regex`), `method`, `unprotected`, and `backend`, the URL of a service elsewhere, or `service`, the name of one of this server.
        policies: Policies = "", "policies", [];
        /// Further routes; those of the policy that is used count.
        additional_policies: Policies = "", "additional_policies", [];
        /// The policy that is used; empty for the first one, which is `ocis` unless others are given.
        policy: String = "", "policy_selector.static.policy", [];
        /// Whether any certificate of a backend is accepted, for tests and development only.
        insecure_backends: bool = "false", "insecure_backends", ["PROXY_INSECURE_BACKENDS"];
        /// File of certificates (PEM) that backends are trusted by, in place of the machine's.
        backend_ca: String = "", "backend_https_cacert", ["PROXY_HTTPS_CACERT"];
        /// Signs the tokens that tell backends who calls.
        jwt_secret: Secret = "", "token_manager.jwt_secret", ["OCIS_JWT_SECRET"];
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
