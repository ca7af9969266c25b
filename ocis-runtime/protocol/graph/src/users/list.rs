//! `GET /users`.

use ocis_core::user::User;

use crate::account::{self, Account, GroupNames, is_manager};
use crate::assignments;
use crate::body::{List, json};
use crate::error::{Answer, Failure};
use crate::query::{Options, Order};
use crate::route::Call;

/// The accounts that `$search` and `$filter` leave over, in the order of `$orderby`. Who does not
/// manage accounts must search for something, and learns little of what is found.
pub(crate) async fn list(call: &Call<'_>, options: &Options) -> Answer {
    call.cx.caller.identity()?;
    let search = options.search()?;
    let manages = is_manager(call);
    if !manages {
        limits(call, options, search)?;
    }
    options.plain_expand()?;
    let mut users = account::all(call, search).await?;
    if let Some(filter) = options.filter()? {
        users = super::select::matching(call, &filter, users).await?;
    }
    if let Some(order) = options.order()? {
        sort(&mut users, &order)?;
    }
    let mut accounts = Vec::with_capacity(users.len());
    let mut names = GroupNames::default();
    for user in users {
        if !manages {
            accounts.push(Account::limited(user, call.parts.options.show_mail));
            continue;
        }
        let (id, groups) = (user.id.clone(), user.groups.clone());
        let mut account = Account::new(user);
        if options.expands("memberOf") {
            account.member_of = Some(names.of(call, &groups).await?);
        }
        if options.expands("appRoleAssignments") {
            account.app_role_assignments = Some(assignments::of(call, &id).await?);
        }
        accounts.push(account);
    }
    json(&List { value: accounts })
}

/// What is refused to those who do not manage accounts, here and for groups.
pub(crate) fn limits(call: &Call<'_>, options: &Options, search: Option<&str>) -> Answer<()> {
    if search.map_or(0, |text| text.chars().count()) < call.parts.options.search_min_length {
        return Err(Failure::denied("search term too short"));
    }
    if options.has("$filter") || options.has("$expand") {
        return Err(Failure::denied("query has forbidden elements for regular users"));
    }
    Ok(())
}

fn sort(users: &mut [User], order: &Order) -> Answer<()> {
    match &*order.field {
        "displayName" => order.sort(users, |user| &user.display_name),
        "mail" => order.sort(users, |user| &user.mail),
        "onPremisesSamAccountName" => order.sort(users, |user| &user.username),
        _ => return Err(order.unknown()),
    }
    Ok(())
}
