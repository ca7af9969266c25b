//! `POST /users`: an account, its role and its personal space.
//!
//! The account is there even when the rest could not be made: the role and the space that are
//! missing are made when its owner is first seen.

use http::StatusCode;
use ocis_core::data::Body;
use ocis_core::event::EventKind;
use ocis_core::port::{AssignRole, CreateSpace, NewUser};
use ocis_core::scope::Scope;
use ocis_core::user::{User, UserRole, UserType};
use ocis_core::{Caller, Cx, ErrorKind, Identity, Result};

use super::change::{Changes, user_type};
use super::names::{is_mail, is_username};
use crate::account::{Account, require_manager};
use crate::body::{self, json_as};
use crate::error::{Answer, Failure};
use crate::route::Call;

/// Makes an account, and gives it the default role and what that role comes with.
pub(crate) async fn create(call: &Call<'_>, body: Body) -> Answer {
    require_manager(call)?;
    let new = described(call, body::read(body).await?)?;
    let user = call.parts.provisioning.create_user(call.cx, new).await?;
    let with_role = call.parts.options.assign_default_role;
    if with_role {
        give_default_role(call, &user).await?;
    }
    call.tell(EventKind::UserCreated { user: user.id.clone() }).await;
    // Whether an account without a role has a space is not known before it gets one.
    if with_role && let Err(error) = make_home(call, &user).await {
        tracing::warn!(?error, user = %user.id, "a new account has no personal space yet");
    }
    json_as(StatusCode::CREATED, &Account::new(user))
}

fn described(call: &Call<'_>, wish: Changes) -> Answer<NewUser> {
    let missing = |name| Failure::invalid(format!("missing required Attribute: '{name}'"));
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let display_name = given(wish.display_name).ok_or_else(|| missing("displayName"))?;
    let username = given(wish.on_premises_sam_account_name)
        .ok_or_else(|| missing("onPremisesSamAccountName"))?;
    if call.parts.options.restrict_usernames && !is_username(&username) {
        return Err(Failure::invalid("Invalid username"));
    }
    if wish.mail.as_deref().is_some_and(|mail| !is_mail(mail)) {
        return Err(Failure::invalid("invalid email address"));
    }
    if wish.id.is_some() {
        return Err(Failure::invalid("user id is a read-only attribute"));
    }
    if wish.member_of.is_some() {
        return Err(Failure::invalid("memberOf is a read-only attribute"));
    }
    Ok(NewUser {
        id: None,
        display_name,
        given_name: wish.given_name.unwrap_or_default(),
        // Directories need one.
        surname: given(wish.surname).unwrap_or_else(|| username.clone()),
        username,
        mail: wish.mail.unwrap_or_default(),
        user_type: wish.user_type.map_or(Ok(UserType::Member), |name| user_type(&name))?,
        enabled: wish.account_enabled.unwrap_or(true),
        password: wish.password_profile.and_then(|profile| profile.wanted()),
        identities: wish.identities.unwrap_or_default().into_iter().map(Into::into).collect(),
    })
}

async fn give_default_role(call: &Call<'_>, user: &User) -> Answer<()> {
    let request = AssignRole { user: user.id.clone(), role: UserRole::User };
    let Err(error) = call.parts.roles.assign(call.cx, request).await else { return Ok(()) };
    if error.kind() == ErrorKind::Unavailable {
        // Who signs in without a role gets this one then.
        tracing::warn!(user = %user.id, "a new account did not get a role: nobody keeps roles");
        return Ok(());
    }
    tracing::error!(?error, user = %user.id, "a new account did not get a role");
    Err(Failure::Refused(
        StatusCode::INTERNAL_SERVER_ERROR,
        "generalException",
        "role assignment failed".into(),
    ))
}

/// Makes the personal space as its owner would when first seen: the storage writes down who that is.
/// The issuer is that of the caller, whose account is in the same directory.
async fn make_home(call: &Call<'_>, user: &User) -> Result<()> {
    let owner = Identity {
        id: user.id.clone(),
        idp: call.cx.caller.identity()?.idp.clone(),
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        mail: user.mail.clone(),
        groups: Vec::new(),
        role: UserRole::User,
        scope: Scope::Everything,
    };
    let cx = Cx { caller: Caller::User(owner.into()), ..call.cx.clone() };
    let request = CreateSpace {
        quota: call.parts.personal_quota(UserRole::User),
        ..CreateSpace::personal(user.id.clone(), &user.display_name)
    };
    match call.parts.spaces.create(&cx, request).await {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
