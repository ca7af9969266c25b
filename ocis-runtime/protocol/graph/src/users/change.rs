//! `PATCH /users/{id or name}`, and what can be said of an account in a body.

use http::StatusCode;
use ocis_core::config::Secret;
use ocis_core::data::Body;
use ocis_core::event::{EventKind, Feature};
use ocis_core::port::{ChangeUser, UserChange};
use ocis_core::user::{ExternalIdentity, User, UserType};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::names::{is_mail, is_username};
use crate::account::{Account, find, require_manager, type_name};
use crate::body::{self, json, nothing};
use crate::error::{Answer, Failure};
use crate::route::Call;

/// An account in a body; what is missing or `null` stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what oCIS reads and does not act on is read, and else refused")]
pub(crate) struct Changes {
    pub(super) account_enabled: Option<bool>,
    app_role_assignments: Option<IgnoredAny>,
    pub(crate) display_name: Option<String>,
    drive: Option<IgnoredAny>,
    drives: Option<IgnoredAny>,
    pub(super) given_name: Option<String>,
    pub(super) id: Option<String>,
    pub(super) identities: Option<Vec<Known>>,
    pub(crate) mail: Option<String>,
    pub(super) member_of: Option<IgnoredAny>,
    pub(super) on_premises_sam_account_name: Option<String>,
    pub(crate) password_profile: Option<PasswordProfile>,
    pub(crate) preferred_language: Option<String>,
    pub(super) surname: Option<String>,
    pub(super) user_type: Option<String>,
}

/// The account as another issuer knows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Known {
    issuer: String,
    issuer_assigned_id: String,
    #[serde(rename = "signInType")]
    _sign_in_type: Option<String>,
}

impl From<Known> for ExternalIdentity {
    fn from(known: Known) -> Self {
        Self { issuer: known.issuer, id: known.issuer_assigned_id }
    }
}

/// A password in a body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasswordProfile {
    #[serde(rename = "forceChangePasswordNextSignIn")]
    _force_change: Option<bool>,
    password: Option<Secret>,
}

impl PasswordProfile {
    /// The password, if there is one; the empty one is none.
    pub(super) fn wanted(self) -> Option<Secret> {
        self.password.filter(|password| !password.is_empty())
    }
}

/// The kind of account of this name; those of other servers are not made here.
pub(super) fn user_type(name: &str) -> Answer<UserType> {
    match &*name.to_lowercase() {
        "member" => Ok(UserType::Member),
        "guest" => Ok(UserType::Guest),
        _ => Err(Failure::invalid(
            "invalid userType attribute, valid options are 'Member' or 'Guest'",
        )),
    }
}

/// Changes the account of this id or name.
pub(crate) async fn patch(call: &Call<'_>, name_or_id: &str, body: Body) -> Answer {
    require_manager(call)?;
    let changes: Changes = body::read(body).await?;
    if changes.preferred_language.is_some() {
        return Err(Failure::invalid("user is not allowed to change other users language"));
    }
    let user = find(call, name_or_id).await?;
    apply(call, user, changes).await
}

impl Changes {
    /// Whether nothing is said.
    fn is_empty(&self) -> bool {
        matches!(
            self,
            Self {
                account_enabled: None,
                app_role_assignments: None,
                display_name: None,
                drive: None,
                drives: None,
                given_name: None,
                id: None,
                identities: None,
                mail: None,
                member_of: None,
                on_premises_sam_account_name: None,
                password_profile: None,
                preferred_language: None,
                surname: None,
                user_type: None,
            }
        )
    }
}

/// Makes `user` what is wanted; 204 when that is nothing.
pub(crate) async fn apply(call: &Call<'_>, user: User, wish: Changes) -> Answer {
    if wish.id.as_deref().is_some_and(|id| id != user.id.as_str()) {
        return Err(Failure::Refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "notAllowed",
            "changing the UserId is not allowed".into(),
        ));
    }
    if wish.is_empty() {
        return Ok(nothing());
    }
    let change = checked(call, wish)?;
    if change.is_empty() {
        return json(&Account::new(user));
    }
    let features = features(&user, &change);
    let request = ChangeUser { user: user.id.clone(), change };
    let changed = call.parts.provisioning.change_user(call.cx, request).await?;
    call.tell(EventKind::UserFeatureChanged { user: user.id, features }).await;
    json(&Account::new(changed))
}

fn checked(call: &Call<'_>, wish: Changes) -> Answer<UserChange> {
    if let Some(name) = &wish.on_premises_sam_account_name
        && (name.is_empty() || call.parts.options.restrict_usernames && !is_username(name))
    {
        return Err(Failure::invalid("Invalid username"));
    }
    if let Some(mail) = &wish.mail
        && !is_mail(mail)
    {
        return Err(Failure::invalid(format!("'{mail}' is not a valid email address")));
    }
    // oCIS takes an empty name for none.
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(UserChange {
        username: wish.on_premises_sam_account_name,
        display_name: given(wish.display_name),
        given_name: given(wish.given_name),
        surname: given(wish.surname),
        mail: wish.mail,
        user_type: wish.user_type.map(|name| user_type(&name)).transpose()?,
        enabled: wish.account_enabled,
        password: wish.password_profile.and_then(PasswordProfile::wanted),
        identities: wish.identities.map(|known| known.into_iter().map(Into::into).collect()),
    })
}

/// What is told of a change, under oCIS's names; never a password.
fn features(before: &User, change: &UserChange) -> Vec<Feature> {
    let feature =
        |name: &str, value: String, old: Option<String>| Feature { name: name.into(), value, old };
    let mut features = Vec::new();
    if let Some(mail) = &change.mail {
        features.push(feature("email", mail.clone(), Some(before.mail.clone())));
    }
    if let Some(name) = &change.display_name {
        features.push(feature("displayname", name.clone(), Some(before.display_name.clone())));
    }
    if let Some(kind) = change.user_type {
        let old = type_name(before.user_type).to_owned();
        features.push(feature("userType", type_name(kind).to_owned(), Some(old)));
    }
    if let Some(enabled) = change.enabled {
        let old = before.enabled.to_string();
        features.push(feature("accountEnabled", enabled.to_string(), Some(old)));
    }
    if change.password.is_some() {
        features.push(feature("passwordChanged", String::new(), None));
    }
    features
}
