//! `/me`: the account of the caller.

use std::sync::Arc;

use ocis_core::port::{FindUser, GetGroup};
use ocis_core::user::UserRole;
use ocis_core::{Cx, ErrorKind, Result};
use serde::Serialize;

use crate::GraphParts;
use crate::error::Failure;
use crate::query::Options;

/// An account. Fields are in the order of their names, as oCIS writes them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    account_enabled: bool,
    display_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    given_name: String,
    id: String,
    identities: [Identity; 1],
    mail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_of: Option<Vec<Group>>,
    on_premises_sam_account_name: String,
    preferred_language: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    surname: String,
    user_type: &'static str,
}

/// By which issuer and id others know the account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    issuer: Arc<str>,
    issuer_assigned_id: String,
}

/// A group that the account is a member of.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    display_name: String,
    group_types: [&'static str; 0],
    id: String,
}

/// The caller; with `$expand=memberOf` with the groups.
pub(crate) async fn me(parts: &GraphParts, cx: &Cx, options: &Options) -> Result<User, Failure> {
    let identity = cx.caller.identity()?;
    let mut member_of = None;
    for item in options.expand() {
        match item {
            "memberOf" => member_of = Some(groups(parts, cx, &identity.groups).await?),
            "appRoleAssignments" | "drive" | "drives" => return Err(Failure::NotYet),
            _ => {
                return Err(
                    ocis_core::Error::invalid("there is nothing to expand by that name").into()
                );
            }
        }
    }
    let user = parts.users.find(cx, FindUser::Id(identity.id.clone())).await?;
    Ok(User {
        account_enabled: user.enabled,
        display_name: user.display_name,
        given_name: user.given_name,
        id: user.id.to_string(),
        identities: [Identity {
            issuer: Arc::clone(&identity.idp),
            issuer_assigned_id: user.id.to_string(),
        }],
        mail: user.mail,
        member_of,
        on_premises_sam_account_name: user.username,
        preferred_language: parts.language.clone(),
        surname: user.surname,
        user_type: match user.role {
            UserRole::UserLight => "Guest",
            _ => "Member",
        },
    })
}

async fn groups(parts: &GraphParts, cx: &Cx, ids: &[ocis_core::id::GroupId]) -> Result<Vec<Group>> {
    let mut groups = Vec::with_capacity(ids.len());
    for id in ids {
        match parts.groups.get(cx, GetGroup::Id(id.clone())).await {
            Ok(group) => groups.push(Group {
                display_name: group.name,
                group_types: [],
                id: group.id.to_string(),
            }),
            // Removed since the caller signed in.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(groups)
}
