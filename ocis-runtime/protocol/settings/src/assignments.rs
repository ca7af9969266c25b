//! Which accounts have which roles.

use ocis_core::Error;
use ocis_core::id::UserId;
use ocis_core::port::{AssignRole, RoleAssignment, UnassignRole};
use ocis_core::user::UserRole;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::route::Asked;

/// An assignment as it goes over the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    id: String,
    account_uuid: String,
    role_id: &'static str,
}

impl From<RoleAssignment> for Assignment {
    fn from(assignment: RoleAssignment) -> Self {
        Self {
            id: assignment.id,
            account_uuid: assignment.user.to_string(),
            role_id: assignment.role.id(),
        }
    }
}

/// A list of assignments.
#[derive(Debug, Serialize)]
pub(crate) struct Many {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assignments: Vec<Assignment>,
}

/// One assignment.
#[derive(Debug, Serialize)]
pub(crate) struct One {
    assignment: Assignment,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Which {
    id: String,
    #[serde(alias = "account_uuid")]
    account_uuid: String,
    #[serde(alias = "role_id")]
    role_id: String,
    filters: Vec<Filter>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    #[serde(rename = "type")]
    kind: String,
    #[serde(alias = "account_uuid")]
    account_uuid: String,
    #[serde(alias = "role_id")]
    role_id: String,
}

fn role(id: &str) -> Result<UserRole, Error> {
    UserRole::of_id(id).ok_or_else(|| Error::invalid("there is no such role"))
}

async fn of(asked: &Asked<'_>, account: &str) -> Result<Many, Failure> {
    let user = UserId::parse(&asked.account(account))?;
    let assigned = asked.parts.roles.assigned(asked.cx, user).await?;
    Ok(Many { assignments: assigned.into_iter().map(Assignment::from).collect() })
}

pub(crate) async fn list(asked: &Asked<'_>) -> Result<Many, Failure> {
    let which: Which = asked.read()?;
    of(asked, &which.account_uuid).await
}

pub(crate) async fn list_filtered(asked: &Asked<'_>) -> Result<Many, Failure> {
    let which: Which = asked.read()?;
    match &*which.filters {
        [filter] if filter.kind == "TYPE_ACCOUNT" => of(asked, &filter.account_uuid).await,
        [filter] if filter.kind == "TYPE_ROLE" => {
            let holders = asked.parts.roles.holders(asked.cx, role(&filter.role_id)?).await?;
            Ok(Many { assignments: holders.into_iter().map(Assignment::from).collect() })
        }
        _ => Err(Error::invalid("it needs one filter, by account or role").into()),
    }
}

pub(crate) async fn add(asked: &Asked<'_>) -> Result<One, Failure> {
    let which: Which = asked.read()?;
    let user = UserId::parse(&asked.account(&which.account_uuid))?;
    let request = AssignRole { user, role: role(&which.role_id)? };
    let assignment = asked.parts.roles.assign(asked.cx, request).await?;
    Ok(One { assignment: assignment.into() })
}

/// Takes a role back. A request names the assignment alone, so it is searched for, as in oCIS.
pub(crate) async fn remove(asked: &Asked<'_>) -> Result<(), Failure> {
    let which: Which = asked.read()?;
    for role in UserRole::ALL {
        let holders = asked.parts.roles.holders(asked.cx, role).await?;
        if let Some(found) = holders.into_iter().find(|holder| holder.id == which.id) {
            let request = UnassignRole { user: found.user, assignment: found.id };
            return Ok(asked.parts.roles.unassign(asked.cx, request).await?);
        }
    }
    // oCIS answers 400 here.
    Err(Error::invalid("there is no such assignment").into())
}
