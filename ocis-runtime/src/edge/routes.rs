//! Which service answers a path: the proxy policy `ocis` of oCIS as a table.
//!
//! Query routes come first, then patterns, then prefixes; within a kind, those for one method come
//! first and the rest in the order of the table. What nothing matches belongs to the web interface.
//!
//! Unlike oCIS, patterns are anchored at the start of the path (there, a pattern that occurs
//! anywhere in the address is enough to skip authentication), and a prefix that ends in a slash
//! matches without it too (`/webdav`).

use std::borrow::Cow;
use std::collections::HashMap;

use http::Method;
use ocis_core::data::HttpService;
use percent_encoding::percent_decode_str;
use regex::Regex;

/// A route that the configuration gives, with the service that answers.
#[derive(Debug, Clone)]
pub struct GivenRoute {
    /// The one method that it is for.
    pub method: Option<Method>,
    /// How it is found.
    pub matches: GivenMatch,
    /// Whether no credentials are looked at.
    pub public: bool,
    /// The name of the service, as logs and metrics have it.
    pub service: &'static str,
    /// The service; none when this server does not have it.
    pub backend: Option<HttpService>,
}

/// How a route that the configuration gives is found.
#[derive(Debug, Clone)]
pub enum GivenMatch {
    /// The path starts with this. `/` is what nothing else fits.
    Prefix(String),
    /// The path starts with this, and each of these parameters has its value in the query.
    Query(String, Vec<(String, String)>),
    /// This is found in path and query, as in oCIS anywhere: it takes an anchor if it wants one.
    Regex(Regex),
}

/// Routes that the configuration gives.
#[derive(Debug, Clone, Default)]
pub struct GivenRoutes {
    /// Whether they stand in place of the table, and not behind it.
    pub replace: bool,
    /// The routes.
    pub routes: Vec<GivenRoute>,
}

/// One line of the table, with the service that answers.
pub(super) struct Route {
    method: Option<Cow<'static, str>>,
    pattern: Pattern,
    /// The name of the service.
    pub(super) service: &'static str,
    /// Whether no credentials are looked at.
    pub(super) public: bool,
    /// The service; none when this server does not have it.
    pub(super) backend: Option<HttpService>,
}

/// The table.
pub(super) struct Routes {
    routes: Vec<Route>,
    web: Route,
}

