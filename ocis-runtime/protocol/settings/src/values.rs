//! What accounts chose.

use ocis_core::Error;
use ocis_core::id::UserId;
use ocis_core::port::{FindValue, ListValues};
use ocis_core::setting::{
    Bundle, Choice, Choices, LANGUAGE, PROFILE, Resource, ResourceKind, SettingValue,
};
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::route::Asked;

/// A value with the names of what it is for.
#[derive(Debug, Serialize)]
struct Named {
    identifier: Identifier,
    value: SettingValue,
}

#[derive(Debug, Default, Serialize)]
struct Identifier {
    extension: String,
    bundle: String,
    setting: String,
}

/// One value.
#[derive(Debug, Serialize)]
pub(crate) struct One {
    value: Named,
}

/// A list of values.
#[derive(Debug, Serialize)]
pub(crate) struct Many {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<Named>,
}

/// A value to be saved.
#[derive(Debug, Deserialize)]
struct Saved {
    value: SettingValue,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Which {
    id: String,
    #[serde(alias = "account_uuid")]
    account_uuid: String,
    #[serde(alias = "bundle_id")]
    bundle_id: String,
    #[serde(alias = "setting_id")]
    setting_id: String,
}

pub(crate) async fn save(asked: &Asked<'_>) -> Result<One, Failure> {
    let Saved { mut value } = asked.read()?;
    value.account_uuid = asked.account(&value.account_uuid);
    let about_user = |resource: &&mut Resource| resource.kind == ResourceKind::TypeUser;
    if let Some(resource) = value.resource.as_mut().filter(about_user) {
        resource.id = asked.account(&resource.id);
    }
    let saved = asked.parts.settings.save(asked.cx, value).await?;
    one(asked, saved).await
}

pub(crate) async fn get(asked: &Asked<'_>) -> Result<One, Failure> {
    let which: Which = asked.read()?;
    let value = asked.parts.settings.value(asked.cx, which.id).await?;
    one(asked, value).await
}

pub(crate) async fn find(asked: &Asked<'_>) -> Result<One, Failure> {
    let which: Which = asked.read()?;
    let account = asked.account(&which.account_uuid);
    let is_language = which.setting_id == LANGUAGE;
    let request = FindValue { account: UserId::parse(&account)?, setting: which.setting_id };
    match asked.parts.settings.find(asked.cx, request).await? {
        Some(value) => one(asked, value).await,
        None if is_language => Ok(One { value: language(asked, account) }),
        None => Err(Error::not_found("there is no such value").into()),
    }
}

/// The values of an account; the language is always among them.
pub(crate) async fn list(asked: &Asked<'_>) -> Result<Many, Failure> {
    let which: Which = asked.read()?;
    let account = asked.account(&which.account_uuid);
    let bundle = Some(which.bundle_id).filter(|bundle| !bundle.is_empty());
    let request = ListValues { account: UserId::parse(&account)?, bundle };
    let values = asked.parts.settings.values(asked.cx, request).await?;
    let has_language = values.iter().any(|value| value.setting_id == LANGUAGE);
    let bundles = asked.parts.settings.bundles(asked.cx, ()).await?;
    let mut values: Vec<_> =
        values.into_iter().filter_map(|value| named(&bundles, value)).collect();
    if !has_language {
        values.push(language(asked, account));
    }
    Ok(Many { values })
}

async fn one(asked: &Asked<'_>, value: SettingValue) -> Result<One, Failure> {
    let bundles = asked.parts.settings.bundles(asked.cx, ()).await?;
    let named = named(&bundles, value);
    Ok(One { value: named.ok_or_else(|| Error::not_found("there is no such setting"))? })
}

/// A value with its names; none when its setting is not there any more.
fn named(bundles: &[Bundle], value: SettingValue) -> Option<Named> {
    let bundle = bundles.iter().find(|bundle| bundle.id == value.bundle_id)?;
    let setting = bundle.settings.iter().find(|setting| setting.id == value.setting_id)?;
    let identifier = Identifier {
        extension: bundle.extension.clone(),
        bundle: bundle.name.clone(),
        setting: setting.name.clone(),
    };
    Some(Named { identifier, value })
}

/// The language of who has not chosen one.
fn language(asked: &Asked<'_>, account: String) -> Named {
    let value = SettingValue {
        bundle_id: PROFILE.to_owned(),
        setting_id: LANGUAGE.to_owned(),
        account_uuid: account,
        resource: Some(Resource::of(ResourceKind::TypeUser)),
        list_value: Some(Choices { values: vec![Choice::text(&*asked.parts.language)] }),
        ..SettingValue::default()
    };
    let identifier = Identifier {
        extension: "ocis-accounts".to_owned(),
        bundle: "profile".to_owned(),
        setting: "language".to_owned(),
    };
    Named { identifier, value }
}
