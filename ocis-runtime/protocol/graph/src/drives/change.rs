//! `POST /drives`, `PATCH` and `DELETE /drives/{id}`: project spaces made, described, put out of use,
//! taken into use again and removed.

use http::StatusCode;
use ocis_core::access::{SpaceRight, has_right};
use ocis_core::data::Body;
use ocis_core::id::ResourceId;
use ocis_core::port::{CreateSpace, DisableSpace, GetSpace, PurgeSpace, RestoreSpace, UpdateSpace};
use ocis_core::role::{Constraint, RolePermission};
use ocis_core::space::{Space, SpaceKind};
use ocis_core::{Error, ErrorKind};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::shown::Shower;
use super::{Version, drive_id, template};
use crate::body::{self, json, json_as, nothing};
use crate::error::{Answer, Failure};
use crate::route::Call;

/// The longest name of a space, in bytes.
const LONGEST: usize = 255;

/// What no name of a space has, as sync clients make folders of them.
const FORBIDDEN: [char; 10] = ['/', '\\', '.', ':', '?', '*', '"', '>', '<', '|'];

/// A drive in a body.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[allow(dead_code, reason = "what oCIS reads and does not act on is read, and else refused")]
struct Wish {
    created_by: Option<IgnoredAny>,
    created_date_time: Option<IgnoredAny>,
    description: Option<String>,
    drive_alias: Option<String>,
    drive_type: Option<String>,
    e_tag: Option<IgnoredAny>,
    id: Option<IgnoredAny>,
    items: Option<IgnoredAny>,
    last_modified_by: Option<IgnoredAny>,
    last_modified_date_time: Option<IgnoredAny>,
    name: Option<String>,
    owner: Option<IgnoredAny>,
    parent_reference: Option<IgnoredAny>,
    quota: Option<QuotaWish>,
    root: Option<IgnoredAny>,
    special: Option<Vec<SpecialWish>>,
    web_url: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct QuotaWish {
    total: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpecialWish {
    id: Option<String>,
    special_folder: Option<SpecialFolder>,
}

#[derive(Debug, Deserialize)]
struct SpecialFolder {
    name: Option<String>,
}

impl Wish {
    fn total(&self) -> Option<i64> {
        self.quota.as_ref().and_then(|quota| quota.total)
    }
}

/// Makes a project space; with `?template=default` with a picture and a text to begin with.
pub(crate) async fn create(call: &Call<'_>, body: Body) -> Answer {
    call.cx.caller.identity()?;
    if call.cx.caller.reach(&RolePermission::DRIVES_CREATE) != Some(Constraint::All) {
        return Err(Failure::not_allowed("insufficient permissions to create a space."));
    }
    let wish: Wish = body::read(body).await?;
    let name = named(wish.name.as_deref().unwrap_or_default())
        .map_err(|why| Failure::invalid(format!("invalid spacename: {why}")))?;
    if wish.drive_type.as_deref().is_some_and(|kind| !["", "project"].contains(&kind)) {
        return Err(Failure::invalid("drives of this type cannot be created via this api"));
    }
    let quota = wish.total().and_then(|total| u64::try_from(total).ok());
    let new = CreateSpace {
        alias: wish.drive_alias,
        quota: quota.or(call.parts.options.default_quota),
        description: wish.description.unwrap_or_default(),
        ..CreateSpace::new(SpaceKind::Project, name)
    };
    let made = call.parts.spaces.create(call.cx, new).await;
    let mut space = made.map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => Failure::not_allowed("permission denied"),
        _ => error.into(),
    })?;
    if call.parameter("template").as_deref() == Some("default") {
        space = template::apply(call, &space).await?;
    }
    json_as(StatusCode::CREATED, &Shower::new(call, Version::V1).drive(space).await?)
}

/// Changes a space; with the header `Restore: T` it is taken into use again first.
pub(crate) async fn patch(call: &Call<'_>, id: &str, body: Body) -> Answer {
    call.cx.caller.identity()?;
    let id = drive_id(id)?;
    let wish: Wish = body::read(body).await?;
    let update = described(&id, &wish)?;
    let (spaces, cx) = (&call.parts.spaces, call.cx);
    let no_quota = || Failure::not_allowed("user is not allowed to set the space quota");
    // Who may set none at all is told so, whatever space it is.
    let quotas = [SpaceRight::PersonalQuota, SpaceRight::ProjectQuota];
    if update.quota.is_some() && !quotas.into_iter().any(|right| has_right(&cx.caller, right)) {
        return Err(no_quota());
    }
    let mut space = spaces.get(cx, GetSpace { space: id.clone() }).await.map_err(hidden)?;
    if update.quota.is_some() && !may_set_quota(call, &space) {
        return Err(no_quota());
    }
    if call.is_set("restore") {
        space = spaces.restore(cx, RestoreSpace { space: id.clone() }).await.map_err(changed)?;
    }
    if !is_empty(&update) {
        space = spaces.update(cx, update).await.map_err(changed)?;
    }
    json(&Shower::new(call, Version::V1).drive(space).await?)
}

