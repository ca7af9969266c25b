//! idm: the embedded directory of accounts and groups, also over LDAPS; the only service that opens
//! its files.

use std::sync::Arc;

use ocis_auth::basic::{Basic, BasicOptions};
use ocis_auth::directory::ldap::{LdapServer, ServiceAccount};
use ocis_auth::directory::{Bootstrap, Directory, Editor};
use ocis_auth::throttle::Throttle;
use ocis_core::id::UserId;
use ocis_core::port::{Authenticate, Late};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Error, Result};
use parking_lot::Mutex;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tracing::info;

use super::proxy::is_default;
use crate::http::{bind, tls};
use crate::ldaps;
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// The key of what the embedded directory offers.
pub(crate) const DIRECTORY: &str = "idm";

/// Owns the embedded directory.
#[derive(Debug)]
pub struct Idm;

impl Service for Idm {
    const NAME: &'static str = "idm";
    const OFFERS: &'static [Slot] = &[
        Slot::Key(Port::Users, DIRECTORY),
        Slot::Key(Port::Groups, DIRECTORY),
        Slot::Key(Port::Provisioning, DIRECTORY),
        Slot::Key(Port::Authenticate, DIRECTORY),
    ];
    type Config = settings::Idm;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        peers.set_own_ldap(config.ldaps_addr.as_str());
        let throttle = peers.throttle()?;
        let handles = Handles::unbound();
        let (opened, closed) = (handles.clone(), handles.clone());
        // From the step that opens to the job that serves.
        let door = Arc::new(Mutex::new(None));
        let used = Arc::clone(&door);
        Ok(Unit::new()
            .offers_as(DIRECTORY, Offer::Users(Arc::new(handles.users)))
            .offers_as(DIRECTORY, Offer::Groups(Arc::new(handles.groups)))
            .offers_as(DIRECTORY, Offer::Provisioning(Arc::new(handles.provisioning)))
            .offers_as(DIRECTORY, Offer::Authenticate(Arc::new(handles.authenticate)))
            .starts(move || async move {
                let work = move || -> Result<_> {
                    let directory = open(&config)?;
                    Ok((directory, server_config(&config)?, config))
                };
                let (directory, tls, config) =
                    tokio::task::spawn_blocking(work).await.map_err(lost)??;
                let socket = bind(config.ldaps_addr.as_str(), "IDM_LDAPS_ADDR").await?;
                if let Ok(address) = socket.local_addr() {
                    info!(service = Self::NAME, %address, "serving LDAPS");
                }
                let server = opened.bind(directory, &config, throttle)?;
                *door.lock() = Some(Door { socket, tls, server });
                Ok(())
            })
            .runs("ldaps", move |stop| async move {
                let Some(Door { socket, tls, server }) = used.lock().take() else {
                    return Err(Error::internal("the listener of LDAP was not opened"));
                };
                ldaps::serve(socket, &tls, Arc::new(server), stop).await
            })
            .closes(move || async move {
                closed.unbind();
                Ok(())
            }))
    }
}

/// What the job serves.
struct Door {
    socket: TcpListener,
    tls: Arc<ServerConfig>,
    server: LdapServer,
}

/// What is offered before the directory is open, and bound when it is.
#[derive(Clone)]
struct Handles {
    users: Late<dyn ocis_core::port::Users>,
    groups: Late<dyn ocis_core::port::Groups>,
    provisioning: Late<dyn ocis_core::port::Provisioning>,
    authenticate: Late<dyn ocis_core::port::Authenticate>,
}

impl Handles {
    fn unbound() -> Self {
        Self {
            users: Late::<dyn ocis_core::port::Users>::unbound(),
            groups: Late::<dyn ocis_core::port::Groups>::unbound(),
            provisioning: Late::<dyn ocis_core::port::Provisioning>::unbound(),
            authenticate: Late::<dyn ocis_core::port::Authenticate>::unbound(),
        }
    }

    /// Binds all ports to `directory`, and gives the server that offers it over LDAP.
    fn bind(
        &self,
        directory: Arc<Directory>,
        config: &settings::Idm,
        throttle: Arc<Throttle>,
    ) -> Result<LdapServer> {
        let options =
            BasicOptions { throttle: Some(throttle), ..BasicOptions::new(config.issuer.as_str()) };
        let basic: Arc<dyn Authenticate> =
            Arc::new(Basic::new(Arc::<Directory>::clone(&directory), options)?);
        let server = LdapServer::new(
            Arc::<Directory>::clone(&directory),
            Arc::clone(&basic),
            service_accounts(config),
            Arc::new(SystemClock),
        );
        self.authenticate.bind(basic);
        self.provisioning.bind(Arc::new(Editor::new(Arc::<Directory>::clone(&directory))));
        self.users.bind(Arc::<Directory>::clone(&directory));
        self.groups.bind(directory);
        Ok(server)
    }

    /// Lets go of the directory, whose lock ends with the last call that is under way.
    fn unbind(&self) {
        self.authenticate.unbind();
        self.users.unbind();
        self.groups.unbind();
        self.provisioning.unbind();
    }
}

/// Opens the directory, and makes it when there is none. Blocks.
fn open(config: &settings::Idm) -> Result<Arc<Directory>> {
    let admin_id = match config.admin_user_id.as_str() {
        "" => UserId::random(),
        id => UserId::parse(id)?,
    };
    let bootstrap = Bootstrap {
        admin_id,
        admin_password: config.admin_password.expose().to_owned(),
        create_demo_users: config.create_demo_users,
        takes_over: Some(config.database.clone()),
        now: SystemClock.now(),
    };
    Directory::open(&config.directory, bootstrap)
}

/// The accounts that oCIS gives its own services. `libregraph` is that of graph; it changes the
/// directory.
fn service_accounts(config: &settings::Idm) -> Vec<ServiceAccount> {
    [
        ("libregraph", &config.idm_password, true),
        ("reva", &config.reva_password, false),
        ("idp", &config.idp_password, false),
    ]
    .map(|(name, password, writes)| ServiceAccount { name, password: password.clone(), writes })
    .into()
}

/// The certificate of LDAPS, which is made when it is missing at its default place. Blocks.
fn server_config(config: &settings::Idm) -> Result<Arc<ServerConfig>> {
    let (certificate, key) = (config.ldaps_cert.as_path(), config.ldaps_key.as_path());
    let now = SystemClock.now();
    if is_default(certificate, "idm/ldap.crt") && is_default(key, "idm/ldap.key") {
        return tls::load_or_make(certificate, key, &tls::names_of_machine(None), now);
    }
    tls::load(certificate, key, now)
}

fn lost(error: tokio::task::JoinError) -> Error {
    Error::internal("opening the directory failed").because(error)
}
