//! Which OpenID provider is believed, and who its people are here.

use std::sync::Arc;
use std::time::Duration;

use ocis_auth::oidc::bearer::{
    Accounts, AutoProvision, Bearer, BearerOptions, Mapping, ProvisionClaims, RoleFromClaims,
};
use ocis_auth::oidc::verify::http::{Network, OwnOr};
use ocis_auth::oidc::verify::{Options, Verifier};
use ocis_core::Result;

use crate::peers::Peers;
use crate::settings;
use crate::settings::openid::RoleDriver;

/// What accepts the tokens of the provider that is set. Our own provider, if it is that one, is
/// asked within this process.
pub(super) fn bearer(config: &settings::Proxy, peers: &Peers) -> Result<Arc<Bearer>> {
    let http = OwnOr {
        url: config.ocis_url.as_str().trim_end_matches('/').to_owned(),
        own: peers.http("idp"),
        others: Network::new(config.oidc_insecure),
    };
    let issuer = config.oidc_issuer.as_str();
    let options = Options {
        method: config.oidc_access_token_verify_method.0,
        skip_userinfo: config.oidc_skip_user_info,
        audiences: config.oidc_audiences.clone(),
        refresh_interval: Duration::from_secs(config.oidc_jwks_refresh_interval.saturating_mul(60)),
        timeout: config.oidc_jwks_refresh_timeout.0,
        refresh_limit: config.oidc_jwks_refresh_limit.0,
        refresh_unknown: config.oidc_jwks_refresh_unknown_kid,
        ..Options::new(issuer)
    };
    let remember = config.oidc_user_info_cache_ttl;
    let bearer = Bearer::new(
        Verifier::new(Arc::new(http), options),
        accounts(config, peers, issuer),
        BearerOptions { remember, ..BearerOptions::default() },
    )?;
    Ok(Arc::new(bearer.remembering_in(peers.key_value())))
}

fn accounts(config: &settings::Proxy, peers: &Peers, issuer: &str) -> Accounts {
    let mapping = Mapping {
        claim: config.user_oidc_claim.clone(),
        key: config.user_cs3_claim.0,
        idp: issuer.into(),
    };
    let mut accounts = Accounts::new(peers.users(), mapping);
    if config.auto_provision_accounts {
        let claims = ProvisionClaims {
            username: config.auto_provision_claim_username.clone(),
            mail: config.auto_provision_claim_email.clone(),
            display_name: config.auto_provision_claim_display_name.clone(),
            groups: config.auto_provision_claim_groups.clone(),
        };
        let provision = AutoProvision::new(peers.provisioning(), peers.groups(), claims);
        accounts = accounts.provisioned_by(provision);
    }
    if config.role_assignment_driver == RoleDriver::Oidc {
        let mapping = config.role_mapping.0.clone();
        let roles = RoleFromClaims::new(peers.roles(), config.role_claim.as_str(), mapping);
        accounts = accounts.with_roles_from(roles);
    }
    accounts
}
