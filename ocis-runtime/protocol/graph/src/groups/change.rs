//! `POST /groups`, `PATCH` and `DELETE /groups/{id}`.

use http::StatusCode;
use ocis_core::data::Body;
use ocis_core::event::EventKind;
use ocis_core::port::{ChangeMembers, NewGroup, RenameGroup};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::members::referred;
use super::{by_group_id, shown};
use crate::account::require_manager;
use crate::body::{self, json_as, nothing};
use crate::error::{Answer, Failure};
use crate::route::Call;

/// The longest name of a group, in bytes.
const LONGEST: usize = 256;

/// A group in a body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what oCIS reads and does not act on is read, and else refused")]
struct Wish {
    description: Option<IgnoredAny>,
    display_name: Option<String>,
    group_types: Option<IgnoredAny>,
    id: Option<String>,
    members: Option<IgnoredAny>,
    #[serde(rename = "members@odata.bind")]
    bind: Option<Vec<String>>,
}

fn is_name(name: &str) -> bool {
    let name = name.trim();
    !name.is_empty() && name.len() <= LONGEST
}

/// Makes a group.
pub(crate) async fn create(call: &Call<'_>, body: Body) -> Answer {
    require_manager(call)?;
    let wish: Wish = body::read(body).await?;
    let name = wish.display_name.ok_or_else(|| Failure::invalid("Missing Required Attribute"))?;
    if !is_name(&name) {
        return Err(Failure::invalid("Invalid displayName"));
    }
    if wish.id.is_some() {
        return Err(Failure::invalid("group id is a read-only attribute"));
    }
    let members = bound(call, wish.bind).await?;
    let new = NewGroup { id: None, name, members };
    let group = call.parts.provisioning.create_group(call.cx, new).await?;
    call.tell(EventKind::GroupCreated { group: group.id.clone() }).await;
    json_as(StatusCode::CREATED, &shown(call, group, false).await?)
}

/// Renames a group and puts accounts into it.
pub(crate) async fn patch(call: &Call<'_>, id: &str, body: Body) -> Answer {
    require_manager(call)?;
    let wish: Wish = body::read(body).await?;
    let group = by_group_id(call, id).await?;
    let name = wish.display_name.filter(|name| *name != group.name);
    if name.as_deref().is_some_and(|name| !is_name(name)) {
        return Err(Failure::invalid("Invalid displayName"));
    }
    // All of it is looked at before any of it is done.
    let members = bound(call, wish.bind).await?;
    let provisioning = &call.parts.provisioning;
    if let Some(name) = name {
        let request = RenameGroup { group: group.id.clone(), name };
        provisioning.rename_group(call.cx, request).await?;
    }
    if !members.is_empty() {
        let request = ChangeMembers { group: group.id, members };
        provisioning.add_members(call.cx, request).await?;
    }
    Ok(nothing())
}

/// The accounts that `members@odata.bind` refers to.
async fn bound(
    call: &Call<'_>,
    references: Option<Vec<String>>,
) -> Answer<Vec<ocis_core::id::UserId>> {
    let references = references.unwrap_or_default();
    let limit = call.parts.options.members_patch_limit;
    if references.len() > limit {
        return Err(Failure::invalid(format!("Request is limited to {limit} members")));
    }
    let mut members = Vec::with_capacity(references.len());
    for reference in references {
        members.push(referred(call, &reference, "members@odata.bind").await?);
    }
    Ok(members)
}

/// Removes a group.
pub(crate) async fn remove(call: &Call<'_>, id: &str) -> Answer {
    require_manager(call)?;
    let group = by_group_id(call, id).await?.id;
    call.parts.provisioning.delete_group(call.cx, group.clone()).await?;
    call.tell(EventKind::GroupDeleted { group }).await;
    Ok(nothing())
}
