//! Late-bound handles to everything that one service may call of another.
//!
//! Handles are handed out while units are built and bound when all of them are, so that services
//! may need each other. Three kinds of things are bound: ports (un-keyed, or under a key where
//! several services own a part, as storages own nodes), the data plane of a storage, and the HTTP
//! service that a service answers with. Nobody can tell from a handle whether what it is bound to
//! is in this process.

mod slot;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use ocis_auth::throttle::{Limits, Throttle};
use ocis_core::data::HttpService;
use ocis_core::port::{
    AppTokens, Authenticate, EventBus, Grants, Groups, KeyValue, Late, Maintenance, Nodes,
    Provisioning, Roles, Settings, Spaces, Trash, UploadSessions, Uploads, Users, Versions,
};
use ocis_core::{Error, Result};
use parking_lot::Mutex;

pub use self::slot::{Port, Slot};

use crate::control::Entrance;
use crate::late_http::late_http;

/// What a unit offers under one slot.
#[derive(Debug)]
pub(crate) struct Offered {
    pub(crate) key: Option<String>,
    pub(crate) offer: Offer,
}

impl Offered {
    /// Whether this is what `declared` announced.
    pub(crate) fn is_at(&self, declared: Slot) -> bool {
        let port = self.offer.port();
        match (declared, self.key.as_deref()) {
            (Slot::Plain(declared), None) => declared == port,
            (Slot::AnyKey(declared), Some(_)) => declared == port,
            (Slot::Key(declared, key), Some(offered)) => declared == port && key == offered,
            _ => false,
        }
    }
}

/// The handles of one port: the un-keyed one, and those under keys.
struct Handles<T: ?Sized> {
    plain: Late<T>,
    keyed: Keyed<T>,
}

impl<T: ?Sized> fmt::Debug for Handles<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.keyed.fmt(f)
    }
}

/// The handles of a port under their keys. Clones share them.
pub struct Keyed<T: ?Sized> {
    name: &'static str,
    handles: Arc<Mutex<BTreeMap<String, Late<T>>>>,
}

impl<T: ?Sized> Keyed<T> {
    fn named(name: &'static str) -> Self {
        Self { name, handles: Arc::default() }
    }

    /// The handle under `key`; unbound while nobody offers it.
    pub fn handle(&self, key: &str) -> Late<T> {
        let mut handles = self.handles.lock();
        handles.entry(key.into()).or_insert_with(|| Late::named(self.name)).clone()
    }

    /// The handle under `key`, if somebody ever offered it.
    pub fn find(&self, key: &str) -> Option<Late<T>> {
        self.handles.lock().get(key).cloned()
    }

    /// The keys, in the order of their text.
    pub fn keys(&self) -> Vec<String> {
        self.handles.lock().keys().cloned().collect()
    }

    fn is_bound(&self) -> bool {
        self.handles.lock().values().any(Late::is_bound)
    }
}

impl<T: ?Sized> Clone for Keyed<T> {
    fn clone(&self) -> Self {
        Self { name: self.name, handles: Arc::clone(&self.handles) }
    }
}

impl<T: ?Sized> fmt::Debug for Keyed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("port", &self.name).field("keys", &self.keys()).finish()
    }
}

/// The tables that differ only by port: the offers, their handles, and how one is bound to the
/// other.
macro_rules! ports {
    ($($port:ident, $field:ident, $keyed:ident: $type:ty, $owned:ty;)*) => {
        /// What a unit offers.
        #[non_exhaustive]
        pub enum Offer {
            $(#[doc = concat!("An implementation of the port `", stringify!($field), "`.")]
            $port($owned),)*
        }

        impl Offer {
            /// Which port it is.
            pub fn port(&self) -> Port {
                match self {
                    $(Self::$port(_) => Port::$port,)*
                }
            }
        }

        #[derive(Debug)]
        struct Ports {
            $($field: Handles<$type>,)*
        }

        impl Ports {
            fn unbound() -> Self {
                Self {
                    $($field: Handles {
                        plain: Late::named(Port::$port.as_str()),
                        keyed: Keyed::named(Port::$port.as_str()),
                    },)*
                }
            }

            fn bind(&self, key: Option<&str>, offer: Offer) {
                match (offer, key) {
                    $((Offer::$port(offer), None) => self.$field.plain.bind(offer.into()),
                    (Offer::$port(offer), Some(key)) => {
                        self.$field.keyed.handle(key).bind(offer.into())
                    })*
                }
            }

            fn unbind(&self, port: Port, key: Option<&str>) {
                match (port, key) {
                    $((Port::$port, None) => self.$field.plain.unbind(),
                    (Port::$port, Some(key)) => self.$field.keyed.handle(key).unbind(),)*
                }
            }

            fn is_bound(&self, slot: Slot) -> bool {
                match (slot, slot.port()) {
                    $((Slot::Plain(_), Port::$port) => self.$field.plain.is_bound(),
                    (Slot::AnyKey(_), Port::$port) => self.$field.keyed.is_bound(),
                    (Slot::Key(_, key), Port::$port) => {
                        self.$field.keyed.find(key).is_some_and(|handle| handle.is_bound())
                    })*
                }
            }
        }

        impl Peers {
            $(#[doc = concat!("The `", stringify!($field), "` under their keys, for those who route.")]
            pub fn $keyed(&self) -> Keyed<$type> {
                self.ports.$field.keyed.clone()
            })*
        }
    };
}

