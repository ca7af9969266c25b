//! What the provider says of itself (OpenID Connect Discovery 1.0 section 3).
//!
//! Fields and addresses are oCIS's. Where values differ, they say what is true here: only the code
//! flow (in oCIS the implicit flow, which puts tokens into addresses, is on as well), no request
//! objects, and PKCE with S256.

use serde_json::{Value, json};

/// Where the endpoints are, below the issuer's host.
pub(super) mod path {
    pub(in crate::oidc::issuer) const DISCOVERY: &str = "/.well-known/openid-configuration";
    pub(in crate::oidc::issuer) const JWKS: &str = "/konnect/v1/jwks.json";
    pub(in crate::oidc::issuer) const TOKEN: &str = "/konnect/v1/token";
    pub(in crate::oidc::issuer) const USERINFO: &str = "/konnect/v1/userinfo";
    pub(in crate::oidc::issuer) const REGISTER: &str = "/konnect/v1/register";
    pub(in crate::oidc::issuer) const CHECK_SESSION: &str =
        "/konnect/v1/session/check-session.html";
    pub(in crate::oidc::issuer) const CHECK_SESSION_SCRIPT: &str =
        "/konnect/v1/session/check-session.js";
    pub(in crate::oidc::issuer) const AUTHORIZE: &str = "/signin/v1/identifier/_/authorize";
    pub(in crate::oidc::issuer) const END_SESSION: &str = "/signin/v1/identifier/_/endsession";
    pub(in crate::oidc::issuer) const LOGON: &str = "/signin/v1/identifier/_/logon";
    pub(in crate::oidc::issuer) const LOGOFF: &str = "/signin/v1/identifier/_/logoff";
    pub(in crate::oidc::issuer) const HELLO: &str = "/signin/v1/identifier/_/hello";
    pub(in crate::oidc::issuer) const CONSENT_API: &str = "/signin/v1/identifier/_/consent";
    pub(in crate::oidc::issuer) const SIGN_IN: &str = "/signin/v1/identifier";
    pub(in crate::oidc::issuer) const CHOOSE: &str = "/signin/v1/chooseaccount";
    pub(in crate::oidc::issuer) const CONSENT: &str = "/signin/v1/consent";
    pub(in crate::oidc::issuer) const WELCOME: &str = "/signin/v1/welcome";
    pub(in crate::oidc::issuer) const GOODBYE: &str = "/signin/v1/goodbye";
    pub(in crate::oidc::issuer) const STYLE: &str = "/signin/v1/static/style.css";
}

/// The scopes that mean something here.
pub(super) const SCOPES: [&str; 6] =
    ["openid", "offline_access", "LibreGraph.UUID", "LibreGraph.RawSub", "profile", "email"];

/// The document.
pub(super) fn document(
    issuer: &str,
    algorithms: &[String],
    languages: &[&str],
    registration: bool,
) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": at(path::AUTHORIZE),
        "token_endpoint": at(path::TOKEN),
        "userinfo_endpoint": at(path::USERINFO),
        "end_session_endpoint": at(path::END_SESSION),
        "check_session_iframe": at(path::CHECK_SESSION),
        "jwks_uri": at(path::JWKS),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": languages,
        "claims_parameter_supported": false,
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "sid", "name",
            "family_name", "given_name", "preferred_username", "email", "email_verified"],
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
    });
    if registration && let Some(fields) = document.as_object_mut() {
        fields.insert("registration_endpoint".to_owned(), at(path::REGISTER).into());
    }
    document
}
