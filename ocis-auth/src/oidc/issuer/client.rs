//! The clients that may ask for tokens: those that oCIS knows from the start, those that the
//! configuration adds, and those that registered themselves (`dynamic`).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use ocis_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::redirect;

/// What stands for `OCIS_URL` in the addresses of a client.
const URL: &str = "{{OCIS_URL}}";

/// A client, as oCIS's `idp.clients` and the provider's `identifier-registration.yaml` describe
/// it. The last two fields are ours.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Client {
    /// The id that it presents.
    pub id: String,
    /// Its secret; empty for a public client.
    pub secret: String,
    /// The name to show.
    pub name: String,
    /// Whether nobody has to be asked before it gets tokens.
    pub trusted: bool,
    /// `web` (also when empty) or `native`.
    pub application_type: String,
    /// Where browsers may be sent with an answer.
    pub redirect_uris: Vec<String>,
    /// The origins of its pages. Not acted on: the endpoints that pages call take no cookies.
    pub origins: Vec<String>,
    /// Where browsers may be sent after signing out, besides [`Self::redirect_uris`].
    pub post_logout_redirect_uris: Vec<String>,
    /// Scopes that it gets without asking for them.
    pub implicit_scopes: Vec<String>,
    /// Where it wants to be told that a session ended (OpenID Connect Back-Channel Logout 1.0).
    pub backchannel_logout_uri: String,
    /// The page that ends its own session (OpenID Connect Front-Channel Logout 1.0).
    pub frontchannel_logout_uri: String,
}

impl Client {
    /// Whether it runs on a person's device (RFC 8252).
    pub fn is_native(&self) -> bool {
        self.application_type == "native"
    }

    /// Whether it has no secret.
    pub fn is_public(&self) -> bool {
        self.secret.is_empty()
    }

    /// The name to show.
    pub fn display_name(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }

    /// Whether a browser may be sent to `address` with an answer.
    pub(super) fn may_redirect_to(&self, address: &str) -> bool {
        let native = self.is_native();
        self.redirect_uris.iter().any(|uri| redirect::matches(uri, address, native))
    }

    /// Whether a browser may be sent to `address` after signing out.
    pub(super) fn may_return_to(&self, address: &str) -> bool {
        self.may_redirect_to(address)
            || self
                .post_logout_redirect_uris
                .iter()
                .any(|uri| redirect::matches(uri, address, false))
    }

    /// Whether `secret` is its secret. A public client has none, and any counts.
    pub(super) fn knows(&self, secret: Option<&str>) -> bool {
        let right = self.secret.as_bytes();
        let given = secret.unwrap_or_default().as_bytes();
        self.is_public() || aws_lc_rs::constant_time::verify_slices_are_equal(right, given).is_ok()
    }

    fn check(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::invalid(format!("client {:?}: {what}", self.id)));
        if self.id.is_empty() {
            return wrong("has no id".to_owned());
        }
        if self.redirect_uris.is_empty() {
            return wrong("has no redirect_uris".to_owned());
        }
        if !matches!(self.application_type.as_str(), "" | "web" | "native") {
            let kind = &self.application_type;
            return wrong(format!("application_type is {kind:?}; right would be web or native"));
        }
        let addresses = self.redirect_uris.iter().chain(&self.post_logout_redirect_uris);
        for address in addresses {
            if !redirect::is_sound(address) {
                return wrong(format!("{address:?} is no address to send a browser to"));
            }
        }
        for address in [&self.backchannel_logout_uri, &self.frontchannel_logout_uri] {
            if !address.is_empty() && !address.starts_with("http") {
                return wrong(format!("{address:?} is no http or https address"));
            }
        }
        Ok(())
    }
}

/// Without the secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("redirect_uris", &self.redirect_uris)
            .finish_non_exhaustive()
    }
}

