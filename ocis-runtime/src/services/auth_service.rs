//! auth-service: service accounts.

use std::sync::Arc;

use ocis_auth::service::ServiceAccounts;
use ocis_core::Result;
use ocis_core::port::Credentials;

use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// Checks the secret of the service account.
#[derive(Debug)]
pub struct AuthService;

impl Service for AuthService {
    const NAME: &'static str = "auth-service";
    const OFFERS: &'static [Slot] = &[Slot::Key(Port::Authenticate, Credentials::SERVICE_ACCOUNT)];
    type Config = settings::AuthService;

    fn build(config: Self::Config, _: &Peers) -> Result<Unit> {
        let idp = config.issuer.as_str().trim_end_matches('/');
        let secret = config.service_account_secret.clone();
        let accounts = ServiceAccounts::new(&config.service_account_id, secret, idp)?;
        let offer = Offer::Authenticate(Arc::new(accounts));
        Ok(Unit::new().offers_as(Credentials::SERVICE_ACCOUNT, offer))
    }
}
