//! graph: who the caller is and which drives they have. Everything else of libre.graph comes later.

use std::sync::Arc;

use ocis_core::Result;
use ocis_core::port::{Late, Provisioning};
use ocis_graph::{Graph as Endpoints, GraphParts};

use super::accounts::Source;
use super::idm::DIRECTORY;
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// libre.graph.
#[derive(Debug)]
pub struct Graph;

impl Service for Graph {
    const NAME: &'static str = "graph";
    const NEEDS: &'static [Slot] =
        &[Slot::Plain(Port::Spaces), Slot::Plain(Port::Users), Slot::Plain(Port::Groups)];
    const OFFERS: &'static [Slot] = &[Slot::Plain(Port::Provisioning)];
    type Config = settings::Graph;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let source = Source::new(peers, config.directory())?;
        let embedded = peers.keyed_provisioning().handle(DIRECTORY);
        let provisioning = Late::<dyn Provisioning>::unbound();
        let bound = provisioning.clone();
        let unit = Unit::new().offers(Offer::Provisioning(Arc::new(provisioning))).starts(
            move || async move {
                match source.ldap() {
                    Some(ldap) => bound.bind(ldap),
                    None => bound.bind(Arc::new(embedded)),
                }
                Ok(())
            },
        );
        Ok(unit.answers(Endpoints::new(GraphParts {
            spaces: peers.spaces(),
            users: peers.users(),
            groups: peers.groups(),
            url: config.webdav_base.as_str().to_owned(),
            language: config.default_language,
        })))
    }
}