ports! {
    Nodes, nodes, keyed_nodes: dyn Nodes, Arc<dyn Nodes>;
    Spaces, spaces, keyed_spaces: dyn Spaces, Arc<dyn Spaces>;
    Uploads, uploads, keyed_uploads: dyn Uploads, Arc<dyn Uploads>;
    Grants, grants, keyed_grants: dyn Grants, Arc<dyn Grants>;
    UploadSessions, sessions, keyed_sessions: dyn UploadSessions, Arc<dyn UploadSessions>;
    Maintenance, maintenance, keyed_maintenance: dyn Maintenance, Arc<dyn Maintenance>;
    Trash, trash, keyed_trash: dyn Trash, Arc<dyn Trash>;
    Versions, versions, keyed_versions: dyn Versions, Arc<dyn Versions>;
    Data, data, keyed_data: HttpService, HttpService;
    Users, users, keyed_users: dyn Users, Arc<dyn Users>;
    Groups, groups, keyed_groups: dyn Groups, Arc<dyn Groups>;
    Provisioning, provisioning, keyed_provisioning: dyn Provisioning, Arc<dyn Provisioning>;
    Roles, roles, keyed_roles: dyn Roles, Arc<dyn Roles>;
    Settings, settings, keyed_settings: dyn Settings, Arc<dyn Settings>;
    KeyValue, key_value, keyed_key_value: dyn KeyValue, Arc<dyn KeyValue>;
    AppTokens, app_tokens, keyed_app_tokens: dyn AppTokens, Arc<dyn AppTokens>;
    Authenticate, authenticate, keyed_authenticate: dyn Authenticate, Arc<dyn Authenticate>;
    Events, events, keyed_events: dyn EventBus, Arc<dyn EventBus>;
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Offer").field(&self.port().as_str()).finish()
    }
}

/// Which service offers which port under which key.
type Owners = BTreeMap<(Port, Option<String>), &'static str>;

/// What services call of each other. Clones share the bindings.
#[derive(Debug, Clone)]
pub struct Peers {
    ports: Arc<Ports>,
    http: Keyed<HttpService>,
    owners: Arc<Mutex<Owners>>,
    entrance: Arc<OnceLock<Entrance>>,
    own_ldap: Arc<OnceLock<String>>,
    role_quotas: Arc<OnceLock<HashMap<String, u64>>>,
    throttle: Arc<Mutex<Option<Arc<Throttle>>>>,
}

impl Default for Peers {
    fn default() -> Self {
        Self {
            ports: Arc::new(Ports::unbound()),
            http: Keyed::named("http"),
            owners: Arc::default(),
            entrance: Arc::default(),
            own_ldap: Arc::default(),
            role_quotas: Arc::default(),
            throttle: Arc::default(),
        }
    }
}

impl Peers {
    /// Handles that are bound to nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the control port is, once it is open; none where there is none.
    pub(crate) fn entrance(&self) -> Option<&Entrance> {
        self.entrance.get()
    }

    /// Says where the control port is.
    pub(crate) fn set_entrance(&self, entrance: Entrance) {
        // There is one control port in the life of a runtime.
        let _ = self.entrance.set(entrance);
    }

    /// Where idm of this process serves its directory over LDAP (`host:port`); none when it runs
    /// elsewhere or not at all. Known once all units are built.
    pub fn own_ldap(&self) -> Option<&str> {
        self.own_ldap.get().map(String::as_str)
    }

    /// Says that idm runs in this process, and where it serves its directory over LDAP.
    pub fn set_own_ldap(&self, address: &str) {
        // Built again, idm has the same settings.
        let _ = self.own_ldap.set(address.to_owned());
    }

    /// How many bytes new personal spaces may hold, by the id of the owner's role, as the proxy of
    /// this process has it (`role_quotas`). Empty until that is built, and where it runs elsewhere.
    pub fn role_quotas(&self) -> Arc<OnceLock<HashMap<String, u64>>> {
        Arc::clone(&self.role_quotas)
    }

    /// Files and folders, of whichever storage.
    pub fn nodes(&self) -> Arc<dyn Nodes> {
        Arc::new(self.ports.nodes.plain.clone())
    }

