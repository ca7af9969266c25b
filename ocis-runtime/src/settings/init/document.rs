//! The generated `ocis.yaml` as types: field order is key order, which is that of oCIS.

use ocis_core::{Error, Result};
use serde::Serialize;

use super::values::Values;

/// The whole file.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    token_manager: TokenManager<'a>,
    machine_auth_api_key: &'a str,
    system_user_api_key: &'a str,
    transfer_secret: &'a str,
    system_user_id: &'a str,
    admin_user_id: &'a str,
    graph: Graph<'a>,
    idp: Ldap<'a>,
    idm: Idm<'a>,
    collaboration: Collaboration<'a>,
    proxy: Proxy<'a>,
    frontend: Frontend<'a>,
    auth_basic: AuthBasic<'a>,
    auth_bearer: AuthBearer,
    users: Accounts<'a>,
    groups: Accounts<'a>,
    ocdav: Insecure,
    ocm: Account<'a>,
    thumbnails: Thumbnails<'a>,
    search: Search<'a>,
    audit: WithEvents,
    settings: Settings<'a>,
    sharing: WithEvents,
    storage_users: StorageUsers<'a>,
    notifications: Notifications<'a>,
    nats: Nats,
    gateway: Gateway<'a>,
    userlog: Account<'a>,
    auth_service: Account<'a>,
    clientlog: Account<'a>,
    activitylog: Account<'a>,
}

#[derive(Serialize)]
struct TokenManager<'a> {
    jwt_secret: &'a str,
}

#[derive(Serialize)]
struct Graph<'a> {
    application: Application<'a>,
    events: Events,
    spaces: Insecure,
    identity: Ldap<'a>,
    service_account: ServiceAccount<'a>,
}

#[derive(Serialize)]
struct Application<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct Ldap<'a> {
    ldap: Bind<'a>,
}

#[derive(Serialize)]
struct Bind<'a> {
    bind_password: &'a str,
}

#[derive(Serialize)]
struct Idm<'a> {
    service_user_passwords: Passwords<'a>,
    /// Not written by oCIS's `init`, which has no way to remember the variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    create_demo_users: Option<bool>,
}

#[derive(Serialize)]
struct Passwords<'a> {
    admin_password: &'a str,
    idm_password: &'a str,
    reva_password: &'a str,
    idp_password: &'a str,
}

#[derive(Serialize)]
struct Collaboration<'a> {
    wopi: Wopi<'a>,
    app: Insecure,
}

#[derive(Serialize)]
struct Wopi<'a> {
    secret: &'a str,
}

#[derive(Serialize)]
struct Proxy<'a> {
    oidc: Insecure,
    insecure_backends: bool,
    service_account: ServiceAccount<'a>,
    /// Only where the server initialised itself, so that clients can sign in at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_basic_auth: Option<bool>,
}

#[derive(Serialize)]
struct Frontend<'a> {
    app_handler: Insecure,
    archiver: Insecure,
    service_account: ServiceAccount<'a>,
}

#[derive(Serialize)]
struct AuthBasic<'a> {
    auth_providers: Ldap<'a>,
}

#[derive(Serialize)]
struct AuthBearer {
    auth_providers: Oidc,
}

#[derive(Serialize)]
struct Oidc {
    oidc: Insecure,
}

#[derive(Serialize)]
struct Accounts<'a> {
    drivers: Ldap<'a>,
}

#[derive(Serialize, Clone, Copy)]
struct Insecure {
    insecure: bool,
}

#[derive(Serialize, Clone, Copy)]
struct Events {
    tls_insecure: bool,
}

#[derive(Serialize)]
struct WithEvents {
    events: Events,
}

#[derive(Serialize)]
struct Account<'a> {
    service_account: ServiceAccount<'a>,
}

#[derive(Serialize, Clone, Copy)]
struct ServiceAccount<'a> {
    service_account_id: &'a str,
    service_account_secret: &'a str,
}

#[derive(Serialize)]
struct Thumbnails<'a> {
    thumbnail: Thumbnail<'a>,
}

#[derive(Serialize)]
struct Thumbnail<'a> {
    transfer_secret: &'a str,
    webdav_allow_insecure: bool,
    cs3_allow_insecure: bool,
}

#[derive(Serialize)]
struct Search<'a> {
    events: Events,
    service_account: ServiceAccount<'a>,
}

#[derive(Serialize)]
struct Settings<'a> {
    service_account_ids: [&'a str; 1],
    /// Set by the same variable as `idm.create_demo_users`.
    #[serde(skip_serializing_if = "Option::is_none")]
    set_default_assignments: Option<bool>,
}

