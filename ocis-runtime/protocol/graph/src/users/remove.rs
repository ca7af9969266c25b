//! `DELETE /users/{id or name}`: the account, its role and its personal space.
//!
//! The space is put out of use first and removed last, and comes back when the account cannot be
//! removed: nobody keeps an account and loses the files.

use http::StatusCode;
use ocis_core::event::EventKind;
use ocis_core::id::{ResourceId, UserId};
use ocis_core::port::{DisableSpace, PurgeSpace, RestoreSpace, UnassignRole};
use ocis_core::{Caller, Cx, Error, ErrorKind, Result};

use crate::account::{find, require_manager};
use crate::body::nothing;
use crate::drives;
use crate::error::{Answer, Failure};
use crate::route::Call;

/// Removes the account of this id or name.
pub(crate) async fn remove(call: &Call<'_>, name_or_id: &str) -> Answer {
    require_manager(call)?;
    let user = find(call, name_or_id).await?.id;
    if call.cx.caller.identity()?.id == user {
        return Err(Failure::not_allowed("self deletion forbidden"));
    }
    let (parts, cx) = (call.parts, call.cx);
    let space = drives::personal_space(call, &user).await?;
    let mut disabled = None;
    if let Some(space) = space.as_ref().filter(|space| space.disabled.is_none()) {
        let root = space.root.clone();
        let request = DisableSpace { space: root.clone() };
        parts.spaces.disable(cx, request).await.map_err(|error| aborted("disable", &error))?;
        disabled = Some(root);
    }
    if let Err(error) = parts.provisioning.delete_user(cx, user.clone()).await {
        if let Some(space) = disabled {
            bring_back(call, space).await;
        }
        return Err(error.into());
    }
    call.tell(EventKind::UserDeleted { user: user.clone() }).await;
    if let Err(error) = take_role(call, &user).await {
        // It is of no use to anybody: ids are not given twice.
        tracing::warn!(?error, %user, "the role of a removed account stays behind");
    }
    let service = Cx { caller: Caller::Service("graph".into()), ..cx.clone() };
    if let Err(error) = parts.settings.forget(&service, user.clone()).await {
        tracing::warn!(?error, %user, "the settings of a removed account stay behind");
    }
    if let Some(space) = space {
        let request = PurgeSpace { space: space.root };
        parts.spaces.purge(cx, request).await.map_err(|error| aborted("delete", &error))?;
    }
    Ok(nothing())
}

async fn take_role(call: &Call<'_>, user: &UserId) -> Result<()> {
    let roles = &call.parts.roles;
    let Some(held) = roles.assigned(call.cx, user.clone()).await? else { return Ok(()) };
    let request = UnassignRole { user: user.clone(), assignment: held.id };
    match roles.unassign(call.cx, request).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

async fn bring_back(call: &Call<'_>, space: ResourceId) {
    let request = RestoreSpace { space: space.clone() };
    if let Err(error) = call.parts.spaces.restore(call.cx, request).await {
        tracing::error!(?error, %space, "the space of an account that stays is out of use");
    }
}

fn aborted(what: &str, error: &Error) -> Failure {
    tracing::error!(?error, "the personal space of an account cannot be removed");
    Failure::Refused(
        StatusCode::INTERNAL_SERVER_ERROR,
        "generalException",
        format!("could not {what} homespace, aborting").into(),
    )
}
