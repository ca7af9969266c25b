//! What can be saved: oCIS checks ids and names; here a value must also fit its setting.

use ocis_core::setting::{Bundle, Resource, ResourceKind, Setting, SettingValue};
use ocis_core::{Error, Result};
use serde::Serialize;
use uuid::Uuid;

/// The longest form of a value or bundle in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Refuses a value that its setting cannot have.
pub(super) fn value(bundle: &Bundle, value: &SettingValue) -> Result<()> {
    about(value.resource.as_ref())?;
    short(value)?;
    let setting = bundle.settings.iter().find(|setting| setting.id == value.setting_id);
    let setting = setting.ok_or_else(|| Error::not_found("there is no such setting"))?;
    if value.kinds() != 1 {
        return Err(Error::invalid("it needs a value of one kind"));
    }
    let fits = match setting.value.keys().next().map(String::as_str) {
        Some("boolValue") => value.bool_value.is_some(),
        Some("intValue") => value.int_value.is_some(),
        Some("stringValue") => value.string_value.is_some(),
        Some("singleChoiceValue") => {
            // Web sends a list of one, scripts a text.
            value.list_value.is_some() || value.string_value.is_some()
        }
        Some("multiChoiceValue") => value.list_value.is_some(),
        Some("multiChoiceCollectionValue") => value.collection_value.is_some(),
        _ => false,
    };
    if !fits {
        return Err(Error::invalid("the setting cannot have a value of this kind"));
    }
    if let Some(choices) = setting.choices()
        && value.text().is_none_or(|text| !choices.contains(&text))
    {
        return Err(Error::invalid("this cannot be chosen"));
    }
    Ok(())
}

/// Refuses a bundle that is not whole.
pub(super) fn bundle(bundle: &Bundle) -> Result<()> {
    short(bundle)?;
    is_uuid(&bundle.id)?;
    is_name(&bundle.name)?;
    is_name(&bundle.extension)?;
    about(bundle.resource.as_ref())?;
    if bundle.kind != ocis_core::setting::BundleKind::Default {
        return Err(Error::invalid("a bundle needs the type TYPE_DEFAULT"));
    }
    if bundle.display_name.is_empty() || bundle.settings.is_empty() {
        return Err(Error::invalid("a bundle needs a name to show and settings"));
    }
    bundle.settings.iter().try_for_each(setting)
}

fn setting(setting: &Setting) -> Result<()> {
    is_uuid(&setting.id)?;
    is_name(&setting.name)?;
    about(setting.resource.as_ref())?;
    if setting.value.len() != 1 {
        return Err(Error::invalid("a setting needs values of one kind"));
    }
    Ok(())
}

fn about(resource: Option<&Resource>) -> Result<()> {
    match resource {
        Some(resource) if resource.kind != ResourceKind::TypeUnknown => Ok(()),
        _ => Err(Error::invalid("it needs a resource with a type")),
    }
}

fn short(what: &impl Serialize) -> Result<()> {
    match serde_json::to_vec(what) {
        Ok(bytes) if bytes.len() <= MAX_BYTES => Ok(()),
        _ => Err(Error::invalid("it is too long")),
    }
}

fn is_uuid(text: &str) -> Result<()> {
    Uuid::try_parse(text).map(drop).map_err(|_| Error::invalid("an id must be a UUID"))
}

fn is_name(text: &str) -> Result<()> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match !text.is_empty() && text.bytes().all(legal) {
        true => Ok(()),
        false => Err(Error::invalid("a name needs letters, digits, - and _ only")),
    }
}
