//! `/cloud/user` and `/cloud/users`: who the caller is.

use ocis_core::port::{ListSpaces, PageRequest};
use ocis_core::quota::Quota;
use ocis_core::space::SpaceKind;
use ocis_core::user::UserRole;
use ocis_core::{Cx, Error, Identity, Result};
use serde::Serialize;

use crate::OcsParts;
use crate::xml::Elements;

/// What clients ask first to learn who they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Own<'a> {
    /// The name to sign in with, not the id: that is what ownCloud calls an id here.
    id: &'a str,
    display_name: &'a str,
    email: &'a str,
    user_type: &'a str,
}

/// The caller.
pub(crate) fn own(cx: &Cx) -> Result<Own<'_>> {
    let identity = cx.caller.identity()?;
    Ok(Own {
        id: &identity.username,
        display_name: &identity.display_name,
        email: &identity.mail,
        user_type: user_type(identity),
    })
}

/// An account with its quota.
#[derive(Debug, Serialize)]
pub(crate) struct Details {
    enabled: &'static str,
    quota: Space,
    email: String,
    displayname: String,
    #[serde(rename = "user-type")]
    user_type: &'static str,
    two_factor_auth_enabled: bool,
    last_login: i64,
}

/// The quota of the personal space; what is zero is left out, as in oCIS.
#[derive(Debug, Default, Serialize)]
struct Space {
    #[serde(skip_serializing_if = "is_zero")]
    free: u64,
    #[serde(skip_serializing_if = "is_zero")]
    used: u64,
    #[serde(skip_serializing_if = "is_zero")]
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    relative: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<&'static str>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The caller by name, with the quota of the personal space; others are nobody's business.
pub(crate) async fn details(parts: &OcsParts, cx: &Cx, name: &str) -> Result<Details> {
    let identity = self_only(cx, name)?;
    let quota = personal_quota(parts, cx, identity).await?;
    Ok(Details {
        enabled: "true",
        quota: quota.map_or_else(Space::default, shown),
        email: identity.mail.clone(),
        displayname: identity.display_name.clone(),
        user_type: user_type(identity),
        two_factor_auth_enabled: false,
        last_login: 0,
    })
}

async fn personal_quota(parts: &OcsParts, cx: &Cx, identity: &Identity) -> Result<Option<Quota>> {
    let mut request = ListSpaces {
        kind: Some(SpaceKind::Personal),
        owner: Some(identity.id.clone()),
        page: PageRequest::default(),
        ..ListSpaces::default()
    };
    loop {
        // A page may be empty though there are more: each storage has its own.
        let page = parts.spaces.list(cx, request.clone()).await?;
        if let Some(space) = page.items.first() {
            return Ok(Some(space.quota));
        }
        match page.next {
            None => return Ok(None),
            next => request.page.cursor = next,
        }
    }
}

/// The groups of an account.
#[derive(Debug, Serialize)]
pub(crate) struct Groups<'a> {
    groups: Elements<&'a str>,
}

/// The groups of the caller, by id.
pub(crate) fn groups<'a>(cx: &'a Cx, name: &str) -> Result<Groups<'a>> {
    let groups = &self_only(cx, name)?.groups;
    Ok(Groups { groups: Elements(groups.iter().map(|id| id.as_str()).collect()) })
}

fn self_only<'a>(cx: &'a Cx, name: &str) -> Result<&'a Identity> {
    let identity = cx.caller.identity()?;
    if identity.username != name {
        return Err(Error::denied("user id mismatch"));
    }
    Ok(identity)
}

fn user_type(identity: &Identity) -> &'static str {
    match identity.role {
        UserRole::UserLight => "guest",
        _ => "user",
    }
}

#[allow(clippy::cast_precision_loss, reason = "a fraction to show, four bytes in oCIS too")]
fn shown(quota: Quota) -> Space {
    match quota.total {
        Some(total) => Space {
            free: total.saturating_sub(quota.used),
            used: quota.used,
            total,
            relative: (total > 0 && quota.used > 0).then(|| quota.used as f32 / total as f32),
            definition: None,
        },
        None => Space {
            free: quota.remaining.unwrap_or(0),
            used: quota.used,
            definition: Some("none"),
            ..Space::default()
        },
    }
}