#[derive(Clone)]
enum Pattern {
    /// The path starts with this, and the query says `preview=1`.
    Preview(&'static str),
    /// A pattern, matched by hand.
    Matches(fn(&str) -> bool),
    /// The path starts with this.
    Prefix(&'static str),
    /// One of the configuration.
    Given(GivenMatch),
}

use Pattern::{Matches, Prefix, Preview};

type Line = (Option<&'static str>, Pattern, &'static str, Access);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Public,
    SignedIn,
}

use Access::{Public, SignedIn};

/// `reference/routes.md` section 1, in the order in which it is matched. Routes that a public token
/// opens as well (`/archiver`, `/app/open`, `/app/new`) need an account until there are links.
const TABLE: [Line; 33] = [
    (None, Preview("/remote.php/"), "webdav", SignedIn),
    (None, Preview("/dav/"), "webdav", SignedIn),
    (None, Preview("/webdav/"), "webdav", SignedIn),
    (Some("REPORT"), Matches(is_dav), "webdav", SignedIn),
    (Some("POST"), Matches(is_logout), "proxy", Public),
    (None, Matches(is_signing_key), "ocs", SignedIn),
    (None, Matches(is_ocs_config), "frontend", Public),
    (None, Prefix("/.well-known/ocm"), "ocm", Public),
    (None, Prefix("/.well-known/webfinger"), "webfinger", Public),
    (None, Prefix("/.well-known/openid-configuration"), "idp", Public),
    (None, Prefix("/branding/logo"), "web", SignedIn),
    (None, Prefix("/konnect/"), "idp", Public),
    (None, Prefix("/signin/"), "idp", Public),
    (None, Prefix("/archiver"), "frontend", SignedIn),
    (None, Prefix("/ocs/v2.php/apps/notifications/api/v1/notifications/sse"), "sse", SignedIn),
    (None, Prefix("/ocs/v2.php/apps/notifications/api/v1/notifications"), "userlog", SignedIn),
    (None, Prefix("/sciencemesh/"), "ocm", SignedIn),
    (None, Prefix("/ocm/"), "ocm", SignedIn),
    (None, Prefix("/ocs/"), "frontend", SignedIn),
    (None, Prefix("/remote.php/"), "ocdav", SignedIn),
    (None, Prefix("/dav/"), "ocdav", SignedIn),
    (None, Prefix("/webdav/"), "ocdav", SignedIn),
    (None, Prefix("/status"), "ocdav", Public),
    (None, Prefix("/index.php/"), "ocdav", SignedIn),
    (None, Prefix("/apps/"), "ocdav", SignedIn),
    (None, Prefix("/data"), "frontend", Public),
    (None, Prefix("/app/list"), "frontend", Public),
    (None, Prefix("/app/"), "frontend", SignedIn),
    (None, Prefix("/graph/v1beta1/extensions/org.libregraph/activities"), "activitylog", SignedIn),
    (None, Prefix("/graph/v1.0/invitations"), "invitations", SignedIn),
    (None, Prefix("/graph/"), "graph", SignedIn),
    (None, Prefix("/api/v0/settings"), "settings", SignedIn),
    (None, Prefix("/auth-app/tokens"), "auth-app", SignedIn),
];

/// Paths below which the service itself decides, whoever calls (`_publicPaths` of oCIS).
const PUBLIC_PATHS: [&str; 8] = [
    "/dav/public-files/",
    "/remote.php/dav/public-files/",
    "/dav/ocm/",
    "/remote.php/dav/ocm/",
    "/ocm/",
    "/ocs/v1.php/apps/files_sharing/api/v1/tokeninfo/unprotected",
    "/ocs/v2.php/apps/files_sharing/api/v1/tokeninfo/unprotected",
    "/ocs/v1.php/cloud/capabilities",
];

impl Routes {
    /// The table with the services of this server, and what the configuration gives.
    pub(super) fn new(backends: &HashMap<&'static str, HttpService>, given: GivenRoutes) -> Self {
        let route = |(method, pattern, service, access): Line| Route {
            method: method.map(Cow::Borrowed),
            pattern,
            service,
            public: access == Public,
            backend: backends.get(service).cloned(),
        };
        let table = (!given.replace).then(|| TABLE.map(route)).into_iter().flatten();
        let mut routes: Vec<Route> =
            table.chain(given.routes.into_iter().map(Route::from)).collect();
        routes.sort_by_key(|route| (route.pattern.rank(), route.method.is_none()));
        Self { routes, web: route((None, Prefix("/"), "web", Public)) }
    }

    /// The route of a request; `path` is decoded.
    pub(super) fn find(&self, method: &Method, path: &str, query: Option<&str>) -> &Route {
        let fits = |route: &&Route| {
            route.method.as_ref().is_none_or(|only| method == &**only)
                && route.pattern.fits(path, query)
        };
        self.routes.iter().find(fits).unwrap_or(&self.web)
    }
}

impl Route {
    /// Whether errors are told in WebDAV's XML.
    pub(super) fn is_dav(&self) -> bool {
        matches!(self.service, "ocdav" | "webdav")
    }

    /// Whether a client may present a ticket of the data plane there.
    pub(super) fn takes_tickets(&self) -> bool {
        match &self.pattern {
            Prefix(prefix) => *prefix == "/data",
            Pattern::Given(GivenMatch::Prefix(prefix)) => {
                self.service == "frontend" && prefix.starts_with("/data")
            }
            _ => false,
        }
    }
}

impl From<GivenRoute> for Route {
    fn from(given: GivenRoute) -> Self {
        Self {
            method: given.method.map(|method| Cow::Owned(method.to_string())),
            pattern: Pattern::Given(given.matches),
            service: given.service,
            public: given.public,
            backend: given.backend,
        }
    }
}

impl Pattern {
    /// When a pattern is looked at.
    fn rank(&self) -> u8 {
        match self {
            Self::Preview(_) | Self::Given(GivenMatch::Query(..)) => 0,
            Self::Matches(_) | Self::Given(GivenMatch::Regex(_)) => 1,
            Self::Given(GivenMatch::Prefix(prefix)) if prefix == "/" => 3,
            Self::Prefix(_) | Self::Given(GivenMatch::Prefix(_)) => 2,
        }
    }

