//! `/users/{id}/appRoleAssignments`: the role of an account.

use http::StatusCode;
use ocis_core::data::Body;
use ocis_core::event::{EventKind, Feature};
use ocis_core::id::UserId;
use ocis_core::port::{AssignRole, RoleAssignment, UnassignRole, UpdateSpace};
use ocis_core::user::UserRole;
use ocis_core::{ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::account::{by_id, require_manager};
use crate::body::{self, List, json, json_as, nothing};
use crate::drives;
use crate::error::{Answer, Failure};
use crate::route::Call;

/// That an account has a role.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Assignment {
    app_role_id: &'static str,
    id: String,
    principal_id: String,
    principal_type: &'static str,
    resource_display_name: String,
    resource_id: String,
}

/// What can be said of an assignment to be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what oCIS reads and does not act on is read, and else refused")]
struct NewAssignment {
    app_role_id: String,
    principal_id: String,
    resource_id: String,
    id: Option<String>,
    created_date_time: Option<String>,
    deleted_date_time: Option<String>,
    principal_display_name: Option<String>,
    principal_type: Option<String>,
    resource_display_name: Option<String>,
}

/// The assignments of an account: none or one.
pub(crate) async fn of(call: &Call<'_>, user: &UserId) -> Answer<Vec<Assignment>> {
    let found = call.parts.roles.assigned(call.cx, user.clone()).await?;
    Ok(found.into_iter().map(|assignment| shown(call, assignment)).collect())
}

pub(crate) fn shown(call: &Call<'_>, assignment: RoleAssignment) -> Assignment {
    let options = &call.parts.options;
    Assignment {
        app_role_id: assignment.role.id(),
        id: assignment.id,
        principal_id: assignment.user.to_string(),
        principal_type: "User",
        resource_display_name: options.application_name.clone(),
        resource_id: options.application_id.clone(),
    }
}

/// `GET`.
pub(crate) async fn list(call: &Call<'_>, user: &str) -> Answer {
    require_manager(call)?;
    let user = by_id(call, user).await?;
    json(&List { value: of(call, &user.id).await? })
}

/// `POST`: the account gets a role instead of the one it had.
pub(crate) async fn assign(call: &Call<'_>, user: &str, body: Body) -> Answer {
    require_manager(call)?;
    let roles = &call.parts.roles;
    let new: NewAssignment = body::read(body).await?;
    if new.principal_id != user {
        return Err(Failure::invalid(format!(
            "user id {user} does not match principal id {}",
            new.principal_id
        )));
    }
    let application = &call.parts.options.application_id;
    if new.resource_id != *application {
        return Err(Failure::invalid(format!(
            "resource id {} does not match expected application id {application}",
            new.resource_id
        )));
    }
    let role = UserRole::of_id(&new.app_role_id)
        .ok_or_else(|| Failure::invalid("there is no such role"))?;
    let user = by_id(call, user).await?.id;
    let before = roles.assigned(call.cx, user.clone()).await?;
    let assigned = roles.assign(call.cx, AssignRole { user: user.clone(), role }).await;
    let assigned = refused(assigned)?;
    if let Some(before) = &before
        && let Err(error) = follow(call, &user, before.role, role).await
    {
        tracing::warn!(?error, %user, "a personal space keeps the quota of the former role");
    }
    let old = before.map(|before| before.role.id().to_owned());
    let feature = Feature { name: "roleChanged".into(), value: role.id().into(), old };
    call.tell(EventKind::UserFeatureChanged { user, features: vec![feature] }).await;
    json_as(StatusCode::CREATED, &shown(call, assigned))
}

/// A personal space into which nothing was put yet gets the quota of the new role, unless somebody
/// gave it another one than that of the former: oCIS makes the space when its owner is first seen,
/// with the role that the account has by then.
async fn follow(call: &Call<'_>, user: &UserId, from: UserRole, to: UserRole) -> Result<()> {
    let (old, new) = (call.parts.personal_quota(from), call.parts.personal_quota(to));
    if old == new {
        return Ok(());
    }
    let Some(space) = drives::personal_space(call, user).await? else { return Ok(()) };
    if space.quota.used > 0 || space.quota.total != old {
        return Ok(());
    }
    let request = UpdateSpace { quota: Some(new.unwrap_or(0)), ..UpdateSpace::of(space.root) };
    call.parts.spaces.update(call.cx, request).await.map(|_| ())
}

/// `DELETE`.
pub(crate) async fn unassign(call: &Call<'_>, user: &str, assignment: &str) -> Answer {
    require_manager(call)?;
    let roles = &call.parts.roles;
    let user = by_id(call, user).await?.id;
    let gone = UnassignRole { user: user.clone(), assignment: assignment.into() };
    match refused(roles.unassign(call.cx, gone).await) {
        Err(failure) if failure.kind() == Some(ErrorKind::NotFound) => Err(Failure::not_found(
            format!("appRoleAssignment {assignment} not found for user {user}"),
        )),
        done => done.map(nothing_of),
    }
}

fn nothing_of((): ()) -> http::Response<Body> {
    nothing()
}

/// What nobody may do, such as changing the own role, has a code of its own in oCIS.
fn refused<T>(result: Result<T>) -> Answer<T> {
    result.map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => Failure::not_allowed(error.message().to_owned()),
        _ => error.into(),
    })
}
