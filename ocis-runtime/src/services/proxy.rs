//! proxy: the public listener, and behind it the edge that authenticates and routes.

mod openid;
mod policies;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Method;
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Error, Result};
use rustls::ServerConfig;
use tracing::warn;

use crate::edge::openid::{backchannel_logout, rewriting_well_known};
use crate::edge::{Edge, EdgeParts, Scheme, SignedUrls};
use crate::http::{Limits, PublicSettings, public, serve, tls};
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Listener, Service, Unit};
use crate::settings;
use crate::settings::openid::RoleDriver;

/// The services that a route leads to (`reference/routes.md` section 1).
const BACKENDS: [&str; 13] = [
    "auth-app",
    "frontend",
    "graph",
    "idp",
    "ocdav",
    "ocm",
    "ocs",
    "settings",
    "sse",
    "userlog",
    "web",
    "webdav",
    "webfinger",
];

/// How long an answer is of use to a client: longer than any of them waits.
const DEADLINE: Duration = Duration::from_secs(24 * 3600);

/// The public listener.
#[derive(Debug)]
pub struct Proxy;

impl Service for Proxy {
    const NAME: &'static str = "proxy";
    const NEEDS: &'static [Slot] = &[
        Slot::Plain(Port::Authenticate),
        Slot::Plain(Port::KeyValue),
        Slot::Plain(Port::Roles),
        Slot::Plain(Port::Spaces),
        Slot::Plain(Port::Users),
    ];
    const OFFERS: &'static [Slot] = &[Slot::Key(Port::Authenticate, "bearer")];
    type Config = settings::Proxy;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let url = config.ocis_url.as_str().trim_end_matches('/').to_owned();
        let quotas = config.role_quotas.iter().map(|(role, quota)| (role.clone(), quota.0));
        let role_quotas: HashMap<_, _> = quotas.collect();
        // Built again, the proxy has the same settings.
        let _ = peers.role_quotas().set(role_quotas.clone());
        let bearer = openid::bearer(&config, peers)?;
        let mut backends: HashMap<_, _> =
            BACKENDS.map(|name| (name, peers.http(name))).into_iter().collect();
        backends.insert(Self::NAME, backchannel_logout(Arc::clone(&bearer)));
        if config.oidc_rewrite_well_known {
            let idp = rewriting_well_known(peers.http("idp"), Arc::clone(&bearer));
            backends.insert("idp", idp);
        }
        let (given_routes, foreign) = policies::routes(&config, peers)?;
        let edge = Edge::new(EdgeParts {
            authenticate: peers.authenticate(),
            roles: peers.roles(),
            roles_of_provider: config.role_assignment_driver == RoleDriver::Oidc,
            spaces: peers.spaces(),
            backends,
            given_routes,
            schemes: schemes(&config, &url)?,
            url: url.clone(),
            clock: Arc::new(SystemClock),
            deadline: DEADLINE,
            role_quotas,
            trusted_proxies: config.trusted_proxies.clone(),
        });
        let certificate = Arc::new(OnceLock::new());
        let used = Arc::clone(&certificate);
        let listener = Listener {
            address: config.http_addr.as_str().to_owned(),
            variable: "PROXY_HTTP_ADDR",
            service: public(Self::NAME, edge, PublicSettings::for_url(&url))?,
            serve: Arc::new(move |socket, service, stop| {
                let tls = used.get().cloned().flatten();
                Box::pin(async move {
                    serve(socket, tls, service, Limits::default(), stop).await;
                    Ok(())
                })
            }),
        };
        let unit = Unit::new().offers_as("bearer", Offer::Authenticate(bearer));
        Ok(unit.listens(listener).starts(move || async move {
            if config.enable_basic_auth {
                warn!(
                    service = Self::NAME,
                    "basic auth enabled, use only for testing or development"
                );
            }
            let load = tokio::task::spawn_blocking(move || {
                foreign.as_ref().map_or(Ok(()), |foreign| foreign.prepare())?;
                server_config(&config)
            })
            .await;
            let loaded =
                load.map_err(|error| Error::internal("no certificate").because(error))??;
            // Set once: the closure that sets it runs once.
            let _ = certificate.set(loaded);
            Ok(())
        }))
    }
}

/// What is accepted as credentials. App tokens come before passwords: what has not the form of a
/// token is passed on, and a password is slow to refuse.
fn schemes(config: &settings::Proxy, url: &str) -> Result<Vec<Scheme>> {
    let mut schemes = vec![Scheme::Bearer];
    if config.enable_app_auth {
        schemes.push(Scheme::AppToken);
    }
    if config.enable_basic_auth {
        schemes.push(Scheme::Basic);
    }
    if config.enable_presigned_urls {
        let methods = config.presigned_url_methods.iter().map(|name| {
            Method::from_bytes(name.to_ascii_uppercase().as_bytes()).map_err(|_| {
                Error::invalid(format!(
                    "proxy.pre_signed_url.allowed_http_methods names {name:?}, which is no method; \
                     right would be GET"
                ))
            })
        });
        schemes.push(Scheme::SignedUrl(SignedUrls::new(methods.collect::<Result<_>>()?, url)));
    }
    Ok(schemes)
}

/// The certificate of the listener, which is made when it is missing at its default place; none for
/// plain HTTP. Blocks.
fn server_config(config: &settings::Proxy) -> Result<Option<Arc<ServerConfig>>> {
    if !config.tls {
        return Ok(None);
    }
    let (certificate, key) = (config.tls_cert.as_path(), config.tls_key.as_path());
    let now = SystemClock.now();
    if is_default(certificate, "proxy/server.crt") && is_default(key, "proxy/server.key") {
        let names = tls::names_of_machine(Some(&config.ocis_url.host()));
        return tls::load_or_make(certificate, key, &names, now).map(Some);
    }
    tls::load(certificate, key, now).map(Some)
}

pub(super) fn is_default(path: &Path, end: &str) -> bool {
    path.ends_with(end)
}