#[derive(Serialize)]
struct StorageUsers<'a> {
    events: Events,
    mount_id: &'a str,
    service_account: ServiceAccount<'a>,
}

#[derive(Serialize)]
struct Notifications<'a> {
    notifications: WithEvents,
    service_account: ServiceAccount<'a>,
}

#[derive(Serialize)]
struct Nats {
    nats: NatsServer,
}

#[derive(Serialize)]
struct NatsServer {
    tls_skip_verify_client_cert: bool,
}

#[derive(Serialize)]
struct Gateway<'a> {
    storage_registry: StorageRegistry<'a>,
}

#[derive(Serialize)]
struct StorageRegistry<'a> {
    storage_users_mount_id: &'a str,
}

impl<'a> Document<'a> {
    /// The file for `values`; with `demo_users` also what `IDM_CREATE_DEMO_USERS` sets.
    #[allow(clippy::too_many_lines, reason = "one line a key of the file")]
    pub(super) fn new(values: &'a Values, insecure: bool, demo_users: bool) -> Self {
        let service_account = ServiceAccount {
            service_account_id: &values.service_account_id,
            service_account_secret: values.service_account_secret.expose(),
        };
        let account = || Account { service_account };
        let events = Events { tls_insecure: insecure };
        let insecure_key = Insecure { insecure };
        let reva = || Ldap { ldap: Bind { bind_password: values.reva_password.expose() } };
        Self {
            token_manager: TokenManager { jwt_secret: values.jwt_secret.expose() },
            machine_auth_api_key: values.machine_auth_api_key.expose(),
            system_user_api_key: values.system_user_api_key.expose(),
            transfer_secret: values.transfer_secret.expose(),
            system_user_id: &values.system_user_id,
            admin_user_id: &values.admin_user_id,
            graph: Graph {
                application: Application { id: &values.graph_application_id },
                events,
                spaces: insecure_key,
                identity: Ldap { ldap: Bind { bind_password: values.idm_password.expose() } },
                service_account,
            },
            idp: Ldap { ldap: Bind { bind_password: values.idp_password.expose() } },
            idm: Idm {
                service_user_passwords: Passwords {
                    admin_password: values.admin_password.expose(),
                    idm_password: values.idm_password.expose(),
                    reva_password: values.reva_password.expose(),
                    idp_password: values.idp_password.expose(),
                },
                create_demo_users: demo_users.then_some(true),
            },
            collaboration: Collaboration {
                wopi: Wopi { secret: values.collaboration_wopi_secret.expose() },
                app: insecure_key,
            },
            proxy: Proxy {
                oidc: insecure_key,
                insecure_backends: insecure,
                service_account,
                enable_basic_auth: None,
            },
            frontend: Frontend {
                app_handler: insecure_key,
                archiver: insecure_key,
                service_account,
            },
            auth_basic: AuthBasic { auth_providers: reva() },
            auth_bearer: AuthBearer { auth_providers: Oidc { oidc: insecure_key } },
            users: Accounts { drivers: reva() },
            groups: Accounts { drivers: reva() },
            ocdav: insecure_key,
            ocm: account(),
            thumbnails: Thumbnails {
                thumbnail: Thumbnail {
                    transfer_secret: values.thumbnails_transfer_secret.expose(),
                    webdav_allow_insecure: insecure,
                    cs3_allow_insecure: insecure,
                },
            },
            search: Search { events, service_account },
            audit: WithEvents { events },
            settings: Settings {
                service_account_ids: [&values.service_account_id],
                set_default_assignments: demo_users.then_some(true),
            },
            sharing: WithEvents { events },
            storage_users: StorageUsers {
                events,
                mount_id: &values.storage_users_mount_id,
                service_account,
            },
            notifications: Notifications { notifications: WithEvents { events }, service_account },
            nats: Nats { nats: NatsServer { tls_skip_verify_client_cert: insecure } },
            gateway: Gateway {
                storage_registry: StorageRegistry {
                    storage_users_mount_id: &values.storage_users_mount_id,
                },
            },
            userlog: account(),
            auth_service: account(),
            clientlog: account(),
            activitylog: account(),
        }
    }

    /// Lets clients sign in with user name and password at every request.
    pub(super) fn enable_basic_auth(&mut self) {
        self.proxy.enable_basic_auth = Some(true);
    }

    /// The text of the file.
    pub(super) fn to_yaml(&self) -> Result<String> {
        serde_yaml::to_string(self)
            .map_err(|error| Error::internal("the configuration cannot be written").because(error))
    }

    /// The file as a tree.
    pub(super) fn to_tree(&self) -> Result<serde_yaml::Value> {
        serde_yaml::to_value(self)
            .map_err(|error| Error::internal("the configuration cannot be written").because(error))
    }
}
