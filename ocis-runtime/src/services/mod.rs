//! The predefined services, each in a thin file that joins a protocol with an implementation, and
//! the only list of them.

mod accounts;
mod auth_app;
mod auth_basic;
mod auth_machine;
mod auth_service;
mod frontend;
mod gateway;
mod graph;
mod groups;
mod idm;
mod idp;
mod later;
mod nats;
mod ocdav;
mod ocs;
mod proxy;
mod settings;
mod storage_system;
mod storage_users;
mod users;

pub use self::auth_app::AuthApp;
pub use self::auth_basic::AuthBasic;
pub use self::auth_machine::AuthMachine;
pub use self::auth_service::AuthService;
pub use self::frontend::Frontend;
pub use self::gateway::Gateway;
pub use self::graph::Graph;
pub use self::groups::Groups;
pub use self::idm::Idm;
pub use self::idp::Idp;
pub use self::later::{
    AppProvider, AppRegistry, Clientlog, Eventhistory, Notifications, Ocm, Postprocessing, Search,
    Sharing, Sse, StoragePubliclink, StorageShares, Thumbnails, Userlog, Web, Webdav, Webfinger,
};
pub use self::nats::Nats;
pub use self::ocdav::Ocdav;
pub use self::ocs::Ocs;
pub use self::proxy::Proxy;
pub use self::settings::Settings;
pub use self::storage_system::StorageSystem;
pub use self::storage_users::StorageUsers;
pub(crate) use self::storage_users::blobs::Place;
pub use self::users::Users;

use crate::registry::Registry;

/// The services that `ocis server` starts when nothing else is set.
pub fn predefined() -> Registry {
    Registry::new()
        .with::<AppProvider>()
        .with::<AppRegistry>()
        .with::<AuthBasic>()
        .with::<AuthMachine>()
        .with::<AuthService>()
        .with::<Clientlog>()
        .with::<Eventhistory>()
        .with::<Frontend>()
        .with::<Gateway>()
        .with::<Graph>()
        .with::<Groups>()
        .with::<Idm>()
        .with::<Idp>()
        .with::<Nats>()
        .with::<Notifications>()
        .with::<Ocdav>()
        .with::<Ocm>()
        .with::<Ocs>()
        .with::<Postprocessing>()
        .with::<Proxy>()
        .with::<Search>()
        .with::<Settings>()
        .with::<Sharing>()
        .with::<Sse>()
        .with::<StoragePubliclink>()
        .with::<StorageShares>()
        .with::<StorageSystem>()
        .with::<StorageUsers>()
        .with::<Thumbnails>()
        .with::<Userlog>()
        .with::<Users>()
        .with::<Web>()
        .with::<Webdav>()
        .with::<Webfinger>()
}

/// Everything that a server can run: the predefined services, and those that it runs when they are
/// added (`OCIS_ADD_RUN_SERVICES`).
pub fn all() -> Registry {
    predefined().with::<AuthApp>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_these_34_names() {
        let names = [
            "app-provider",
            "app-registry",
            "auth-basic",
            "auth-machine",
            "auth-service",
            "clientlog",
            "eventhistory",
            "frontend",
            "gateway",
            "graph",
            "groups",
            "idm",
            "idp",
            "nats",
            "notifications",
            "ocdav",
            "ocm",
            "ocs",
            "postprocessing",
            "proxy",
            "search",
            "settings",
            "sharing",
            "sse",
            "storage-publiclink",
            "storage-shares",
            "storage-system",
            "storage-users",
            "thumbnails",
            "userlog",
            "users",
            "web",
            "webdav",
            "webfinger",
        ];
        assert_eq!(predefined().names(), names);
        assert_eq!(names.len(), 34);
    }

    #[test]
    fn the_settings_reference_knows_the_same_services() {
        assert_eq!(predefined().names(), crate::settings::names());
        let optional = crate::settings::OPTIONAL.iter().map(|entry| entry.table.service);
        let names: Vec<_> = predefined().names().into_iter().chain(optional).collect();
        assert_eq!(all().names(), names);
    }

    #[test]
    fn every_service_has_the_settings_of_its_own_name() {
        for entry in all().entries() {
            assert_eq!(entry.settings.service, entry.name);
            assert!(entry.settings.row("debug_addr").is_some(), "{}", entry.name);
        }
    }

    #[test]
    fn every_need_is_offered_by_somebody() {
        let registry = all();
        for entry in registry.entries() {
            for need in entry.needs {
                assert!(registry.who_offers(*need).is_some(), "{} needs {need}", entry.name);
            }
        }
    }
}
