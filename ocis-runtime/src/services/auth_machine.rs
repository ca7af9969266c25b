//! auth-machine: parts of the server that act for a user.

use std::sync::Arc;

use ocis_auth::machine::Machine;
use ocis_core::Result;
use ocis_core::port::Credentials;

use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// Checks the machine key.
#[derive(Debug)]
pub struct AuthMachine;

impl Service for AuthMachine {
    const NAME: &'static str = "auth-machine";
    const NEEDS: &'static [Slot] = &[Slot::Plain(Port::Users)];
    const OFFERS: &'static [Slot] = &[Slot::Key(Port::Authenticate, Credentials::MACHINE)];
    type Config = settings::AuthMachine;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let idp = config.issuer.as_str().trim_end_matches('/');
        let machine = Machine::new(config.api_key.clone(), peers.users(), idp)?;
        Ok(Unit::new().offers_as(Credentials::MACHINE, Offer::Authenticate(Arc::new(machine))))
    }
}
