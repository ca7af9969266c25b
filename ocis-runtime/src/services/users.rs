//! users: the accounts, as the embedded directory or an LDAP server has them.

use std::sync::Arc;

use ocis_core::Result;
use ocis_core::port::{self, Late};

use super::accounts::Source;
use super::idm::DIRECTORY;
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// Looks up accounts.
#[derive(Debug)]
pub struct Users;

impl Service for Users {
    const NAME: &'static str = "users";
    const OFFERS: &'static [Slot] = &[Slot::Plain(Port::Users)];
    type Config = settings::Users;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let source = Source::new(peers, config.directory())?;
        let embedded = peers.keyed_users().handle(DIRECTORY);
        let users = Late::<dyn port::Users>::unbound();
        let bound = users.clone();
        Ok(Unit::new().offers(Offer::Users(Arc::new(users))).starts(move || async move {
            match source.ldap() {
                Some(ldap) => bound.bind(ldap),
                None => bound.bind(Arc::new(embedded)),
            }
            Ok(())
        }))
    }
}
