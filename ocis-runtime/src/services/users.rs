//! users: the accounts, as the embedded directory has them.

use std::sync::Arc;

use ocis_core::Result;

use super::idm::DIRECTORY;
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// Looks up accounts.
#[derive(Debug)]
pub struct Users;

impl Service for Users {
    const NAME: &'static str = "users";
    const NEEDS: &'static [Slot] = &[Slot::Key(Port::Users, DIRECTORY)];
    const OFFERS: &'static [Slot] = &[Slot::Plain(Port::Users)];
    type Config = settings::Users;

    fn build(_: Self::Config, peers: &Peers) -> Result<Unit> {
        let directory = peers.keyed_users().handle(DIRECTORY);
        Ok(Unit::new().offers(Offer::Users(Arc::new(directory))))
    }
}
