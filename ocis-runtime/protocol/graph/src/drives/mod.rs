//! `/drives`, `/me/drives` and `/me/drive`: the spaces that the caller may see.

mod change;
mod members;
mod shown;
mod special;
mod template;

use std::cmp::Reverse;

use http::StatusCode;
use ocis_core::access::Grantee;
use ocis_core::id::{ResourceId, UserId};
use ocis_core::port::{GetSpace, ListSpaces};
use ocis_core::space::{Space, SpaceKind};
use ocis_core::{ErrorKind, Result};

pub(crate) use self::change::{create, patch, remove};
pub(crate) use self::shown::Drive;
use self::shown::Shower;
use crate::body::{List, json};
use crate::error::{Answer, Failure};
use crate::filter::Filter;
use crate::query::{Options, Order};
use crate::route::Call;

/// In which form permissions are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// `v1.0`: with the names of roles.
    V1,
    /// `v1beta1`: with the ids of roles.
    V1Beta1,
}

/// Whose spaces are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Those that the caller owns or is a member of.
    Own,
    /// Those too that the caller may see by role.
    All,
}

/// The spaces that `$filter` leaves over, in the order of `$orderby`.
pub(crate) async fn list(
    call: &Call<'_>,
    options: &Options,
    whose: Whose,
    version: Version,
) -> Answer {
    call.cx.caller.identity()?;
    let order = options.order()?;
    let every = ListSpaces { all: whose == Whose::All, ..ListSpaces::default() };
    let mut spaces = match options.filter()? {
        None => all(call, every).await?,
        Some(filter) => filtered(call, &filter, every).await?,
    };
    if let Some(order) = order {
        sort(&mut spaces, &order)?;
    }
    json(&List { value: Shower::new(call, version).drives(spaces).await? })
}

/// The personal space of the caller; 404 when there is none.
pub(crate) async fn personal(call: &Call<'_>) -> Answer {
    let owner = &call.cx.caller.identity()?.id;
    match personal_space(call, owner).await? {
        Some(space) => json(&Shower::new(call, Version::V1).drive(space).await?),
        None => Err(none()),
    }
}

/// 404: an account has no personal drive that the caller may see.
pub(crate) fn none() -> Failure {
    Failure::not_found("no drive returned from storage")
}

/// `GET /drives/{id}`.
pub(crate) async fn read(call: &Call<'_>, id: &str) -> Answer {
    call.cx.caller.identity()?;
    let space = call.parts.spaces.get(call.cx, GetSpace { space: drive_id(id)? }).await?;
    match is_drive(&space) {
        true => json(&Shower::new(call, Version::V1).drive(space).await?),
        false => Err(Failure::not_found("drive not found")),
    }
}

/// The id of a drive in a path.
fn drive_id(id: &str) -> Answer<ResourceId> {
    id.parse().map_err(|_| Failure::invalid("this is not the id of a drive"))
}

/// The personal space of an account, if there is one that the caller may see.
pub(crate) async fn personal_space(call: &Call<'_>, owner: &UserId) -> Result<Option<Space>> {
    let (kind, owner) = (Some(SpaceKind::Personal), Some(owner.clone()));
    let request = ListSpaces { kind, owner, all: true, ..ListSpaces::default() };
    Ok(all(call, request).await?.into_iter().next())
}

/// The personal drive of an account and all others that it has, as far as the caller may see them.
pub(crate) async fn of_user(call: &Call<'_>, user: &UserId) -> Result<(Option<Drive>, Vec<Drive>)> {
    let member = Some(Grantee::User(user.clone()));
    let spaces = all(call, ListSpaces { member, all: true, ..ListSpaces::default() }).await?;
    let (mut own, mut others) = (None, Vec::new());
    let mut shower = Shower::new(call, Version::V1);
    for space in spaces {
        let is_own = space.kind == SpaceKind::Personal && space.owner.as_ref() == Some(user);
        let drive = shower.drive(space).await?;
        match is_own {
            true => own = Some(drive),
            false => others.push(drive),
        }
    }
    Ok((own, others))
}

async fn filtered(call: &Call<'_>, filter: &Filter, every: ListSpaces) -> Answer<Vec<Space>> {
    if let Some(kind) = filter.equals("driveType") {
        let known = [SpaceKind::Personal, SpaceKind::Project];
        return match known.into_iter().find(|known| known.as_str() == kind) {
            Some(kind) => Ok(all(call, ListSpaces { kind: Some(kind), ..every }).await?),
            // `virtual` and `mountpoint` come with sharing; of others there never is one.
            None => Ok(Vec::new()),
        };
    }
    if let Some(id) = filter.equals("id") {
        let Ok(space) = id.parse::<ResourceId>() else { return Ok(Vec::new()) };
        return match call.parts.spaces.get(call.cx, GetSpace { space }).await {
            Ok(space) => Ok(Vec::from_iter(Some(space).filter(is_drive))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        };
    }
    Err(match filter {
        Filter::Compare { operator, .. } if operator == "eq" => {
            Failure::invalid("drives can be filtered by driveType and by id")
        }
        _ => Failure::Refused(
            StatusCode::NOT_IMPLEMENTED,
            "notSupported",
            "unsupported filter operand".into(),
        ),
    })
}

async fn all(call: &Call<'_>, mut request: ListSpaces) -> Result<Vec<Space>> {
    let mut spaces = Vec::new();
    loop {
        let page = call.parts.spaces.list(call.cx, request.clone()).await?;
        spaces.extend(page.items.into_iter().filter(is_drive));
        if page.next.is_none() {
            return Ok(spaces);
        }
        request.page.cursor = page.next;
    }
}

/// The server's own records are nobody's drive.
fn is_drive(space: &Space) -> bool {
    space.kind != SpaceKind::Metadata
}

fn sort(spaces: &mut [Space], order: &Order) -> Answer<()> {
    match (&*order.field, order.descending) {
        ("name", _) => order.sort(spaces, |space| &space.name),
        ("lastModifiedDateTime", false) => spaces.sort_by_key(|space| space.mtime),
        ("lastModifiedDateTime", true) => spaces.sort_by_key(|space| Reverse(space.mtime)),
        _ => return Err(order.unknown()),
    }
    Ok(())
}
