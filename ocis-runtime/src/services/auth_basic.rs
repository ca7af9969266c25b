//! auth-basic: user names and passwords, checked by the directory that knows them.

use std::sync::Arc;

use ocis_core::Result;

use super::idm::DIRECTORY;
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// Checks user names and passwords.
#[derive(Debug)]
pub struct AuthBasic;

impl Service for AuthBasic {
    const NAME: &'static str = "auth-basic";
    const NEEDS: &'static [Slot] = &[Slot::Key(Port::Authenticate, DIRECTORY)];
    const OFFERS: &'static [Slot] = &[Slot::Key(Port::Authenticate, "basic")];
    type Config = settings::AuthBasic;

    fn build(_: Self::Config, peers: &Peers) -> Result<Unit> {
        let directory = peers.keyed_authenticate().handle(DIRECTORY);
        Ok(Unit::new().offers_as("basic", Offer::Authenticate(Arc::new(directory))))
    }
}
