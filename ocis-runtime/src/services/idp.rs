//! idp: the OpenID provider, with its clients from the configuration.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use ocis_auth::oidc::issuer::{
    Client, Deliveries, Issuer, IssuerOptions, IssuerParts, KeyFiles, preregistered,
};
use ocis_core::data::HttpService;
use ocis_core::port::Late;
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Error, Result};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval};

use crate::late_http::late_http;
use crate::peers::{Peers, Port, Slot};
use crate::service::{Service, Stop, Unit};
use crate::settings;

/// The OpenID provider.
#[derive(Debug)]
pub struct Idp;

impl Service for Idp {
    const NAME: &'static str = "idp";
    const NEEDS: &'static [Slot] = &[Slot::Plain(Port::Authenticate), Slot::Plain(Port::Users)];
    type Config = settings::Idp;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let parts = IssuerParts {
            authenticate: peers.authenticate(),
            users: peers.users(),
            clock: Arc::new(SystemClock),
        };
        let service = Late::<HttpService>::named(Self::NAME);
        let (issuer, deliveries) = (Late::<Issuer>::named(Self::NAME), Arc::new(Mutex::new(None)));
        let answers = late_http(service.clone(), Self::NAME);
        let (swept, told) = (issuer.clone(), Arc::clone(&deliveries));
        let (unbound, closed) = (service.clone(), issuer.clone());
        Ok(Unit::new()
            .answers(answers)
            .starts(move || async move {
                let open = move || Issuer::open(options(&config)?, parts);
                let opened = tokio::task::spawn_blocking(open).await;
                let (opened, queue) = opened
                    .map_err(|error| Error::internal("the provider broke off").because(error))??;
                *deliveries.lock().await = Some(queue);
                service.bind(Arc::new(opened.service()));
                issuer.bind(Arc::new(opened));
                Ok(())
            })
            .runs("sweep", move |stop| sweep(swept, stop))
            .runs("logout-notices", move |stop| tell(told, stop))
            .closes(move || async move {
                unbound.unbind();
                closed.unbind();
                Ok(())
            }))
    }
}

/// Forgets what has ended, and ends with an error when the store has to be opened again.
async fn sweep(issuer: Late<Issuer>, stop: Stop) -> Result<()> {
    let mut ticks = interval(Issuer::SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = ticks.tick() => issuer.bound()?.sweep(SystemClock.now())?,
        }
    }
}

/// Tells clients about sessions that ended.
async fn tell(deliveries: Arc<Mutex<Option<Deliveries>>>, stop: Stop) -> Result<()> {
    let mut deliveries = deliveries.lock().await;
    let Some(deliveries) = deliveries.as_mut() else { return Ok(()) };
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        ended = deliveries.run() => match ended {
            // Nothing can come any more once the provider is closed.
            Ok(()) => { stop.cancelled().await; Ok(()) }
            Err(error) => Err(error),
        },
    }
}

/// Reads the files that settings name. Blocks.
fn options(config: &settings::Idp) -> Result<IssuerOptions> {
    let set = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let life = config.dynamic_client.0;
    Ok(IssuerOptions {
        url: config.issuer.as_str().to_owned(),
        keys: KeyFiles {
            signing: config.signing_keys.iter().map(PathBuf::from).collect(),
            kid: config.signing_kid.clone(),
            method: config.signing_method.clone(),
            validation: set(&config.validation_keys).map(PathBuf::from),
            secret: config.encryption_secret.clone(),
        },
        store: config.store_file.clone(),
        clients: clients(config)?,
        access_token: config.access_token.0,
        id_token: config.id_token.0,
        refresh_token: config.refresh_token.0,
        dynamic_clients: config.dynamic_clients,
        dynamic_client: Some(life).filter(|life| !life.is_zero()),
        password_reset: set(&config.password_reset),
        background: set(&config.background),
        assets: set(&config.assets).map(PathBuf::from),
    })
}

/// ownCloud's clients or those of the settings, and those of the file.
fn clients(config: &settings::Idp) -> Result<Vec<Client>> {
    let mut clients = match config.clients.0.as_slice() {
        [] => preregistered(),
        given => given.iter().map(client).collect::<Result<_>>()?,
    };
    if !config.registration_file.is_empty() {
        #[derive(Deserialize)]
        struct Registration {
            #[serde(default)]
            clients: Vec<Client>,
        }
        let file = &config.registration_file;
        let wrong = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::invalid(format!("IDP_IDENTIFIER_REGISTRATION_CONF: {file}: {error}"))
        };
        let text = fs::read_to_string(file).map_err(|error| wrong(error.into()))?;
        let read: Registration =
            serde_yaml::from_str(&text).map_err(|error| wrong(error.into()))?;
        clients.extend(read.clients);
    }
    Ok(clients)
}

fn client(value: &serde_json::Value) -> Result<Client> {
    Client::deserialize(value).map_err(|error| Error::invalid(format!("idp.clients: {error}")))
}

#[cfg(test)]
mod tests {
    use ocis_core::config::Section as _;
    use ocis_core::config::source::Memory;

    use super::*;

    fn load(yaml: &str) -> settings::Idp {
        let source = Memory::new().yaml("idp.yaml", yaml).var("IDP_LDAP_BIND_PASSWORD", "x");
        let loaded = settings::Loaded::service(&source, "idp").unwrap();
        settings::Idp::load(&loaded.layers).unwrap()
    }

    #[test]
    fn clients_of_settings_stand_in_for_those_of_owncloud_and_a_file_adds_more() {
        let ids = |config: &settings::Idp| -> Vec<String> {
            clients(config).unwrap().into_iter().map(|client| client.id).collect()
        };
        let mut config = settings::Idp::default();
        assert_eq!(ids(&config).len(), 4);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clients.yaml");
        fs::write(&file, "clients:\n  - id: more\n    name: More\n    redirect_uris: [https://a/cb]\n    origins: []\n").unwrap();
        config.registration_file = file.to_str().unwrap().to_owned();
        assert_eq!(ids(&config).last().map(String::as_str), Some("more"));
        fs::write(&file, "clients: 1").unwrap();
        let told = clients(&config).unwrap_err().to_string();
        assert!(told.contains("clients.yaml"), "{told}");
        let given = load(
            "clients:\n  - id: web\n    trusted: true\n    redirect_uris: ['{{OCIS_URL}}/']\n",
        );
        assert_eq!(ids(&given), ["web"]);
    }
}
