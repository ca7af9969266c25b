//! ocdav: WebDAV, the beginning of resumable uploads, and `/status.php`.

use ocis_core::Result;
use ocis_webdav::{Dav, DavOptions, DavParts};

use crate::peers::{Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// WebDAV.
#[derive(Debug)]
pub struct Ocdav;

impl Service for Ocdav {
    const NAME: &'static str = "ocdav";
    const NEEDS: &'static [Slot] = &[
        Slot::Plain(Port::Nodes),
        Slot::Plain(Port::Spaces),
        Slot::Plain(Port::Uploads),
        Slot::Plain(Port::UploadSessions),
        Slot::Plain(Port::Data),
        Slot::Plain(Port::Trash),
        Slot::Plain(Port::Versions),
        Slot::Plain(Port::Users),
    ];
    type Config = settings::Ocdav;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let options = DavOptions {
            allow_depth_infinity: config.allow_propfind_depth_infinity,
            url: config.public_url.as_str().trim_end_matches('/').to_owned(),
            edition: config.edition,
            product_version: crate::VERSION.to_owned(),
            ..DavOptions::default()
        };
        Ok(Unit::new().answers(Dav::new(DavParts {
            nodes: peers.nodes(),
            spaces: peers.spaces(),
            uploads: peers.uploads(),
            sessions: peers.sessions(),
            trash: peers.trash(),
            versions: peers.versions(),
            users: peers.users(),
            data: peers.data(),
            options,
        })))
    }
}
