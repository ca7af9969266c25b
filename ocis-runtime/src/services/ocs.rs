//! ocs: the keys with which clients sign URLs, and signed URLs as credentials. Everything else below
//! `/ocs` is frontend's.

use std::sync::Arc;

use ocis_auth::signed_url::{SignedUrls, SigningKeys};
use ocis_core::Result;
use ocis_core::port::Credentials;

use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// Signing keys.
#[derive(Debug)]
pub struct Ocs;

impl Service for Ocs {
    const NAME: &'static str = "ocs";
    const NEEDS: &'static [Slot] = &[Slot::Plain(Port::KeyValue), Slot::Plain(Port::Users)];
    const OFFERS: &'static [Slot] = &[Slot::Key(Port::Authenticate, Credentials::SIGNED_URL)];
    type Config = settings::Ocs;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let keys = Arc::new(SigningKeys::new(peers.key_value(), config.signing_key_ttl));
        let (users, throttle) = (peers.users(), peers.throttle()?);
        let idp = config.issuer.as_str().trim_end_matches('/');
        let urls = SignedUrls::new(Arc::clone(&keys), users, throttle, idp)?;
        Ok(Unit::new()
            .offers_as(Credentials::SIGNED_URL, Offer::Authenticate(Arc::new(urls)))
            .answers(ocis_ocs::SigningKeyEndpoint::new(keys)))
    }
}