    fn fits(&self, path: &str, query: Option<&str>) -> bool {
        match self {
            Self::Preview(prefix) => {
                query.is_some_and(asks_for_preview) && path.starts_with(prefix)
            }
            Self::Matches(matches) => matches(path),
            Self::Prefix(prefix) => starts(path, prefix),
            Self::Given(given) => given.fits(path, query),
        }
    }
}

impl GivenMatch {
    fn fits(&self, path: &str, query: Option<&str>) -> bool {
        match self {
            Self::Prefix(prefix) => starts(path, prefix),
            Self::Query(prefix, pairs) => {
                path.starts_with(prefix.as_str())
                    && pairs.iter().all(|(name, value)| {
                        query.and_then(|query| parameter(query, name)).as_ref() == Some(value)
                    })
            }
            Self::Regex(regex) => match query {
                Some(query) => regex.is_match(&format!("{path}?{query}")),
                None => regex.is_match(path),
            },
        }
    }

    /// The way in which `endpoint` is looked for with parameters: `/data/?raw=1`. None without
    /// parameters.
    pub fn query(endpoint: &str) -> Option<Self> {
        let (path, query) = endpoint.split_once('?')?;
        Some(Self::Query(path.to_owned(), parameters(query).collect()))
    }
}

/// A prefix that ends in a slash matches without it too.
fn starts(path: &str, prefix: &str) -> bool {
    path.starts_with(prefix) || prefix.strip_suffix('/').is_some_and(|bare| bare == path)
}

/// The names and values of a query.
fn parameters(query: &str) -> impl Iterator<Item = (String, String)> {
    let text = |text: &str| decoded(&text.replace('+', " ")).into_owned();
    query.split('&').map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (text(name), text(value))
    })
}

/// The first value of a parameter.
fn parameter(query: &str, wanted: &str) -> Option<String> {
    parameters(query).find(|(name, _)| name == wanted).map(|(_, value)| value)
}

/// The path as the table knows it.
pub(super) fn decoded(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8_lossy()
}

/// Whether the service behind `path` itself decides who may.
pub(super) fn is_public(path: &str) -> bool {
    PUBLIC_PATHS.iter().any(|public| path.starts_with(public))
}

/// The first `preview` of the query is `1`.
fn asks_for_preview(query: &str) -> bool {
    query.split('&').find_map(|pair| pair.strip_prefix("preview=")) == Some("1")
}

/// `(/remote.php)?/(web)?dav`
fn is_dav(path: &str) -> bool {
    let path = path.strip_prefix("/remote.php").unwrap_or(path);
    path.starts_with("/dav") || path.starts_with("/webdav")
}

/// Where an OpenID provider says that a session has ended.
fn is_logout(path: &str) -> bool {
    path == "/backchannel_logout"
}

/// `/ocs/v[12].php/cloud/user/signing-key`
fn is_signing_key(path: &str) -> bool {
    below_ocs(path).is_some_and(|rest| rest.starts_with("/cloud/user/signing-key"))
}

/// `/ocs/v[12].php/config`
fn is_ocs_config(path: &str) -> bool {
    below_ocs(path).is_some_and(|rest| rest.starts_with("/config"))
}

