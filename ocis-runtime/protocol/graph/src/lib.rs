//! libre.graph: the JSON interface by which clients learn who they are, which drives they have, and
//! by which accounts, groups and roles are managed.
//!
//! Which path means what stands in `route`, the part of OData that is understood in `query` and
//! `filter`, the errors in `error`. What oCIS serves beyond it is refused with 501 and the code
//! `notSupported`, what nobody serves with 404. Who may do what is decided behind the ports, but for
//! what an account may ask about others, which is a rule of this interface.

mod account;
mod applications;
mod assignments;
mod body;
mod drives;
mod error;
mod filter;
mod groups;
mod language;
mod me;
mod password;
mod query;
mod route;
mod unified_roles;
mod users;

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, OnceLock};

use ocis_core::data::HttpService;
use ocis_core::port::{
    Authenticate, EventBus, Grants, Groups, Nodes, Provisioning, Roles, Settings, Spaces, Uploads,
    Users,
};
use ocis_core::user::UserRole;

/// What the endpoints are made of.
#[derive(Clone)]
pub struct GraphParts {
    /// The spaces, which are called drives here.
    pub spaces: Arc<dyn Spaces>,
    /// Who is a member of them.
    pub grants: Arc<dyn Grants>,
    /// The files in them, of which pictures and descriptions of spaces are shown with them.
    pub nodes: Arc<dyn Nodes>,
    /// Uploads of what a new space begins with.
    pub uploads: Arc<dyn Uploads>,
    /// Where the bytes of those go ([`ocis_core::data`]).
    pub data: HttpService,
    /// The accounts.
    pub users: Arc<dyn Users>,
    /// The groups of accounts.
    pub groups: Arc<dyn Groups>,
    /// Changes of both.
    pub provisioning: Arc<dyn Provisioning>,
    /// The roles of accounts. What needs them answers 503 while nobody keeps them.
    pub roles: Arc<dyn Roles>,
    /// What accounts chose, of which the language is shown and changed.
    pub settings: Arc<dyn Settings>,
    /// Checks the current password of who wants another one.
    pub authenticate: Arc<dyn Authenticate>,
    /// Is told what was changed; none where nobody wants to know.
    pub events: Option<Arc<dyn EventBus>>,
    /// How many bytes the personal space of an account may hold, by the id of its role; a role that
    /// is not named has what the storage gives. It is what the proxy has in its settings
    /// (`role_quotas`), and therefore only known once that was built, in the same process.
    pub role_quotas: Arc<OnceLock<HashMap<String, u64>>>,
    /// How the endpoints behave.
    pub options: GraphOptions,
}

/// How the endpoints behave.
#[derive(Debug, Clone)]
pub struct GraphOptions {
    /// The public address of the server, `OCIS_URL`.
    pub url: String,
    /// The path below it that the WebDAV addresses of drives begin with.
    pub webdav_path: String,
    /// The language of who has not chosen one, `OCIS_DEFAULT_LANGUAGE`; empty means `en`, as in
    /// oCIS.
    pub language: String,
    /// The id of the application whose roles accounts have.
    pub application_id: String,
    /// Its name.
    pub application_name: String,
    /// Whether the names of accounts are limited to what can stand before the `@` of a mail address.
    pub restrict_usernames: bool,
    /// Whether a new account gets the role `User`.
    pub assign_default_role: bool,
    /// The ids of the roles that can be given in spaces and to what is shared.
    pub available_roles: Vec<String>,
    /// How many characters somebody must search for who does not manage accounts.
    pub search_min_length: usize,
    /// Whether everybody sees everybody's mail address.
    pub show_mail: bool,
    /// How many members can be added to a group at once.
    pub members_patch_limit: usize,
    /// The bytes that a new project space may hold, where nothing else is asked for; none for
    /// without limit.
    pub default_quota: Option<u64>,
}

impl GraphOptions {
    /// The WebDAV address of a drive, or of a node in it (`<id>/<path>`, escaped).
    fn webdav_url(&self, below: &str) -> String {
        match self.webdav_path.trim_matches('/') {
            "" => format!("{}/{below}", self.url),
            path => format!("{}/{path}/{below}", self.url),
        }
    }
}

impl Default for GraphOptions {
    /// As oCIS has them, for a server on this machine.
    fn default() -> Self {
        Self {
            url: "https://localhost:9200".into(),
            webdav_path: "/dav/spaces/".into(),
            language: String::new(),
            application_id: String::new(),
            application_name: "ownCloud Infinite Scale".into(),
            restrict_usernames: true,
            assign_default_role: true,
            available_roles: unified_roles::USED.map(str::to_owned).to_vec(),
            search_min_length: 3,
            show_mail: false,
            members_patch_limit: 20,
            default_quota: Some(1_000_000_000),
        }
    }
}

/// The endpoints below `/graph`.
#[derive(Debug)]
pub struct Graph;

impl Graph {
    /// The endpoints as an HTTP service. It takes the whole path of a request, and the caller from
    /// the request's extension [`ocis_core::Cx`].
    #[allow(clippy::new_ret_no_self, reason = "what is wanted of the endpoints is the service")]
    pub fn new(mut parts: GraphParts) -> HttpService {
        let options = &mut parts.options;
        options.url.truncate(options.url.trim_end_matches('/').len());
        if options.language.is_empty() {
            options.language = "en".into();
        }
        let parts = Arc::new(parts);
        HttpService::new(tower::service_fn(move |request: http::Request<_>| {
            let parts = Arc::clone(&parts);
            async move { Ok::<_, Infallible>(route::answer(&parts, request).await) }
        }))
    }
}

impl GraphParts {
    /// The quota of the personal space of somebody with this role; none for that of the storage.
    fn personal_quota(&self, role: UserRole) -> Option<u64> {
        self.role_quotas.get()?.get(role.id()).copied()
    }
}

impl fmt::Debug for GraphParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphParts").field("options", &self.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
