//! `POST /users`.
//!
//! The personal space of a new account is made when its owner is first seen, as in oCIS: only then
//! it is known by which issuer, and the proxy has the quotas of roles.

use http::StatusCode;
use ocis_core::ErrorKind;
use ocis_core::data::Body;
use ocis_core::event::EventKind;
use ocis_core::port::{AssignRole, NewUser};
use ocis_core::user::{User, UserRole, UserType};

use super::change::{Changes, user_type};
use super::names::{is_mail, is_username};
use crate::account::{Account, require_manager};
use crate::body::{self, json_as};
use crate::error::{Answer, Failure};
use crate::route::Call;

/// Makes an account, and gives it the default role.
pub(crate) async fn create(call: &Call<'_>, body: Body) -> Answer {
    require_manager(call)?;
    let new = described(call, body::read(body).await?)?;
    let user = call.parts.provisioning.create_user(call.cx, new).await?;
    if call.parts.options.assign_default_role {
        give_default_role(call, &user).await?;
    }
    call.tell(EventKind::UserCreated { user: user.id.clone() }).await;
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
