//! The settings of accounts as the port [`Settings`], as oCIS's settings service keeps them: one
//! document `settings/values/<value>` for each value, and `settings/bundles/<bundle>` for what was
//! added to the bundles that are built in.
//!
//! oCIS reads all values of all accounts to find those of one. Here, which account has which is read
//! once and then known: this is the only part of the server that writes these documents.

mod check;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::id::UserId;
use ocis_core::port::{
    DocumentCondition, DocumentKey, FindValue, KeyValue, ListValues, PutDocument, Settings,
};
use ocis_core::role::RolePermission;
use ocis_core::setting::{Bundle, BundleKind, SettingValue};
use ocis_core::{Caller, Cx, Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::roles::SETTINGS_SPACE;

const VALUES: &str = "settings/values";
const BUNDLES: &str = "settings/bundles";

/// The settings of accounts.
pub struct SettingStore {
    documents: Arc<dyn KeyValue>,
    /// Held for a whole change, so that an account has one value of a setting.
    known: Mutex<Option<Known>>,
}

/// Which account has which values: pairs of setting and value, by account. The values that hold for
/// all stand under the empty text.
type Known = HashMap<String, Vec<(String, String)>>;

impl std::fmt::Debug for SettingStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SettingStore").finish_non_exhaustive()
    }
}

impl SettingStore {
    /// The settings in `documents`.
    pub fn new(documents: Arc<dyn KeyValue>) -> Self {
        Self { documents, known: Mutex::default() }
    }

    async fn read<T: DeserializeOwned>(&self, cx: &Cx, path: String) -> Result<Option<T>> {
        let Some(document) = self.documents.get(cx, key(path)).await? else { return Ok(None) };
        let read = serde_json::from_slice(&document.content);
        read.map(Some).map_err(|error| Error::internal("a setting is damaged").because(error))
    }

    async fn write(&self, cx: &Cx, path: String, what: &impl Serialize) -> Result<()> {
        let content = serde_json::to_vec(what)
            .map_err(|error| Error::internal("a setting cannot be written").because(error))?;
        let put = PutDocument { key: key(path), content, condition: DocumentCondition::None };
        self.documents.put(cx, put).await.map(drop)
    }

    /// Reads which values there are, unless that is known.
    async fn know<'k>(&self, cx: &Cx, known: &'k mut Option<Known>) -> Result<&'k mut Known> {
        if known.is_none() {
            let mut found = Known::new();
            for id in self.documents.names(cx, key(VALUES.into())).await? {
                match self.read::<SettingValue>(cx, format!("{VALUES}/{id}")).await {
                    Ok(Some(value)) => {
                        found.entry(value.account_uuid).or_default().push((value.setting_id, id));
                    }
                    Ok(None) => {}
                    // One value must not take all others away.
                    Err(error) if error.kind() == ErrorKind::Internal => {
                        tracing::warn!(?error, value = id, "a setting is left out");
                    }
                    Err(error) => return Err(error),
                }
            }
            *known = Some(found);
        }
        Ok(known.get_or_insert_default())
    }

    /// The ids of the values of an account, and with them those that hold for all.
    async fn ids(&self, cx: &Cx, account: &UserId) -> Result<Vec<(String, String)>> {
        let mut known = self.known.lock().await;
        let known = self.know(cx, &mut known).await?;
        let of = |account: &str| known.get(account).cloned().unwrap_or_default();
        Ok([of(account.as_str()), of("")].concat())
    }

    /// The bundle of this id, built in or added.
    async fn bundle(&self, cx: &Cx, id: &str) -> Result<Option<Bundle>> {
        match Bundle::built_in().into_iter().find(|bundle| bundle.id == id) {
            Some(bundle) => Ok(Some(bundle)),
            None if Uuid::try_parse(id).is_err() => Ok(None),
            None => self.read(cx, format!("{BUNDLES}/{id}")).await,
        }
    }
}

/// The documents belong to this part of the server, whoever asks.
fn own(cx: &Cx) -> Cx {
    Cx { caller: Caller::Service("settings".into()), ..cx.clone() }
}

fn key(path: String) -> DocumentKey {
    DocumentKey { space: SETTINGS_SPACE.to_owned(), path }
}

/// Refuses unless it is the caller's own, or a part of the server asks.
fn is_own(cx: &Cx, account: &str) -> Result<()> {
    match &cx.caller {
        Caller::Service(_) => Ok(()),
        Caller::User(identity) if identity.id.as_str() == account => Ok(()),
        Caller::User(_) => Err(Error::denied("these are the settings of somebody else")),
        Caller::Anonymous => Err(Error::unauthenticated("you are not signed in")),
    }
}

