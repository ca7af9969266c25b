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
    use super::*;

    #[test]
    fn services_by_the_names_of_ocis() {
        assert_eq!(own("com.owncloud.web.ocdav"), Some("ocdav"));
        assert_eq!(own("com.owncloud.graph.graph"), Some("graph"));
        assert_eq!(own("com.owncloud.web.auth-app"), Some("auth-app"));
        assert_eq!(own("com.example.web.ocdav"), None);
        assert_eq!(own("com.owncloud.web.more"), None);
    }
}
