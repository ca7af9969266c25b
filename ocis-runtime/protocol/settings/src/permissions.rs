//! What the role of the caller allows.

use ocis_core::Error;
use ocis_core::role::{Constraint, RolePermission};
use ocis_core::setting::Resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Failure;
use crate::route::Asked;

/// The names of permissions, each with how far it reaches: `Drives.Create.all`.
#[derive(Debug, Serialize)]
pub(crate) struct Names {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<String>,
}

/// Permissions as they stand in roles.
#[derive(Debug, Serialize)]
pub(crate) struct Permissions {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<Value>,
}

/// One of them.
#[derive(Debug, Serialize)]
pub(crate) struct One {
    permission: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Which {
    #[serde(alias = "account_uuid")]
    account_uuid: String,
    #[serde(alias = "permission_id")]
    permission_id: String,
    resource: Resource,
}

/// Whether a permission is about this resource; `all` in it stands for each.
pub(crate) fn is_about(permission: &RolePermission, resource: &Resource) -> bool {
    let about = permission.about();
    about.kind == resource.kind && (about.id == "all" || about.id == resource.id)
}

/// The permissions of the caller; those of others are nobody's business.
pub(crate) fn list(asked: &Asked<'_>) -> Result<Names, Failure> {
    let which: Which = asked.read()?;
    if asked.account(&which.account_uuid) != asked.caller.id.as_str() {
        return Err(Error::not_found("there is no such user").into());
    }
    let names = RolePermission::ALL.iter().filter_map(|permission| {
        let reach = match permission.of(asked.caller.role)? {
            Constraint::Own => "own",
            Constraint::All => "all",
        };
        Some(format!("{}.{reach}", permission.name))
    });
    Ok(Names { permissions: names.collect() })
}

pub(crate) fn about(asked: &Asked<'_>) -> Result<Permissions, Failure> {
    let which: Which = asked.read()?;
    let about = RolePermission::ALL.iter().filter(|one| is_about(one, &which.resource));
    let values = about.filter_map(|one| Some(one.value(one.of(asked.caller.role)?)));
    Ok(Permissions { permissions: values.collect() })
}

pub(crate) fn get(asked: &Asked<'_>) -> Result<One, Failure> {
    let which: Which = asked.read()?;
    let found = RolePermission::ALL.iter().find(|one| one.id == which.permission_id);
    let value = found.and_then(|one| Some(one.value(one.of(asked.caller.role)?)));
    Ok(One { permission: value.ok_or_else(|| Error::not_found("no role has this permission"))? })
}
