//! The routes that the configuration gives, with what answers them.

use std::path::PathBuf;
use std::sync::Arc;

use http::Method;
use ocis_auth::token::Minter;
use ocis_core::{Error, Result};
use regex::Regex;

use super::BACKENDS;
use crate::edge::backend::{BackendOptions, Backends, Target};
use crate::edge::{GivenMatch, GivenRoute, GivenRoutes};
use crate::peers::Peers;
use crate::settings;
use crate::settings::policies::{Policy, PolicyRoute, RouteKind};

/// The name of the policy that is the table of this server.
const OWN: &str = "ocis";

/// What services of others are called in logs and metrics.
const FOREIGN: &str = "backend";

/// The routes, and what reaches the services of others, if there are any.
pub(super) fn routes(
    config: &settings::Proxy,
    peers: &Peers,
) -> Result<(GivenRoutes, Option<Arc<Backends>>)> {
    let given = config.policies.0.as_slice();
    let first = given.first().map_or(OWN, |policy| policy.name.as_str());
    let name = if config.policy.is_empty() { first } else { config.policy.as_str() };
    // oCIS reads additional ones only where there are none in place of its own.
    let additional = given.is_empty().then_some(config.additional_policies.0.as_slice());
    let all = given.iter().chain(additional.into_iter().flatten());
    let chosen: Vec<&Policy> = all.filter(|policy| policy.name == name).collect();
    let replace = !(given.is_empty() && name == OWN);
    if replace && chosen.is_empty() {
        return Err(Error::invalid(format!(
            "proxy.policy_selector.static.policy is {name:?}, and there is no such policy"
        )));
    }
    let routes: Vec<&PolicyRoute> = chosen.iter().flat_map(|policy| &policy.routes).collect();
    let foreign = match routes.iter().any(|route| route.service.is_empty()) {
        true => Some(backends(config)?),
        false => None,
    };
    let routes = routes.into_iter().map(|given| route(given, peers, foreign.as_ref()));
    Ok((GivenRoutes { replace, routes: routes.collect::<Result<_>>()? }, foreign))
}

fn backends(config: &settings::Proxy) -> Result<Arc<Backends>> {
    let options = BackendOptions {
        insecure: config.insecure_backends,
        ca_cert: Some(&config.backend_ca).filter(|file| !file.is_empty()).map(PathBuf::from),
        https: config.ocis_url.as_str().starts_with("https:"),
    };
    Ok(Backends::new(Minter::new(&config.jwt_secret)?, options))
}

fn route(
    given: &PolicyRoute,
    peers: &Peers,
    foreign: Option<&Arc<Backends>>,
) -> Result<GivenRoute> {
    let endpoint = given.endpoint.as_str();
    let wrong = |what: String| Error::invalid(format!("the route {endpoint:?} of proxy {what}"));
    let matches = match given.kind {
        RouteKind::Prefix if endpoint.starts_with('/') => GivenMatch::Prefix(endpoint.to_owned()),
        RouteKind::Prefix => return Err(wrong("must begin with a slash".to_owned())),
        RouteKind::Query => GivenMatch::query(endpoint).ok_or_else(|| {
            wrong("has no parameters; right would be /path?name=value".to_owned())
        })?,
        RouteKind::Regex => GivenMatch::Regex(
            Regex::new(endpoint).map_err(|error| wrong(format!("is no expression: {error}")))?,
        ),
    };
    let method = match given.method.as_str() {
        "" => None,
        name => Some(Method::from_bytes(name.as_bytes()).map_err(|_| {
            wrong(format!("is for the method {name:?}, which is none; right would be GET"))
        })?),
    };
    let (service, backend) = match (given.service.as_str(), foreign) {
        ("", Some(foreign)) if !given.backend.is_empty() => {
            let target = Target::new(&given.backend, given.apache_vhost)?;
            (FOREIGN, foreign.service(target))
        }
        ("", _) => return Err(wrong("has neither backend nor service".to_owned())),
        (name, _) => {
            let own = own(name);
            let name = own.ok_or_else(|| {
                wrong(format!(
                    "leads to the service {name:?}, which this server does not have; a service \
                     elsewhere is given by its URL, as backend"
                ))
            })?;
            (name, peers.http(name))
        }
    };
    Ok(GivenRoute { method, matches, public: given.unprotected, service, backend: Some(backend) })
}

/// The service of this server with a name of oCIS's (`com.owncloud.web.ocdav`,
/// `com.owncloud.graph.graph`, `com.owncloud.api.settings`).
fn own(name: &str) -> Option<&'static str> {
    let last = name.strip_prefix("com.owncloud.")?.rsplit('.').next()?;
    BACKENDS.into_iter().find(|known| *known == last)
}

#[cfg(test)]
mod tests {
    use ocis_core::config::Section as _;
    use ocis_core::config::source::Memory;

    use super::*;

