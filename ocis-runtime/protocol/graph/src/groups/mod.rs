//! `/groups`: the groups of accounts.

mod change;
mod list;
mod members;

pub(crate) use change::{create, patch, remove};
pub(crate) use list::{list, read};
pub(crate) use members::{add, drop, members};

use ocis_core::id::GroupId;
use ocis_core::port::GetGroup;
use ocis_core::user::Group;
use ocis_core::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::account::{Account, GroupName, by_id};
use crate::route::Call;

/// A group, with its members where they were asked for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(flatten)]
    name: GroupName,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<Account>>,
}

/// The group of this id, or of this name; [`ErrorKind::NotFound`] when there is none.
async fn find(call: &Call<'_>, name_or_id: &str) -> Result<Group> {
    match by_group_id(call, name_or_id).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            call.parts.groups.get(call.cx, GetGroup::Name(name_or_id.into())).await
        }
        found => found,
    }
}

/// The group of exactly this id.
async fn by_group_id(call: &Call<'_>, id: &str) -> Result<Group> {
    let id = GroupId::parse(id).map_err(|_| Error::not_found("there is no such group"))?;
    call.parts.groups.get(call.cx, GetGroup::Id(id)).await
}

/// A group as it is shown to those who manage accounts.
async fn shown(call: &Call<'_>, group: Group, with_members: bool) -> Result<Shown> {
    let mut members = None;
    if with_members {
        members = Some(accounts(call, &group).await?);
    }
    Ok(Shown { name: group.into(), members })
}

/// The members of a group, without those that were removed meanwhile.
async fn accounts(call: &Call<'_>, group: &Group) -> Result<Vec<Account>> {
    let mut accounts = Vec::with_capacity(group.members.len());
    for id in &group.members {
        match by_id(call, id.as_str()).await {
            Ok(user) => accounts.push(Account::new(user)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(accounts)
}
