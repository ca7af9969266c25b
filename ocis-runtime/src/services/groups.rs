//! groups: the groups of accounts, as the embedded directory has them.

use std::sync::Arc;

use ocis_core::Result;

use super::idm::DIRECTORY;
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// Looks up groups.
#[derive(Debug)]
pub struct Groups;

impl Service for Groups {
    const NAME: &'static str = "groups";
    const NEEDS: &'static [Slot] = &[Slot::Key(Port::Groups, DIRECTORY)];
    const OFFERS: &'static [Slot] = &[Slot::Plain(Port::Groups)];
    type Config = settings::Groups;

    fn build(_: Self::Config, peers: &Peers) -> Result<Unit> {
        let directory = peers.keyed_groups().handle(DIRECTORY);
        Ok(Unit::new().offers(Offer::Groups(Arc::new(directory))))
    }
}