#[async_trait]
impl Settings for SettingStore {
    async fn values(&self, cx: &Cx, request: ListValues) -> Result<Vec<SettingValue>> {
        is_own(cx, request.account.as_str())?;
        let cx = &own(cx);
        let mut values = Vec::new();
        for (_, id) in self.ids(cx, &request.account).await? {
            let value = self.read::<SettingValue>(cx, format!("{VALUES}/{id}")).await?;
            let wanted = |value: &SettingValue| {
                request.bundle.as_ref().is_none_or(|bundle| *bundle == value.bundle_id)
            };
            values.extend(value.filter(wanted));
        }
        Ok(values)
    }

    async fn find(&self, cx: &Cx, request: FindValue) -> Result<Option<SettingValue>> {
        is_own(cx, request.account.as_str())?;
        let cx = &own(cx);
        let ids = self.ids(cx, &request.account).await?;
        match ids.into_iter().find(|(setting, _)| *setting == request.setting) {
            Some((_, id)) => self.read(cx, format!("{VALUES}/{id}")).await,
            None => Ok(None),
        }
    }

    async fn value(&self, cx: &Cx, id: String) -> Result<SettingValue> {
        let nothing = || Error::not_found("there is no such value");
        let id = Uuid::try_parse(&id).map_err(|_| nothing())?;
        let value: Option<SettingValue> = self.read(&own(cx), format!("{VALUES}/{id}")).await?;
        let value = value.ok_or_else(nothing)?;
        if !value.account_uuid.is_empty() && is_own(cx, &value.account_uuid).is_err() {
            return Err(nothing());
        }
        Ok(value)
    }

    async fn save(&self, cx: &Cx, mut value: SettingValue) -> Result<SettingValue> {
        is_own(cx, &value.account_uuid)?;
        UserId::parse(&value.account_uuid)?;
        let cx = &own(cx);
        let bundle = self.bundle(cx, &value.bundle_id).await?;
        let bundle = bundle.filter(|bundle| bundle.kind == BundleKind::Default);
        let bundle = bundle.ok_or_else(|| Error::not_found("there is no such bundle"))?;
        check::value(&bundle, &value)?;
        let mut known = self.known.lock().await;
        let known = self.know(cx, &mut known).await?;
        let mine = known.entry(value.account_uuid.clone()).or_default();
        // Whatever id the client sends, it cannot reach the value of another account or setting.
        let there = mine.iter().find(|(setting, _)| *setting == value.setting_id);
        value.id = there.map_or_else(|| Uuid::new_v4().to_string(), |(_, id)| id.clone());
        let is_new = there.is_none();
        self.write(cx, format!("{VALUES}/{}", value.id), &value).await?;
        if is_new {
            mine.push((value.setting_id.clone(), value.id.clone()));
        }
        Ok(value)
    }

    async fn forget(&self, cx: &Cx, account: UserId) -> Result<()> {
        if !matches!(cx.caller, Caller::Service(_)) {
            return Err(Error::denied("this is for the server itself"));
        }
        let mut known = self.known.lock().await;
        let known = self.know(cx, &mut known).await?;
        for (_, id) in known.get(account.as_str()).cloned().unwrap_or_default() {
            self.documents.remove(cx, key(format!("{VALUES}/{id}"))).await?;
        }
        known.remove(account.as_str());
        Ok(())
    }

    async fn bundles(&self, cx: &Cx, (): ()) -> Result<Vec<Bundle>> {
        let cx = &own(cx);
        let mut bundles = vec![Bundle::profile()];
        for id in self.documents.names(cx, key(BUNDLES.into())).await? {
            if Bundle::built_in().iter().any(|bundle| bundle.id == id) {
                continue;
            }
            let bundle = self.read::<Bundle>(cx, format!("{BUNDLES}/{id}")).await?;
            bundles.extend(bundle.filter(|bundle| bundle.kind == BundleKind::Default));
        }
        Ok(bundles)
    }

    async fn save_bundle(&self, cx: &Cx, mut bundle: Bundle) -> Result<Bundle> {
        if bundle.kind == BundleKind::Role {
            cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
            return Err(Error::denied("roles cannot be added or changed"));
        }
        cx.caller.require(&RolePermission::SETTINGS_READ_WRITE)?;
        if bundle.id.is_empty() {
            bundle.id = Uuid::new_v4().to_string();
        }
        if Bundle::built_in().iter().any(|there| there.id == bundle.id) {
            return Err(Error::denied("this bundle cannot be changed"));
        }
        for setting in bundle.settings.iter_mut().filter(|setting| setting.id.is_empty()) {
            setting.id = Uuid::new_v4().to_string();
        }
        check::bundle(&bundle)?;
        self.write(&own(cx), format!("{BUNDLES}/{}", bundle.id), &bundle).await?;
        Ok(bundle)
    }
}