    /// What becomes of a configuration: whether it replaces the table, and each route.
    fn given(yaml: &str) -> Result<(bool, Vec<String>)> {
        let needed = [
            "OCIS_JWT_SECRET",
            "OCIS_MACHINE_AUTH_API_KEY",
            "OCIS_SERVICE_ACCOUNT_ID",
            "OCIS_SERVICE_ACCOUNT_SECRET",
        ];
        let source =
            needed.iter().fold(Memory::new(), |source, name| source.var(name, "of a test"));
        let source = source.yaml("proxy.yaml", yaml);
        let loaded = settings::Loaded::service(&source, "proxy").unwrap();
        let config = settings::Proxy::load(&loaded.layers).unwrap();
        let (given, foreign) = routes(&config, &Peers::new())?;
        let told = given.routes.iter().map(|route| {
            let method = route.method.as_ref().map_or("*", Method::as_str);
            let at = match &route.matches {
                GivenMatch::Prefix(prefix) => format!("prefix {prefix}"),
                GivenMatch::Query(path, pairs) => format!("query {path} {pairs:?}"),
                GivenMatch::Regex(regex) => format!("regex {regex}"),
            };
            let door = if route.public { "open" } else { "shut" };
            format!("{method} {at} {door} {}", route.service)
        });
        let told: Vec<_> = told.collect();
        assert_eq!(foreign.is_some(), told.iter().any(|route| route.ends_with(FOREIGN)));
        Ok((given.replace, told))
    }

    const ROUTES: &str = "
    - { endpoint: /ext/, backend: 'http://localhost:9300' }
    - { endpoint: /open/, backend: 'http://localhost:9300', unprotected: true }
    - { type: query, endpoint: '/q?a=b', method: GET, service: com.owncloud.web.ocdav }
    - { type: regex, endpoint: '^/r[0-9]', service: com.owncloud.graph.graph }
";

    #[test]
    fn routes_are_found_and_guarded_as_they_say() {
        let (replaces, told) =
            given(&format!("additional_policies:\n- name: ocis\n  routes:{ROUTES}")).unwrap();
        assert!(!replaces);
        let expected = [
            "* prefix /ext/ shut backend",
            "* prefix /open/ open backend",
            "GET query /q [(\"a\", \"b\")] shut ocdav",
            "* regex ^/r[0-9] shut graph",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn one_policy_counts_and_additional_ones_only_where_there_are_no_others() {
        let policy = |name: &str, path: &str| {
            format!("- {{ name: {name}, routes: [{{ endpoint: {path}, backend: 'http://a' }}] }}\n")
        };
        let additional = format!(
            "additional_policies:\n{}{}",
            policy("ocis", "/additional/"),
            policy("other", "/other/")
        );
        let policies =
            format!("policies:\n{}{}", policy("first", "/first/"), policy("ocis", "/second/"));
        let selector = "policy_selector: { static: { policy: other } }\n";
        let one = |path: &str| vec![format!("* prefix {path} shut {FOREIGN}")];
        assert_eq!(given("").unwrap(), (false, Vec::new()));
        assert_eq!(given(&additional).unwrap(), (false, one("/additional/")));
        assert_eq!(given(&(additional.clone() + selector)).unwrap(), (true, one("/other/")));
        assert_eq!(given(&policies).unwrap(), (true, one("/first/")));
        assert_eq!(given(&(policies.clone() + &additional)).unwrap(), (true, one("/first/")));
        let none = given(&(policies + &additional + selector)).unwrap_err();
        assert!(none.to_string().contains("\"other\""), "{none}");
    }

    #[test]
    fn a_route_that_leads_nowhere_is_told() {
        for (route, told) in [
            ("endpoint: ext, backend: 'http://a'", "begin with a slash"),
            ("endpoint: /a", "neither backend nor service"),
            ("endpoint: /a, service: com.owncloud.web.none", "com.owncloud.web.none"),
            ("endpoint: /a, backend: 'localhost:1'", "no address"),
            ("endpoint: /a, backend: 'http://a', method: 'G T'", "G T"),
            ("type: query, endpoint: /a, backend: 'http://a'", "no parameters"),
            ("type: regex, endpoint: '(', backend: 'http://a'", "no expression"),
        ] {
            let yaml =
                format!("additional_policies:\n- {{ name: ocis, routes: [{{ {route} }}] }}\n");
            let error = given(&yaml).unwrap_err().to_string();
            assert!(error.contains(told), "{route}: {error}");
        }
    }

    #[test]
    fn services_by_the_names_of_ocis() {
        assert_eq!(own("com.owncloud.web.ocdav"), Some("ocdav"));
        assert_eq!(own("com.owncloud.graph.graph"), Some("graph"));
        assert_eq!(own("com.owncloud.web.auth-app"), Some("auth-app"));
        assert_eq!(own("com.example.web.ocdav"), None);
        assert_eq!(own("com.owncloud.web.more"), None);
    }
}
