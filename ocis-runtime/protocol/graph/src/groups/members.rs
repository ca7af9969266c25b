//! `/groups/{id}/members`: who is in a group.

use ocis_core::data::Body;
use ocis_core::event::EventKind;
use ocis_core::id::UserId;
use ocis_core::port::ChangeMembers;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::{accounts, by_group_id, find};
use crate::account::{by_id, require_manager};
use crate::body::{self, json, nothing};
use crate::error::{Answer, Failure};
use crate::route::Call;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberReference {
    #[serde(rename = "@odata.id")]
    id: Option<String>,
}

/// The members, as a plain list: so does oCIS.
pub(crate) async fn members(call: &Call<'_>, name_or_id: &str) -> Answer {
    require_manager(call)?;
    let group = find(call, name_or_id).await?;
    json(&accounts(call, &group).await?)
}

/// Puts an account into a group.
pub(crate) async fn add(call: &Call<'_>, id: &str, body: Body) -> Answer {
    require_manager(call)?;
    let reference: MemberReference = body::read(body).await?;
    let reference =
        reference.id.ok_or_else(|| Failure::invalid("@odata.id reference is missing"))?;
    let user = referred(call, &reference, "@odata.id").await?;
    let group = by_group_id(call, id).await?.id;
    let request = ChangeMembers { group: group.clone(), members: vec![user.clone()] };
    call.parts.provisioning.add_members(call.cx, request).await?;
    call.tell(EventKind::GroupMemberAdded { group, user }).await;
    Ok(nothing())
}

/// Takes an account out of a group.
pub(crate) async fn drop(call: &Call<'_>, id: &str, member: &str) -> Answer {
    require_manager(call)?;
    let group = by_group_id(call, id).await?.id;
    let user = by_id(call, member).await?.id;
    let request = ChangeMembers { group: group.clone(), members: vec![user.clone()] };
    call.parts.provisioning.remove_members(call.cx, request).await?;
    call.tell(EventKind::GroupMemberRemoved { group, user }).await;
    Ok(nothing())
}

/// The account that `<base>/users/<id>` refers to.
pub(super) async fn referred(call: &Call<'_>, reference: &str, field: &str) -> Answer<UserId> {
    let wrong = || Failure::invalid(format!("Error parsing {field} value"));
    let is_url = reference.starts_with("http://")
        || reference.starts_with("https://")
        || reference.starts_with('/');
    let path = reference.split(['?', '#']).next().unwrap_or_default();
    let mut segments = path.rsplit('/');
    let (Some(id), Some(kind), true) = (segments.next(), segments.next(), is_url) else {
        return Err(wrong());
    };
    if kind != "users" {
        return Err(Failure::invalid("Only users are allowed as group members"));
    }
    let id = percent_decode_str(id).decode_utf8().map_err(|_| wrong())?;
    Ok(by_id(call, &id).await?.id)
}