/// Puts a space out of use; with the header `Purge: T` it is removed for ever.
pub(crate) async fn remove(call: &Call<'_>, id: &str) -> Answer {
    call.cx.caller.identity()?;
    let space = drive_id(id)?;
    let (spaces, cx) = (&call.parts.spaces, call.cx);
    let done = match call.is_set("purge") {
        true => spaces.purge(cx, PurgeSpace { space }).await,
        false => spaces.disable(cx, DisableSpace { space }).await,
    };
    done.map(|()| nothing()).map_err(hidden)
}

/// The name without blanks around it, or why it can be none.
fn named(name: &str) -> Result<&str, String> {
    let name = name.trim();
    match name {
        "" => Err("spacename must not be empty".into()),
        _ if name.len() > LONGEST => Err(format!("spacename must be smaller than {LONGEST}")),
        _ if name.contains(FORBIDDEN) => {
            let list: Vec<String> = FORBIDDEN.iter().map(char::to_string).collect();
            Err(format!("spacenames must not contain [{}]", list.join(" ")))
        }
        _ => Ok(name),
    }
}

fn described(id: &ResourceId, wish: &Wish) -> Answer<UpdateSpace> {
    let mut update = UpdateSpace {
        alias: wish.drive_alias.clone(),
        description: wish.description.clone(),
        ..UpdateSpace::of(id.clone())
    };
    // oCIS takes an empty name for none.
    if let Some(name) = wish.name.as_deref().filter(|name| !name.is_empty()) {
        let name = named(name).map_err(|why| {
            Failure::Refused(StatusCode::BAD_REQUEST, "generalException", why.into())
        })?;
        update.name = Some(name.to_owned());
    }
    if let Some(total) = wish.total() {
        let total = u64::try_from(total).map_err(|_| Failure::invalid("the quota is negative"))?;
        update.quota = Some(total);
    }
    for special in wish.special.iter().flatten() {
        let Some(item) = &special.id else { continue };
        let item = item.parse().map_err(|_| Failure::invalid("this is not the id of a file"))?;
        let folder = special.special_folder.as_ref();
        match folder.and_then(|folder| folder.name.as_deref()) {
            Some("image") => update.image = Some(item),
            Some("readme") => update.readme = Some(item),
            _ => return Err(Failure::invalid("what is special is an image or a readme")),
        }
    }
    Ok(update)
}

fn is_empty(update: &UpdateSpace) -> bool {
    let UpdateSpace { space: _, name, alias, description, quota, image, readme } = update;
    name.is_none()
        && alias.is_none()
        && description.is_none()
        && quota.is_none()
        && image.is_none()
        && readme.is_none()
}

/// Asked here too, only because oCIS answers it otherwise than any other refusal.
fn may_set_quota(call: &Call<'_>, space: &Space) -> bool {
    let right = match space.kind {
        SpaceKind::Personal => SpaceRight::PersonalQuota,
        _ => SpaceRight::ProjectQuota,
    };
    has_right(&call.cx.caller, right)
}

/// Who may not do it is told that there is no such drive, as in oCIS.
fn hidden(error: Error) -> Failure {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::NotFound => Failure::not_found("drive not found"),
        _ => error.into(),
    }
}

fn changed(error: Error) -> Failure {
    match error.kind() {
        ErrorKind::InvalidArgument => Failure::Refused(
            StatusCode::BAD_REQUEST,
            "notAllowed",
            error.message().to_owned().into(),
        ),
        _ => hidden(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_make_folders_everywhere() {
        assert_eq!(named(" Physics "), Ok("Physics"));
        assert_eq!(named("España & नेपाली"), Ok("España & नेपाली"));
        for name in ["", " ", "a/b", "a.b", "a:b", "a\\b", "a*", "a?", "a\"", "<a", "a|", ".space"]
        {
            assert!(named(name).is_err(), "{name}");
        }
        assert!(named(&"x".repeat(256)).is_err());
    }
}
