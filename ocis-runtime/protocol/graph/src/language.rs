//! The language that an account prefers: a setting of its profile.

use ocis_core::id::UserId;
use ocis_core::port::FindValue;
use ocis_core::setting::{
    Choice, Choices, LANGUAGE, PROFILE, Resource, ResourceKind, SettingValue,
};
use ocis_core::{ErrorKind, Result};

use crate::route::Call;

/// What the account chose, or the language of the server.
pub(crate) async fn of(call: &Call<'_>, user: &UserId) -> Result<String> {
    let request = FindValue { account: user.clone(), setting: LANGUAGE.into() };
    let chosen = match call.parts.settings.find(call.cx, request).await {
        Ok(chosen) => chosen,
        // Nobody is kept from knowing who they are.
        Err(error) if error.kind() == ErrorKind::Unavailable => None,
        Err(error) => return Err(error),
    };
    let chosen = chosen.as_ref().and_then(SettingValue::text);
    Ok(chosen.unwrap_or(&call.parts.options.language).to_owned())
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
