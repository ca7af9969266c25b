//! The language that an account prefers: a setting of its profile.

use http::header;
use ocis_core::id::UserId;
use ocis_core::language::best;
use ocis_core::port::FindValue;
use ocis_core::setting::{
    Choice, Choices, LANGUAGE, PROFILE, Resource, ResourceKind, SettingValue,
};
use ocis_core::{ErrorKind, Result};

use crate::route::Call;

/// What the account chose, or the language of the server.
pub(crate) async fn of(call: &Call<'_>, user: &UserId) -> Result<String> {
    let chosen = chosen(call, user).await?;
    Ok(chosen.unwrap_or_else(|| call.parts.options.language.clone()))
}

async fn chosen(call: &Call<'_>, user: &UserId) -> Result<Option<String>> {
    let request = FindValue { account: user.clone(), setting: LANGUAGE.into() };
    let chosen = match call.parts.settings.find(call.cx, request).await {
        Ok(chosen) => chosen,
        // Nobody is kept from knowing who they are.
        Err(error) if error.kind() == ErrorKind::Unavailable => None,
        Err(error) => return Err(error),
    };
    Ok(chosen.as_ref().and_then(SettingValue::text).map(str::to_owned))
}

/// The language in which the caller is answered: the chosen one, or else the one that the client
/// likes best (`Accept-Language`, RFC 9110 section 12.5.4), or that of the server.
pub(crate) async fn to_answer_in(call: &Call<'_>) -> Result<String> {
    let user = &call.cx.caller.identity()?.id;
    if let Some(chosen) = chosen(call, user).await? {
        return Ok(chosen);
    }
    let liked = call.head.headers.get(header::ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok());
    Ok(liked.and_then(best).unwrap_or(&call.parts.options.language).to_owned())
}

/// Saves what the account prefers from now on.
pub(crate) async fn choose(call: &Call<'_>, user: &UserId, language: &str) -> Result<()> {
    let value = SettingValue {
        bundle_id: PROFILE.into(),
        setting_id: LANGUAGE.into(),
        account_uuid: user.to_string(),
        resource: Some(Resource::of(ResourceKind::TypeUser)),
        list_value: Some(Choices { values: vec![Choice::text(language)] }),
        ..SettingValue::default()
    };
    call.parts.settings.save(call.cx, value).await.map(|_| ())
}
