//! `/me`: the account of the caller.

use ocis_core::data::Body;
use ocis_core::event::{EventKind, Feature};
use ocis_core::port::FindUser;

use crate::account::{Account, Identity, expand};
use crate::body::{self, json};
use crate::error::{Answer, Failure};
use crate::language;
use crate::query::Options;
use crate::route::Call;
use crate::users::change::{self, Changes};

/// `GET`: the caller, with what `$expand` names.
pub(crate) async fn read(call: &Call<'_>, options: &Options) -> Answer {
    let identity = call.cx.caller.identity()?;
    let user = call.parts.users.find(call.cx, FindUser::Id(identity.id.clone())).await?;
    let mut account = Account::new(user.clone());
    if account.identities.is_empty() {
        account.identities.push(Identity {
            issuer: identity.idp.to_string(),
            issuer_assigned_id: identity.id.to_string(),
        });
    }
    account.preferred_language = Some(language::of(call, &user.id).await?);
    expand(call, options, &user, &mut account).await?;
    json(&account)
}

/// `PATCH`: what somebody may change of the own account. Names and addresses are for those who
/// manage accounts, and a new password is asked for with the old one.
pub(crate) async fn patch(call: &Call<'_>, body: Body) -> Answer {
    let identity = call.cx.caller.identity()?;
    let mut changes: Changes = body::read(body).await?;
    if changes.display_name.is_some() {
        return Err(Failure::invalid("user is not allowed to change own displayname"));
    }
    if changes.mail.is_some() {
        return Err(Failure::invalid("user is not allowed to change own mail"));
    }
    if changes.password_profile.is_some() {
        return Err(Failure::invalid("the own password is changed with me/changePassword"));
    }
    let chosen = changes.preferred_language.take();
    let user = call.parts.users.find(call.cx, FindUser::Id(identity.id.clone())).await?;
    let answer = change::apply(call, user.clone(), changes).await?;
    let Some(language) = chosen else { return Ok(answer) };
    language::choose(call, &user.id, &language).await?;
    let feature = Feature { name: "preferredLanguage".into(), value: language.clone(), old: None };
    let features = vec![feature];
    call.tell(EventKind::UserFeatureChanged { user: user.id.clone(), features }).await;
    let user = call.parts.users.find(call.cx, FindUser::Id(user.id)).await?;
    let mut account = Account::new(user);
    account.preferred_language = Some(language);
    json(&account)
}
