//! Clients that register themselves (OpenID Connect Dynamic Client Registration 1.0), which is off
//! unless the administrator allows it.
//!
//! As in oCIS, nothing is kept: the id is what was registered, signed by us (section 3.2 of the
//! specification calls that stateless), behind the prefix `dyn.`. People are always asked whether
//! they trust such a client.

use std::sync::Arc;

use http::{Response, StatusCode};
use ocis_core::data::Body;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::Client;
use super::seal::{Purpose, random};
use super::{Asked, Inner, redirect, respond};

const PREFIX: &str = "dyn.";
/// The longest id; it travels in addresses.
const MAX_ID: usize = 4096;

#[derive(Deserialize)]
#[serde(default)]
struct Wanted {
    redirect_uris: Vec<String>,
    response_types: Vec<String>,
    grant_types: Vec<String>,
    application_type: String,
    client_name: String,
    token_endpoint_auth_method: String,
    post_logout_redirect_uris: Vec<String>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            redirect_uris: Vec::new(),
            response_types: vec!["code".to_owned()],
            grant_types: vec!["authorization_code".to_owned()],
            application_type: "web".to_owned(),
            client_name: String::new(),
            token_endpoint_auth_method: "client_secret_basic".to_owned(),
            post_logout_redirect_uris: Vec::new(),
        }
    }
}

/// What an id says.
#[derive(Clone, Serialize, Deserialize)]
struct Registration {
    iss: String,
    /// So that no other token of ours is taken for a registration.
    #[serde(rename = "lg.t")]
    kind: String,
    iat: i64,
    /// 0 for never.
    exp: i64,
    name: String,
    application_type: String,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    /// What the secret is made of; none for a public client.
    salt: Option<String>,
}

const KIND: &str = "client";

impl Inner {
    pub(super) fn register(&self, asked: &Asked) -> Response<Body> {
        let Ok(wanted) = serde_json::from_slice::<Wanted>(&asked.body) else {
            return refused("invalid_client_metadata", "this is no registration");
        };
        if let Err(response) = check(&wanted) {
            return *response;
        }
        let is_public = wanted.token_endpoint_auth_method == "none";
        let salt = match random() {
            Ok(salt) => (!is_public).then_some(salt),
            Err(error) => return self.failure_page(asked, &error),
        };
        let iat = asked.now().unix_seconds();
        let ends = self.options.dynamic_client.map(|life| asked.now().plus(life).unix_seconds());
        let registration = Registration {
            iss: self.url.clone(),
            kind: KIND.to_owned(),
            iat,
            exp: ends.unwrap_or(0),
            name: wanted.client_name.clone(),
            application_type: wanted.application_type.clone(),
            redirect_uris: wanted.redirect_uris.clone(),
            post_logout_redirect_uris: wanted.post_logout_redirect_uris.clone(),
            salt,
        };
        let id = match self.keys.sign(&registration) {
            Ok(token) => format!("{PREFIX}{token}"),
            Err(error) => return self.failure_page(asked, &error),
        };
        if id.len() > MAX_ID {
            return refused("invalid_client_metadata", "there is too much of it");
        }
        let mut answer = json!({
            "client_id": id,
            "client_id_issued_at": iat,
            "client_secret_expires_at": registration.exp,
            "redirect_uris": wanted.redirect_uris,
            "response_types": wanted.response_types,
            "grant_types": wanted.grant_types,
            "application_type": wanted.application_type,
            "client_name": wanted.client_name,
            "token_endpoint_auth_method": wanted.token_endpoint_auth_method,
            "post_logout_redirect_uris": wanted.post_logout_redirect_uris,
        });
        if let (Some(salt), Some(fields)) = (&registration.salt, answer.as_object_mut()) {
            fields.insert("client_secret".to_owned(), self.client_secret(salt).into());
        }
        respond::open_json(StatusCode::CREATED, &answer)
    }

    fn client_secret(&self, salt: &str) -> String {
        self.seal.tag(Purpose::ClientSecret, &[salt])
    }

    /// The client that such an id describes.
    pub(super) fn dynamic_client(&self, id: &str) -> Option<Arc<Client>> {
        if !self.options.dynamic_clients || id.len() > MAX_ID {
            return None;
        }
        let registration: Registration = self.keys.verify(id.strip_prefix(PREFIX)?)?;
        let now = self.parts.clock.now().unix_seconds();
        let counts = registration.iss == self.url
            && registration.kind == KIND
            && (registration.exp == 0 || registration.exp > now);
        counts.then(|| {
            Arc::new(Client {
                id: id.to_owned(),
                secret: registration.salt.map(|salt| self.client_secret(&salt)).unwrap_or_default(),
                name: registration.name,
                application_type: registration.application_type,
                redirect_uris: registration.redirect_uris,
                post_logout_redirect_uris: registration.post_logout_redirect_uris,
                ..Client::default()
            })
        })
    }
}

fn check(wanted: &Wanted) -> Result<(), Box<Response<Body>>> {
    let metadata = |what| Err(Box::new(refused("invalid_client_metadata", what)));
    let address = |what| Err(Box::new(refused("invalid_redirect_uri", what)));
    if wanted.redirect_uris.is_empty() {
        return address("redirect_uris is missing");
    }
    if wanted.response_types.iter().any(|kind| kind != "code") {
        return metadata("only the response type code is supported");
    }
    let known = |kind: &String| matches!(kind.as_str(), "authorization_code" | "refresh_token");
    if !wanted.grant_types.iter().all(known) {
        return metadata("only authorization_code and refresh_token are supported");
    }
    let methods = ["client_secret_basic", "client_secret_post", "none"];
    if !methods.contains(&wanted.token_endpoint_auth_method.as_str()) {
        return metadata("unknown token_endpoint_auth_method");
    }
    let all = wanted.redirect_uris.iter().chain(&wanted.post_logout_redirect_uris);
    for uri in all {
        let local = redirect::is_loopback(uri);
        let fits = match wanted.application_type.as_str() {
            "web" => uri.starts_with("https://"),
            "native" => local || !uri.starts_with("http"),
            _ => return metadata("application_type must be web or native"),
        };
        if !fits || !redirect::is_sound(uri) {
            return address("not an address for this type of application");
        }
    }
    Ok(())
}

fn refused(error: &str, description: &str) -> Response<Body> {
    respond::oauth_error(StatusCode::BAD_REQUEST, error, description)
}
