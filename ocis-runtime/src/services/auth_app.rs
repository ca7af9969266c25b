//! auth-app: app tokens, over HTTP and as credentials. Not predefined: it runs when it is added.

use std::sync::Arc;

use ocis_auth::app_token::{AppTokenOptions, AppTokens};
use ocis_core::Result;
use ocis_core::port::Credentials;

use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// Makes app tokens and lets programs sign in with them.
#[derive(Debug)]
pub struct AuthApp;

impl Service for AuthApp {
    const NAME: &'static str = "auth-app";
    const NEEDS: &'static [Slot] = &[Slot::Plain(Port::KeyValue), Slot::Plain(Port::Users)];
    const OFFERS: &'static [Slot] =
        &[Slot::Plain(Port::AppTokens), Slot::Key(Port::Authenticate, Credentials::APP_TOKEN)];
    type Config = settings::AuthApp;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let options = AppTokenOptions {
            impersonation: config.allow_impersonation,
            takes_over: Some(config.database),
            ..AppTokenOptions::new(config.issuer.as_str().trim_end_matches('/'))
        };
        let (store, users, throttle) = (peers.key_value(), peers.users(), peers.throttle()?);
        let tokens = Arc::new(AppTokens::new(store, users, throttle, options)?);
        Ok(Unit::new()
            .offers(Offer::AppTokens(Arc::<AppTokens>::clone(&tokens)))
            .offers_as(
                Credentials::APP_TOKEN,
                Offer::Authenticate(Arc::<AppTokens>::clone(&tokens)),
            )
            .answers(ocis_auth_app::Tokens::new(tokens)))
    }
}
