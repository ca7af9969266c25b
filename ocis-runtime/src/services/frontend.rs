//! frontend: what clients ask over OCS before they sync, and where their resumable uploads go on.
//! Sharing, archives and opening files in applications come later.

use http::Request;
use ocis_core::checksum::ChecksumKind;
use ocis_core::data::{Body, HttpService};
use ocis_core::{Error, Result};
use ocis_ocs::capabilities::{Features, SpacesFeature, TusFeature};
use ocis_ocs::{Ocs, OcsParts, Product};
use ocis_webdav::DataGateway;
use tower::ServiceExt as _;

use crate::peers::{Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// OCS and the data gateway.
#[derive(Debug)]
pub struct Frontend;

impl Service for Frontend {
    const NAME: &'static str = "frontend";
    const NEEDS: &'static [Slot] = &[Slot::Plain(Port::Spaces), Slot::Plain(Port::Data)];
    type Config = settings::Frontend;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let features = Features {
            checksums: checksums(&config)?,
            spaces: Some(SpacesFeature { max_quota: config.max_quota.0, ..Default::default() }),
            tus: Some(TusFeature {
                max_chunk_size: config.upload_max_chunk_size.0,
                method_override: config.upload_http_method_override,
            }),
            trash: true,
            versions: true,
            manage_users: config.users_write_enabled,
            change_password: config.users_write_enabled,
            ..Features::default()
        };
        let ocs = Ocs::new(OcsParts {
            spaces: peers.spaces(),
            features,
            url: config.public_url.as_str().trim_end_matches('/').to_owned(),
            product: Product { version: crate::VERSION.to_owned(), edition: config.edition },
        });
        let data = DataGateway::new(peers.data());
        Ok(Unit::new().answers(HttpService::new(tower::service_fn(
            move |request: Request<Body>| {
                let is_data = request.uri().path().starts_with("/data");
                if is_data { data.clone() } else { ocs.clone() }.oneshot(request)
            },
        ))))
    }
}

/// The kinds of checksums that clients may send, the preferred one first.
fn checksums(config: &settings::Frontend) -> Result<Vec<ChecksumKind>> {
    let mut kinds = Vec::new();
    for name in std::iter::once(&config.preferred_checksum).chain(&config.checksums) {
        let known = [ChecksumKind::Sha1, ChecksumKind::Md5, ChecksumKind::Adler32];
        let kind = known.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name));
        let kind = kind.ok_or_else(|| {
            Error::invalid(format!(
                "frontend: \"{name}\" is no kind of checksum; right would be sha1, md5 or adler32 \
                 (FRONTEND_CHECKSUMS_SUPPORTED_TYPES, FRONTEND_CHECKSUMS_PREFERRED_UPLOAD_TYPE)"
            ))
        })?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}