/// The clients of ownCloud, with the ids, secrets and addresses that oCIS has for them
/// (`services/idp/pkg/config/defaults`). Their secrets are no secrets: they are part of the
/// programs. Unlike in oCIS, people are not asked whether they trust them.
pub fn preregistered() -> Vec<Client> {
    let native = |id: &str, secret: &str, name: &str, addresses: &[&str]| Client {
        id: id.to_owned(),
        secret: secret.to_owned(),
        name: name.to_owned(),
        trusted: true,
        application_type: "native".to_owned(),
        redirect_uris: addresses.iter().map(|&address| address.to_owned()).collect(),
        ..Client::default()
    };
    vec![
        Client {
            id: "web".to_owned(),
            name: "ownCloud Web app".to_owned(),
            trusted: true,
            redirect_uris: vec![
                format!("{URL}/"),
                format!("{URL}/oidc-callback.html"),
                format!("{URL}/oidc-silent-redirect.html"),
            ],
            origins: vec![URL.to_owned()],
            ..Client::default()
        },
        native(
            "xdXOt13JKxym1B1QcEncf2XDkLAexMBFwiT9j6EfhhHFJhs2KM9jbjTmf8JBXE69",
            "UBntmLjC2yYCeHwsyj73Uwo9TAaecAetRwMw0xYcvNL9yRdLSUi0hUAHfvCHFeFh",
            "ownCloud desktop app",
            &["http://127.0.0.1", "http://localhost"],
        ),
        native(
            "e4rAsNUSIUs0lF4nbv9FmCeUkTlV9GdgTLDH1b5uie7syb90SzEVrbN7HIpmWJeD",
            "dInFYGV33xKzhbRmpqQltYNdfLdJIfJ9L5ISoKhNoT9qZftpdWSP71VrpGR9pmoD",
            "ownCloud Android app",
            &["oc://android.owncloud.com"],
        ),
        native(
            "mxd5OQDk6es5LzOzRvidJNfXLUZS2oN3oUFeXPP8LpPrhx3UroJFduGEYIBOxkY1",
            "KFeFWWEZO9TkisIQzR3fo7hfiMXlOpaqP8CFuTbSHzV1TUuGECglPxpiVKJfOXIx",
            "ownCloud iOS app",
            &["oc://ios.owncloud.com", "oc.ios://ios.owncloud.com"],
        ),
    ]
}

/// The clients that are known while the provider runs.
#[derive(Debug)]
pub(super) struct Clients(HashMap<String, Arc<Client>>);

impl Clients {
    /// `clients`, a later one of the same id in place of an earlier one; `url` stands for
    /// `{{OCIS_URL}}`. [`ocis_core::ErrorKind::InvalidArgument`] names the client that is wrong.
    pub(super) fn new(clients: Vec<Client>, url: &str) -> Result<Self> {
        let url = url.trim_end_matches('/');
        let trusted: Vec<String> = preregistered().into_iter().map(|client| client.id).collect();
        let mut known = HashMap::new();
        for mut client in clients {
            let lists = [
                &mut client.redirect_uris,
                &mut client.origins,
                &mut client.post_logout_redirect_uris,
            ];
            for address in lists.into_iter().flatten() {
                *address = address.replace(URL, url);
            }
            client.trusted |= trusted.contains(&client.id);
            client.check()?;
            known.insert(client.id.clone(), Arc::new(client));
        }
        Ok(Self(known))
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Client>> {
        self.0.get(id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_of_owncloud() {
        let clients = Clients::new(preregistered(), "https://cloud.example.org/").unwrap();
        let web = clients.get("web").unwrap();
        assert!(web.may_redirect_to("https://cloud.example.org/oidc-callback.html"));
        assert!(web.may_return_to("https://cloud.example.org/"));
        assert!(!web.may_redirect_to("https://cloud.example.org"));
        assert!(web.knows(None));
        let desktop = "xdXOt13JKxym1B1QcEncf2XDkLAexMBFwiT9j6EfhhHFJhs2KM9jbjTmf8JBXE69";
        let desktop = clients.get(desktop).unwrap();
        assert!(desktop.may_redirect_to("http://localhost:38117"));
        assert!(desktop.may_redirect_to("http://127.0.0.1:38117/"));
        assert!(!desktop.knows(None));
        assert!(!desktop.knows(Some("x")));
        assert!(
            desktop.knows(Some("UBntmLjC2yYCeHwsyj73Uwo9TAaecAetRwMw0xYcvNL9yRdLSUi0hUAHfvCHFeFh"))
        );
    }

    #[test]
    fn a_client_that_makes_no_sense_is_named() {
        let client = Client { id: "x".to_owned(), ..Client::default() };
        let told = Clients::new(vec![client.clone()], "https://a").unwrap_err().to_string();
        assert!(told.contains("client \"x\": has no redirect_uris"), "{told}");
        let client = Client { redirect_uris: vec!["javascript:alert(1)".to_owned()], ..client };
        assert!(Clients::new(vec![client], "https://a").is_err());
    }
}
