//! graph: who the caller is and which drives they have. Everything else of libre.graph comes later.

use ocis_core::Result;
use ocis_graph::{Graph as Endpoints, GraphParts};

use crate::peers::{Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// libre.graph.
#[derive(Debug)]
pub struct Graph;

impl Service for Graph {
    const NAME: &'static str = "graph";
    const NEEDS: &'static [Slot] =
        &[Slot::Plain(Port::Spaces), Slot::Plain(Port::Users), Slot::Plain(Port::Groups)];
    type Config = settings::Graph;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        Ok(Unit::new().answers(Endpoints::new(GraphParts {
            spaces: peers.spaces(),
            users: peers.users(),
            groups: peers.groups(),
            url: config.webdav_base.as_str().to_owned(),
            language: config.default_language,
        })))
    }
}