    /// The spaces of all storages.
    pub fn spaces(&self) -> Arc<dyn Spaces> {
        Arc::new(self.ports.spaces.plain.clone())
    }

    /// Uploads to whichever storage.
    pub fn uploads(&self) -> Arc<dyn Uploads> {
        Arc::new(self.ports.uploads.plain.clone())
    }

    /// Grants on nodes of whichever storage.
    pub fn grants(&self) -> Arc<dyn Grants> {
        Arc::new(self.ports.grants.plain.clone())
    }

    /// Upload sessions of all storages.
    pub fn sessions(&self) -> Arc<dyn UploadSessions> {
        Arc::new(self.ports.sessions.plain.clone())
    }

    /// What was deleted, of whichever storage.
    pub fn trash(&self) -> Arc<dyn Trash> {
        Arc::new(self.ports.trash.plain.clone())
    }

    /// Former contents of files, of whichever storage.
    pub fn versions(&self) -> Arc<dyn Versions> {
        Arc::new(self.ports.versions.plain.clone())
    }

    /// The accounts.
    pub fn users(&self) -> Arc<dyn Users> {
        Arc::new(self.ports.users.plain.clone())
    }

    /// The groups of accounts.
    pub fn groups(&self) -> Arc<dyn Groups> {
        Arc::new(self.ports.groups.plain.clone())
    }

    /// Changes of accounts and groups.
    pub fn provisioning(&self) -> Arc<dyn Provisioning> {
        Arc::new(self.ports.provisioning.plain.clone())
    }

    /// The roles of accounts.
    pub fn roles(&self) -> Arc<dyn Roles> {
        Arc::new(self.ports.roles.plain.clone())
    }

    /// What accounts chose.
    pub fn settings(&self) -> Arc<dyn Settings> {
        Arc::new(self.ports.settings.plain.clone())
    }

    /// Small documents of services.
    pub fn key_value(&self) -> Arc<dyn KeyValue> {
        Arc::new(self.ports.key_value.plain.clone())
    }

    /// App tokens.
    pub fn app_tokens(&self) -> Arc<dyn AppTokens> {
        Arc::new(self.ports.app_tokens.plain.clone())
    }

    /// Counts failed sign-ins for everything in this process that checks credentials, so that all
    /// kinds of them are limited together, also across restarts of a service.
    pub fn throttle(&self) -> Result<Arc<Throttle>> {
        let mut throttle = self.throttle.lock();
        if let Some(throttle) = &*throttle {
            return Ok(Arc::clone(throttle));
        }
        let new = Arc::new(Throttle::new(Limits::default())?);
        *throttle = Some(Arc::clone(&new));
        Ok(new)
    }

    /// Checks credentials of any kind.
    pub fn authenticate(&self) -> Arc<dyn Authenticate> {
        Arc::new(self.ports.authenticate.plain.clone())
    }

    /// The event bus.
    pub fn events(&self) -> Arc<dyn EventBus> {
        Arc::new(self.ports.events.plain.clone())
    }

    /// The data plane of whichever storage signed the ticket.
    pub fn data(&self) -> HttpService {
        late_http(self.ports.data.plain.clone(), "the data plane")
    }

    /// What `service` answers HTTP requests with: 503 while it does not run.
    pub fn http(&self, service: &'static str) -> HttpService {
        late_http(self.http.handle(service), service)
    }

    /// Binds what a unit of `service` offers. [`ocis_core::ErrorKind::AlreadyExists`] when another
    /// service offers the same under the same key.
    pub(crate) fn bind(
        &self,
        service: &'static str,
        offers: Vec<Offered>,
        http: Option<HttpService>,
    ) -> Result<()> {
        for Offered { key, offer } in offers {
            let slot = (offer.port(), key.clone());
            let owner = *self.owners.lock().entry(slot).or_insert(service);
            if owner != service {
                let key = key.map(|key| format!(" under the key {key}")).unwrap_or_default();
                return Err(Error::exists(format!(
                    "{service} and {owner} both offer \"{}\"{key}; only one of them can run",
                    offer.port().as_str()
                )));
            }
            self.ports.bind(key.as_deref(), offer);
        }
        if let Some(http) = http {
            self.http.handle(service).bind(Arc::new(http));
        }
        Ok(())
    }

    /// Takes away what `service` offered: callers get `Unavailable` until it is bound again.
    pub(crate) fn unbind(&self, service: &'static str) {
        for ((port, key), owner) in self.owners.lock().iter() {
            if *owner == service {
                self.ports.unbind(*port, key.as_deref());
            }
        }
        self.http.handle(service).unbind();
    }

    /// Whether somebody offers what `slot` names.
    pub fn is_bound(&self, slot: Slot) -> bool {
        self.ports.is_bound(slot)
    }
}
