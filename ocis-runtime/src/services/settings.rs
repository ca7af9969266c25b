//! settings: the roles of accounts and what they chose, as documents in storage-system.

use std::sync::Arc;
use std::time::Duration;

use ocis_auth::roles::{DefaultRoles, RoleStore};
use ocis_auth::settings::SettingStore;
use ocis_core::id::UserId;
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Caller, Cx, ErrorKind, Result};
use ocis_settings::{Settings as Endpoints, SettingsParts};
use tokio::time::interval;

use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Stop, Unit};
use crate::settings;

/// How often it is tried to give the default roles.
const RETRY: Duration = Duration::from_secs(1);

/// Roles and settings of accounts.
#[derive(Debug)]
pub struct Settings;

impl Service for Settings {
    const NAME: &'static str = "settings";
    const NEEDS: &'static [Slot] = &[Slot::Plain(Port::KeyValue)];
    const OFFERS: &'static [Slot] = &[Slot::Plain(Port::Roles), Slot::Plain(Port::Settings)];
    type Config = settings::Settings;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let admin = match config.admin_user_id.as_str() {
            "" => None,
            id => Some(UserId::parse(id)?),
        };
        let defaults = DefaultRoles { admin, demo: config.set_default_assignments };
        let roles = Arc::new(RoleStore::new(peers.key_value(), defaults));
        let settings = Arc::new(SettingStore::new(peers.key_value()));
        let set_up = Arc::clone(&roles);
        let endpoints = Endpoints::new(SettingsParts {
            roles: Arc::<RoleStore>::clone(&roles),
            settings: Arc::<SettingStore>::clone(&settings),
            language: config.default_language,
        });
        Ok(Unit::new()
            .offers(Offer::Roles(roles))
            .offers(Offer::Settings(settings))
            .answers(endpoints)
            .runs("default-roles", move |stop| give_defaults(set_up, stop)))
    }
}

/// Gives the default roles as soon as documents can be written, also when nobody asks for any.
async fn give_defaults(roles: Arc<RoleStore>, stop: Stop) -> Result<()> {
    let mut ticks = interval(RETRY);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            _ = ticks.tick() => {
                let cx = Cx::new(Caller::Service(Settings::NAME.into()), SystemClock.now());
                match roles.set_up(&cx).await {
                    Err(error) if error.kind() == ErrorKind::Unavailable => {}
                    done => {
                        done?;
                        break;
                    }
                }
            }
        }
    }
    stop.cancelled().await;
    Ok(())
}
