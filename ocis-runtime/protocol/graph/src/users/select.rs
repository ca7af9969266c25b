//! What a `$filter` leaves of a list of accounts.
//!
//! First everything that has to be asked for is, then each account is looked at.

use std::collections::HashSet;
use std::pin::Pin;

use ocis_core::Error;
use ocis_core::id::{GroupId, UserId};
use ocis_core::port::GetGroup;
use ocis_core::user::{User, UserRole, UserType};

use crate::error::Answer;
use crate::filter::{Filter, unsupported};
use crate::route::Call;

/// A condition that needs nobody to be asked any more.
enum Test {
    All(Vec<Self>),
    Any(Vec<Self>),
    OneOf(HashSet<UserId>),
    Type(UserType),
    /// The display name begins with this, in lower case.
    Begins(String),
    /// The display name contains this, in lower case.
    Contains(String),
}

impl Test {
    fn holds(&self, user: &User) -> bool {
        match self {
            Self::All(tests) => tests.iter().all(|test| test.holds(user)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(user)),
            Self::OneOf(ids) => ids.contains(&user.id),
            Self::Type(kind) => user.user_type == *kind,
            Self::Begins(text) => user.display_name.to_lowercase().starts_with(text),
            Self::Contains(text) => user.display_name.to_lowercase().contains(text),
        }
    }
}

/// The accounts for which `filter` holds, in the order in which they came.
pub(super) async fn matching(
    call: &Call<'_>,
    filter: &Filter,
    mut users: Vec<User>,
) -> Answer<Vec<User>> {
    let test = prepare(call, filter).await?;
    users.retain(|user| test.holds(user));
    Ok(users)
}

fn prepare<'a>(
    call: &'a Call<'_>,
    filter: &'a Filter,
) -> Pin<Box<dyn Future<Output = Answer<Test>> + Send + 'a>> {
    Box::pin(async move {
        match filter {
            Filter::And(parts) => prepare_all(call, parts).await.map(Test::All),
            Filter::Or(parts) => prepare_all(call, parts).await.map(Test::Any),
            _ => single(call, filter).await,
        }
    })
}

async fn prepare_all(call: &Call<'_>, filters: &[Filter]) -> Answer<Vec<Test>> {
    let mut tests = Vec::with_capacity(filters.len());
    for filter in filters {
        tests.push(prepare(call, filter).await?);
    }
    Ok(tests)
}

async fn single(call: &Call<'_>, filter: &Filter) -> Answer<Test> {
    if let Some(group) = filter.has_any("memberOf", "id") {
        let id = GroupId::parse(group).map_err(|_| Error::not_found("there is no such group"))?;
        let group = call.parts.groups.get(call.cx, GetGroup::Id(id)).await?;
        return Ok(Test::OneOf(group.members.into_iter().collect()));
    }
    if let Some(role) = filter.has_any("appRoleAssignments", "appRoleId") {
        let holders = match UserRole::of_id(role) {
            Some(role) => call.parts.roles.holders(call.cx, role).await?,
            None => Vec::new(),
        };
        return Ok(Test::OneOf(holders.into_iter().map(|held| held.user).collect()));
    }
    if let Some(text) = filter.applies("startswith", "displayName") {
        return Ok(Test::Begins(text.to_lowercase()));
    }
    if let Some(text) = filter.applies("contains", "displayName") {
        return Ok(Test::Contains(text.to_lowercase()));
    }
    if let Some(id) = filter.equals("id") {
        return Ok(Test::OneOf(UserId::parse(id).into_iter().collect()));
    }
    match filter.equals("userType") {
        Some("Member") => Ok(Test::Type(UserType::Member)),
        Some("Guest") => Ok(Test::Type(UserType::Guest)),
        Some("Federated") => Ok(Test::Type(UserType::Federated)),
        _ => Err(unsupported()),
    }
}
