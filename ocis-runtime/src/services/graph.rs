//! graph: accounts, groups, roles and drives. What else libre.graph has comes later.

use std::sync::Arc;

use ocis_auth::read_only::ReadOnly;
use ocis_core::port::{EventBus, Late, Provisioning};
use ocis_core::{Error, Result};
use ocis_graph::{Graph as Endpoints, GraphOptions, GraphParts};

use super::accounts::Source;
use super::idm::DIRECTORY;
use crate::bus::PatientBus;
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// libre.graph.
#[derive(Debug)]
pub struct Graph;

impl Service for Graph {
    const NAME: &'static str = "graph";
    // No need of "events": a server without a bus, or with one elsewhere, manages accounts too.
    const NEEDS: &'static [Slot] = &[
        Slot::Plain(Port::Spaces),
        Slot::Plain(Port::Grants),
        Slot::Plain(Port::Nodes),
        Slot::Plain(Port::Uploads),
        Slot::Plain(Port::Data),
        Slot::Plain(Port::Users),
        Slot::Plain(Port::Groups),
        Slot::Plain(Port::Roles),
        Slot::Plain(Port::Settings),
        Slot::Plain(Port::Authenticate),
    ];
    const OFFERS: &'static [Slot] = &[Slot::Plain(Port::Provisioning)];
    type Config = settings::Graph;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let source = Source::new(peers, config.directory())?;
        let embedded: Arc<dyn Provisioning> = match config.write_enabled {
            true => Arc::new(peers.keyed_provisioning().handle(DIRECTORY)),
            false => Arc::new(ReadOnly),
        };
        let provisioning = Late::<dyn Provisioning>::unbound();
        let bound = provisioning.clone();
        let mut unit = Unit::new()
            .offers(Offer::Provisioning(Arc::new(provisioning.clone())))
            .starts(move || async move {
                match source.ldap() {
                    Some(ldap) => bound.bind(ldap),
                    None => bound.bind(embedded),
                }
                Ok(())
            });
        let mut events: Option<Arc<dyn EventBus>> = None;
        if config.makes_events() {
            let bus = Arc::new(PatientBus::new(peers.events()));
            let waiting = Arc::clone(&bus);
            unit = unit.runs("events", move |stop| waiting.hand_over(stop));
            events = Some(bus);
        }
        Ok(unit.answers(Endpoints::new(GraphParts {
            spaces: peers.spaces(),
            grants: peers.grants(),
            nodes: peers.nodes(),
            uploads: peers.uploads(),
            data: peers.data(),
            users: peers.users(),
            groups: peers.groups(),
            provisioning: Arc::new(provisioning),
            roles: peers.roles(),
            settings: peers.settings(),
            authenticate: peers.authenticate(),
            events,
            role_quotas: peers.role_quotas(),
            options: options(config)?,
        })))
    }
}

fn options(config: settings::Graph) -> Result<GraphOptions> {
    Ok(GraphOptions {
        url: config.webdav_base.as_str().to_owned(),
        webdav_path: config.webdav_path,
        language: config.default_language,
        application_id: config.application_id,
        application_name: config.application_display_name,
        restrict_usernames: restricts(&config.username_match)?,
        assign_default_role: config.assign_default_user_role,
        available_roles: config.available_roles,
        search_min_length: config.identity_search_min_length,
        show_mail: config.show_email_in_results,
        members_patch_limit: config.group_members_patch_limit,
        default_quota: (config.default_quota.0 > 0).then_some(config.default_quota.0),
    })
}

fn restricts(username_match: &str) -> Result<bool> {
    match username_match {
        "default" => Ok(true),
        "none" => Ok(false),
        other => Err(Error::invalid(format!(
            "GRAPH_USERNAME_MATCH is \"{other}\"; right would be default or none"
        ))),
    }
}
