//! `GET /groups` and `GET /groups/{id or name}`.

use super::{find, shown};
use crate::account::{all_groups, is_manager};
use crate::body::{List, json};
use crate::error::{Answer, Failure};
use crate::filter::unsupported;
use crate::query::Options;
use crate::route::Call;
use crate::users;

/// The groups that `$search` finds, in the order of `$orderby`. Who does not manage accounts must
/// search for something, and is not told who is in a group.
pub(crate) async fn list(call: &Call<'_>, options: &Options) -> Answer {
    call.cx.caller.identity()?;
    let search = options.search()?;
    if !is_manager(call) {
        users::limits(call, options, search)?;
    }
    options.plain_expand()?;
    let filter = options.filter()?;
    let mut groups = all_groups(call, search).await?;
    if let Some(filter) = filter {
        // oCIS passes over it; who asks for one group gets that one here.
        let wanted = |field| filter.equals(field).map(str::to_owned);
        match (wanted("id"), wanted("displayName")) {
            (Some(id), _) => groups.retain(|group| group.id.as_str() == id),
            (_, Some(name)) => groups.retain(|group| group.name == name),
            _ => return Err(unsupported()),
        }
    }
    if let Some(order) = options.order()? {
        match &*order.field {
            "displayName" => order.sort(&mut groups, |group| &group.name),
            _ => return Err(order.unknown()),
        }
    }
    let with_members = options.expands("members");
    let mut value = Vec::with_capacity(groups.len());
    for group in groups {
        value.push(shown(call, group, with_members).await?);
    }
    json(&List { value })
}

/// One group.
pub(crate) async fn read(call: &Call<'_>, name_or_id: &str, options: &Options) -> Answer {
    call.cx.caller.identity()?;
    options.plain_expand()?;
    let with_members = options.expands("members");
    if with_members && !is_manager(call) {
        return Err(Failure::denied("Forbidden"));
    }
    let group = find(call, name_or_id).await?;
    json(&shown(call, group, with_members).await?)
}
