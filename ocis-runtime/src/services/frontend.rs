//! frontend: what clients ask over OCS before they sync. Sharing, archives and opening files in
//! applications come later.

use ocis_core::checksum::ChecksumKind;
use ocis_core::{Error, Result};
use ocis_ocs::capabilities::{Features, SpacesFeature};
use ocis_ocs::{Ocs, OcsParts, Product};

use crate::peers::{Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// OCS.
#[derive(Debug)]
pub struct Frontend;

impl Service for Frontend {
    const NAME: &'static str = "frontend";
    const NEEDS: &'static [Slot] = &[Slot::Plain(Port::Spaces)];
    type Config = settings::Frontend;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let features = Features {
            checksums: checksums(&config)?,
            spaces: Some(SpacesFeature { max_quota: config.max_quota.0, ..Default::default() }),
            trash: true,
            versions: true,
            manage_users: config.users_write_enabled,
            change_password: config.users_write_enabled,
            ..Features::default()
        };
        Ok(Unit::new().answers(Ocs::new(OcsParts {
            spaces: peers.spaces(),
            features,
            url: config.public_url.as_str().trim_end_matches('/').to_owned(),
            product: Product { version: crate::VERSION.to_owned(), edition: config.edition },
        })))
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
