//! `/me`: the account of the caller.

use ocis_core::data::Body;
use ocis_core::port::FindUser;

use crate::account::{Account, Identity, expand};
use crate::body::{self, json};
use crate::error::{Answer, Failure};
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
    account.preferred_language = Some(call.parts.options.language.clone());
    expand(call, options, &user, &mut account).await?;
    json(&account)
}

/// `PATCH`: what somebody may change of the own account. Names and addresses are for those who
/// manage accounts, and a new password is asked for with the old one.
pub(crate) async fn patch(call: &Call<'_>, body: Body) -> Answer {
    let identity = call.cx.caller.identity()?;
    let changes: Changes = body::read(body).await?;
    if changes.display_name.is_some() {
        return Err(Failure::invalid("user is not allowed to change own displayname"));
    }
    if changes.mail.is_some() {
        return Err(Failure::invalid("user is not allowed to change own mail"));
    }
    if changes.password_profile.is_some() {
        return Err(Failure::invalid("the own password is changed with me/changePassword"));
    }
    if changes.preferred_language.is_some() {
        // The settings of accounts keep it, which this version has not.
        return Err(Failure::NotYet);
    }
    let user = call.parts.users.find(call.cx, FindUser::Id(identity.id.clone())).await?;
    change::apply(call, user, changes).await
}
