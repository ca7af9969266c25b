//! groups: the groups of accounts, as the embedded directory or an LDAP server has them.

use std::sync::Arc;

use ocis_core::Result;
use ocis_core::port::{self, Late};

use super::accounts::Source;
use super::idm::DIRECTORY;
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// Looks up groups.
#[derive(Debug)]
pub struct Groups;

impl Service for Groups {
    const NAME: &'static str = "groups";
    const OFFERS: &'static [Slot] = &[Slot::Plain(Port::Groups)];
    type Config = settings::Groups;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let source = Source::new(peers, config.directory())?;
        let embedded = peers.keyed_groups().handle(DIRECTORY);
        let groups = Late::<dyn port::Groups>::unbound();
        let bound = groups.clone();
        Ok(Unit::new().offers(Offer::Groups(Arc::new(groups))).starts(move || async move {
            match source.ldap() {
                Some(ldap) => bound.bind(ldap),
                None => bound.bind(Arc::new(embedded)),
            }
            Ok(())
        }))
    }
}
