//! Bundles of settings, and the roles, which are bundles of permissions.

use ocis_core::Error;
use ocis_core::role::RolePermission;
use ocis_core::setting::{Bundle, BundleKind, Resource, ResourceKind, Setting};
use ocis_core::user::UserRole;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::german::translated;
use crate::permissions::is_about;
use crate::route::Asked;

/// One bundle, in a request or an answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct One {
    bundle: Bundle,
}

/// A list of bundles.
#[derive(Debug, Serialize)]
pub(crate) struct Many {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bundles: Vec<Bundle>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Which {
    #[serde(alias = "bundle_id")]
    bundle_id: String,
    #[serde(alias = "bundle_ids")]
    bundle_ids: Vec<String>,
    #[serde(alias = "setting_id")]
    setting_id: String,
}

impl Which {
    fn wants(&self, bundle: &Bundle) -> bool {
        self.bundle_ids.is_empty() || self.bundle_ids.contains(&bundle.id)
    }
}

/// A setting to be added to a bundle.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Added {
    #[serde(alias = "bundle_id")]
    bundle_id: String,
    setting: Setting,
}

/// The setting that was added.
#[derive(Debug, Serialize)]
pub(crate) struct OneSetting {
    setting: Setting,
}

pub(crate) async fn save(asked: &Asked<'_>) -> Result<One, Failure> {
    let One { bundle } = asked.read()?;
    Ok(One { bundle: asked.parts.settings.save_bundle(asked.cx, bundle).await? })
}

pub(crate) async fn get(asked: &Asked<'_>) -> Result<One, Failure> {
    let which: Which = asked.read()?;
    let mut all = asked.parts.settings.bundles(asked.cx, ()).await?;
    all.extend(UserRole::ALL.map(Bundle::role));
    let found = all.into_iter().find(|bundle| bundle.id == which.bundle_id);
    let is_german = asked.is_german().await?;
    let bundle = found.map(|bundle| shown(bundle, asked.caller.role, is_german));
    let bundle = bundle.filter(|bundle| !bundle.settings.is_empty());
    Ok(One { bundle: bundle.ok_or_else(no_bundle)? })
}

pub(crate) async fn list(asked: &Asked<'_>) -> Result<Many, Failure> {
    let which: Which = asked.read()?;
    let mut bundles = asked.parts.settings.bundles(asked.cx, ()).await?;
    bundles.retain(|bundle| which.wants(bundle));
    let is_german = asked.is_german().await?;
    let bundles = bundles.into_iter().map(|bundle| shown(bundle, asked.caller.role, is_german));
    Ok(Many { bundles: bundles.filter(|bundle| !bundle.settings.is_empty()).collect() })
}

/// The roles; everybody sees them, as in oCIS.
pub(crate) fn roles(asked: &Asked<'_>) -> Result<Many, Failure> {
    let which: Which = asked.read()?;
    let mut bundles: Vec<_> = UserRole::ALL.map(Bundle::role).into_iter().collect();
    bundles.retain(|bundle| which.wants(bundle));
    bundles.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    Ok(Many { bundles })
}

pub(crate) async fn add_setting(asked: &Asked<'_>) -> Result<OneSetting, Failure> {
    let Added { bundle_id, setting } = asked.read()?;
    let mut bundle = to_change(asked, &bundle_id).await?;
    bundle.settings.push(setting);
    let saved = asked.parts.settings.save_bundle(asked.cx, bundle).await?;
    let added = saved.settings.into_iter().next_back();
    Ok(OneSetting { setting: added.ok_or_else(no_bundle)? })
}

pub(crate) async fn remove_setting(asked: &Asked<'_>) -> Result<(), Failure> {
    let which: Which = asked.read()?;
    let mut bundle = to_change(asked, &which.bundle_id).await?;
    bundle.settings.retain(|setting| setting.id != which.setting_id);
    asked.parts.settings.save_bundle(asked.cx, bundle).await?;
    Ok(())
}

/// The bundle of this id, for who may change it.
async fn to_change(asked: &Asked<'_>, id: &str) -> Result<Bundle, Failure> {
    asked.cx.caller.require(&RolePermission::SETTINGS_READ_WRITE)?;
    let bundles = asked.parts.settings.bundles(asked.cx, ()).await?;
    let found = bundles.into_iter().find(|bundle| bundle.id == id);
    Ok(found.ok_or_else(no_bundle)?)
}

fn no_bundle() -> Error {
    Error::not_found("there is no such bundle")
}

/// What of a bundle somebody with this role sees, in the language that is wanted.
fn shown(bundle: Bundle, role: UserRole, is_german: bool) -> Bundle {
    let bundle = seen(bundle, role);
    if is_german { translated(bundle) } else { bundle }
}

/// What of a bundle somebody with this role sees: the settings that the role may at least read.
fn seen(mut bundle: Bundle, role: UserRole) -> Bundle {
    let may_read = |kind: ResourceKind, id: &str| {
        let about = Resource { kind, id: id.to_owned() };
        RolePermission::ALL.iter().any(|permission| {
            matches!(permission.operation, "READ" | "READWRITE")
                && permission.of(role).is_some()
                && is_about(permission, &about)
        })
    };
    if bundle.kind == BundleKind::Default && may_read(ResourceKind::TypeBundle, &bundle.id) {
        return bundle;
    }
    bundle.settings.retain(|setting| may_read(ResourceKind::TypeSetting, &setting.id));
    bundle
}
