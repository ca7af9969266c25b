//! idm: the embedded directory of accounts and groups; the only service that opens its files.

use std::sync::Arc;

use ocis_auth::basic::{Basic, BasicOptions};
use ocis_auth::directory::{Bootstrap, Directory, Editor};
use ocis_core::id::UserId;
use ocis_core::port::Late;
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Error, Result};

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
        let handles = Handles::unbound();
        let (opened, closed) = (handles.clone(), handles.clone());
        Ok(Unit::new()
            .offers_as(DIRECTORY, Offer::Users(Arc::new(handles.users)))
            .offers_as(DIRECTORY, Offer::Groups(Arc::new(handles.groups)))
            .offers_as(DIRECTORY, Offer::Provisioning(Arc::new(handles.provisioning)))
            .offers_as(DIRECTORY, Offer::Authenticate(Arc::new(handles.authenticate)))
            .starts(move || async move {
                let directory =
                    tokio::task::spawn_blocking(move || open(&config).map(|d| (d, config)));
                let (directory, config) = directory.await.map_err(lost)??;
                opened.bind(directory, &config)
            })
            .closes(move || async move {
                closed.unbind();
                Ok(())
            }))
    }
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

    fn bind(&self, directory: Arc<Directory>, config: &settings::Idm) -> Result<()> {
        let options = BasicOptions::new(config.issuer.as_str());
        self.authenticate.bind(Arc::new(Basic::new(Arc::<Directory>::clone(&directory), options)?));
        self.provisioning.bind(Arc::new(Editor::new(Arc::<Directory>::clone(&directory))));
        self.users.bind(Arc::<Directory>::clone(&directory));
        self.groups.bind(directory);
        Ok(())
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

fn lost(error: tokio::task::JoinError) -> Error {
    Error::internal("opening the directory failed").because(error)
}