fn below_ocs(path: &str) -> Option<&str> {
    path.strip_prefix("/ocs/v1.php").or_else(|| path.strip_prefix("/ocs/v2.php"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service_of(method: &str, target: &str) -> (&'static str, bool) {
        let routes = Routes::new(&HashMap::new(), GivenRoutes::default());
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let path = decoded(path);
        let route = routes.find(&Method::from_bytes(method.as_bytes()).unwrap(), &path, query);
        (route.service, route.public || is_public(&path))
    }

    #[test]
    fn the_table_of_the_reference() {
        for (method, target, service, public) in [
            ("GET", "/", "web", true),
            ("GET", "/index.html", "web", true),
            ("GET", "/.well-known/openid-configuration", "idp", true),
            ("GET", "/.well-known/webfinger?resource=x", "webfinger", true),
            ("POST", "/branding/logo", "web", false),
            ("POST", "/konnect/v1/token", "idp", true),
            ("GET", "/ocs/v2.php/apps/notifications/api/v1/notifications/sse", "sse", false),
            ("GET", "/ocs/v2.php/apps/notifications/api/v1/notifications", "userlog", false),
            ("GET", "/ocs/v1.php/apps/notifications/api/v1/notifications", "frontend", false),
            ("GET", "/ocs/v1.php/cloud/user/signing-key", "ocs", false),
            ("GET", "/ocs/v2.php/config", "frontend", true),
            ("GET", "/ocs/v1.php/cloud/capabilities", "frontend", true),
            ("GET", "/ocs/v2.php/cloud/capabilities", "frontend", false),
            ("GET", "/ocs/v1.php/cloud/user", "frontend", false),
            ("POST", "/backchannel_logout", "proxy", true),
            ("GET", "/backchannel_logout", "web", true),
            ("POST", "/ocm/shares", "ocm", true),
            ("GET", "/remote.php/webdav/a.jpg?preview=1", "webdav", false),
            ("GET", "/remote.php/webdav/a.jpg?x=2&preview=1&y", "webdav", false),
            ("GET", "/remote.php/webdav/a.jpg?preview=0&preview=1", "ocdav", false),
            ("GET", "/remote.php/webdav/a.jpg?nopreview=1", "ocdav", false),
            ("REPORT", "/remote.php/dav/files/u", "webdav", false),
            ("REPORT", "/dav/spaces/x", "webdav", false),
            ("PROPFIND", "/remote.php/dav/files/u", "ocdav", false),
            ("PROPFIND", "/webdav", "ocdav", false),
            ("PROPFIND", "/%77ebdav/a", "ocdav", false),
            ("PROPFIND", "/dav/public-files/token", "ocdav", true),
            ("GET", "/status.php", "ocdav", true),
            ("GET", "/status", "ocdav", true),
            ("PATCH", "/data/token", "frontend", true),
            ("GET", "/app/list", "frontend", true),
            ("POST", "/app/new", "frontend", false),
            ("GET", "/apps/files/x", "ocdav", false),
            ("GET", "/graph/v1beta1/extensions/org.libregraph/activities", "activitylog", false),
            ("POST", "/graph/v1.0/invitations", "invitations", false),
            ("GET", "/graph/v1.0/me", "graph", false),
            ("POST", "/api/v0/settings/roles-list", "settings", false),
            ("GET", "/auth-app/tokens", "auth-app", false),
        ] {
            assert_eq!(service_of(method, target), (service, public), "{method} {target}");
        }
    }

    fn given(matches: GivenMatch, service: &'static str) -> GivenRoute {
        GivenRoute { method: None, matches, public: false, service, backend: None }
    }

    #[test]
    fn given_routes_come_after_the_table_and_by_their_kind() {
        let prefix = |text: &str, service| given(GivenMatch::Prefix(text.to_owned()), service);
        let routes = vec![
            prefix("/ext/", "general"),
            GivenRoute { method: Some(Method::PUT), ..prefix("/ext/", "put") },
            given(GivenMatch::Regex(Regex::new("^/ext/[0-9]+$").unwrap()), "number"),
            given(GivenMatch::query("/ext/?raw=a%20b").unwrap(), "raw"),
            prefix("/graph/v1.0/mine", "mine"),
            prefix("/", "root"),
        ];
        let found = |replace: bool, method: Method, path: &str, query: Option<&str>| {
            let given = GivenRoutes { replace, routes: routes.clone() };
            Routes::new(&HashMap::new(), given).find(&method, path, query).service
        };
        for (path, query, service) in [
            ("/ext", None, "general"),
            ("/ext/x", Some("raw=b"), "general"),
            ("/ext/x", Some("y&raw=a+b"), "raw"),
            ("/ext/17", None, "number"),
            ("/ext/17", Some("x"), "general"),
            ("/graph/v1.0/mine", None, "graph"),
            ("/other", None, "root"),
        ] {
            assert_eq!(found(false, Method::GET, path, query), service, "{path} {query:?}");
        }
        assert_eq!(found(false, Method::PUT, "/ext/x", None), "put");
        assert_eq!(found(true, Method::GET, "/graph/v1.0/mine", None), "mine");
        assert_eq!(found(true, Method::GET, "/webdav/", None), "root");
    }

    #[test]
    fn a_pattern_further_along_opens_nothing() {
        for target in [
            "/graph/v1.0/me?x=/ocs/v1.php/config",
            "/graph/ocs/v1.php/config",
            "/remote.php/webdav/dav/public-files/",
            "/ocs/v1.phpx/config",
        ] {
            assert!(!service_of("GET", target).1, "{target}");
        }
    }
}
