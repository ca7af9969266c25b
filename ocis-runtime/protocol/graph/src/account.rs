//! An account as libre.graph shows it, and what of it can be asked for in addition.

use std::collections::HashMap;

use ocis_core::id::{GroupId, UserId};
use ocis_core::port::{FindUser, GetGroup, ListGroups, ListUsers};
use ocis_core::role::{Constraint, RolePermission};
use ocis_core::user::{Group, User, UserType};
use ocis_core::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::assignments::{self, Assignment};
use crate::drives::{self, Drive};
use crate::error::{Answer, Failure};
use crate::query::Options;
use crate::route::Call;

/// An account. Fields are in the order of their names, as oCIS writes them.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    #[serde(skip_serializing_if = "Option::is_none")]
    account_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app_role_assignments: Option<Vec<Assignment>>,
    pub(crate) display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drive: Option<Drive>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drives: Option<Vec<Drive>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) identities: Vec<Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) member_of: Option<Vec<GroupName>>,
    /// Empty for who may not know it, as in oCIS.
    pub(crate) on_premises_sam_account_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preferred_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    surname: Option<String>,
    user_type: &'static str,
}

/// By which issuer and id others know the account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    pub(crate) issuer: String,
    pub(crate) issuer_assigned_id: String,
}

/// A group without its members.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupName {
    pub(crate) display_name: String,
    group_types: [&'static str; 0],
    pub(crate) id: String,
}

impl Account {
    /// All that is known of an account.
    pub(crate) fn new(user: User) -> Self {
        let identities = user.identities.into_iter();
        Self {
            account_enabled: Some(user.enabled),
            display_name: user.display_name,
            given_name: filled(user.given_name),
            id: user.id.to_string(),
            identities: identities
                .map(|known| Identity { issuer: known.issuer, issuer_assigned_id: known.id })
                .collect(),
            mail: filled(user.mail),
            on_premises_sam_account_name: user.username,
            surname: Some(user.surname),
            user_type: type_name(user.user_type),
            ..Self::default()
        }
    }

    /// What everybody may know of an account.
    pub(crate) fn limited(user: User, show_mail: bool) -> Self {
        Self {
            display_name: user.display_name,
            id: user.id.to_string(),
            mail: filled(user.mail).filter(|_| show_mail),
            user_type: type_name(user.user_type),
            ..Self::default()
        }
    }

    /// As much of an account as the caller may know.
    pub(crate) fn visible(call: &Call<'_>, user: User) -> Self {
        match may_know(call, &user.id) {
            true => Self::new(user),
            false => Self::limited(user, call.parts.options.show_mail),
        }
    }
}

impl From<Group> for GroupName {
    fn from(group: Group) -> Self {
        Self { display_name: group.name, group_types: [], id: group.id.to_string() }
    }
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// The name of a kind of account in `userType`.
pub(crate) fn type_name(kind: UserType) -> &'static str {
    match kind {
        UserType::Member => "Member",
        UserType::Guest => "Guest",
        UserType::Federated => "Federated",
    }
}

/// Whether the caller manages accounts.
pub(crate) fn is_manager(call: &Call<'_>) -> bool {
    call.cx.caller.reach(&RolePermission::ACCOUNTS_READ_WRITE) == Some(Constraint::All)
}

/// Refuses callers who do not manage accounts, in oCIS's word.
pub(crate) fn require_manager(call: &Call<'_>) -> Answer<()> {
    call.cx.caller.identity()?;
    match is_manager(call) {
        true => Ok(()),
        false => Err(Failure::denied("Forbidden")),
    }
}

/// Whether the caller may know all of an account: everybody of the own one.
pub(crate) fn may_know(call: &Call<'_>, user: &UserId) -> bool {
    let own = call.cx.caller.identity().is_ok_and(|identity| identity.id == *user);
    own || is_manager(call)
}

/// The account of this id, or of this name; [`ErrorKind::NotFound`] when there is none.
pub(crate) async fn find(call: &Call<'_>, name_or_id: &str) -> Result<User> {
    let users = &call.parts.users;
    if let Ok(id) = UserId::parse(name_or_id) {
        match users.find(call.cx, FindUser::Id(id)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found,
        }
    }
    users.find(call.cx, FindUser::Username(name_or_id.into())).await
}

/// The account of exactly this id.
pub(crate) async fn by_id(call: &Call<'_>, id: &str) -> Result<User> {
    let id = UserId::parse(id).map_err(|_| Error::not_found("there is no such user"))?;
    call.parts.users.find(call.cx, FindUser::Id(id)).await
}

/// All accounts that a search finds.
pub(crate) async fn all(call: &Call<'_>, search: Option<&str>) -> Result<Vec<User>> {
    let mut request = ListUsers { search: search.map(str::to_owned), ..ListUsers::default() };
    let mut users = Vec::new();
    loop {
        let page = call.parts.users.list(call.cx, request.clone()).await?;
        users.extend(page.items);
        if page.next.is_none() {
            return Ok(users);
        }
        request.page.cursor = page.next;
    }
}

/// All groups that a search finds.
pub(crate) async fn all_groups(call: &Call<'_>, search: Option<&str>) -> Result<Vec<Group>> {
    let mut request = ListGroups { search: search.map(str::to_owned), ..ListGroups::default() };
    let mut groups = Vec::new();
    loop {
        let page = call.parts.groups.list(call.cx, request.clone()).await?;
        groups.extend(page.items);
        if page.next.is_none() {
            return Ok(groups);
        }
        request.page.cursor = page.next;
    }
}

/// The names of groups, each asked for once in a request.
#[derive(Debug, Default)]
pub(crate) struct GroupNames(HashMap<GroupId, Option<GroupName>>);

impl GroupNames {
    /// The groups of these ids, without those that were removed meanwhile.
    pub(crate) async fn of(&mut self, call: &Call<'_>, ids: &[GroupId]) -> Result<Vec<GroupName>> {
        let mut names = Vec::with_capacity(ids.len());
        for id in ids {
            if !self.0.contains_key(id) {
                let found = call.parts.groups.get(call.cx, GetGroup::Id(id.clone())).await;
                let name = match found {
                    Ok(group) => Some(group.into()),
                    Err(error) if error.kind() == ErrorKind::NotFound => None,
                    Err(error) => return Err(error),
                };
                self.0.insert(id.clone(), name);
            }
            names.extend(self.0.get(id).cloned().flatten());
        }
        Ok(names)
    }
}

/// Adds what `$expand` names of one account.
pub(crate) async fn expand(
    call: &Call<'_>,
    options: &Options,
    user: &User,
    account: &mut Account,
) -> Answer<()> {
    options.plain_expand()?;
    if options.expands("memberOf") {
        account.member_of = Some(GroupNames::default().of(call, &user.groups).await?);
    }
    if options.expands("appRoleAssignments") {
        account.app_role_assignments = Some(assignments::of(call, &user.id).await?);
    }
    let (drive, drives) = (options.expands("drive"), options.expands("drives"));
    if drive || drives {
        let (own, others) = drives::of_user(call, &user.id).await?;
        account.drive = own.filter(|_| drive);
        account.drives = Some(others).filter(|_| drives);
    }
    Ok(())
}
