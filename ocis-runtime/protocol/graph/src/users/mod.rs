//! `/users`: the accounts.

pub(crate) mod change;
mod create;
mod list;
mod names;
mod remove;
mod select;

pub(crate) use change::patch;
pub(crate) use create::create;
pub(crate) use list::{limits, list};
pub(crate) use remove::remove;

use crate::account::{Account, expand, find, may_know};
use crate::body::json;
use crate::drives;
use crate::error::{Answer, Failure};
use crate::query::Options;
use crate::route::Call;

/// `GET /users/{id or name}`. Of others, most learn no more than a list would tell them.
pub(crate) async fn read(call: &Call<'_>, name_or_id: &str, options: &Options) -> Answer {
    let user = find(call, name_or_id).await?;
    if !may_know(call, &user.id)
        && (options.expands("memberOf") || options.expands("appRoleAssignments"))
    {
        return Err(Failure::denied("Forbidden"));
    }
    let mut account = Account::visible(call, user.clone());
    expand(call, options, &user, &mut account).await?;
    json(&account)
}

/// `GET /users/{id or name}/drive`.
pub(crate) async fn drive(call: &Call<'_>, name_or_id: &str) -> Answer {
    let user = find(call, name_or_id).await?;
    match drives::of_user(call, &user.id).await? {
        (Some(drive), _) => json(&drive),
        (None, _) => Err(drives::none()),
    }
}
