//! auth-basic: user names and passwords, checked by the directory that knows them.

use std::sync::Arc;
use std::time::Duration;

use ocis_auth::basic::{Basic, BasicOptions};
use ocis_core::Result;
use ocis_core::port::{Authenticate, Late};

use super::accounts::Source;
use super::idm::DIRECTORY;
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// How long a password that an LDAP server accepted is believed without asking again. The embedded
/// directory says when an account changes; an LDAP server does not, so this is also how long
/// somebody who was disabled there, or whose password was changed, can go on.
const BELIEVED: Duration = Duration::from_secs(60);

/// Checks user names and passwords.
#[derive(Debug)]
pub struct AuthBasic;

impl Service for AuthBasic {
    const NAME: &'static str = "auth-basic";
    const OFFERS: &'static [Slot] = &[Slot::Key(Port::Authenticate, "basic")];
    type Config = settings::AuthBasic;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let source = Source::new(peers, config.directory())?;
        let embedded = peers.keyed_authenticate().handle(DIRECTORY);
        let basic = Late::<dyn Authenticate>::unbound();
        let (bound, throttle) = (basic.clone(), peers.throttle()?);
        let start = move || async move {
            match source.ldap() {
                Some(ldap) => {
                    let options = BasicOptions::new(config.issuer.as_str());
                    let options =
                        BasicOptions { remember: BELIEVED, throttle: Some(throttle), ..options };
                    bound.bind(Arc::new(Basic::new(ldap, options)?));
                }
                None => bound.bind(Arc::new(embedded)),
            }
            Ok(())
        };
        Ok(Unit::new().offers_as("basic", Offer::Authenticate(Arc::new(basic))).starts(start))
    }
}
