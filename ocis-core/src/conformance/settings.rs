//! What everybody who keeps settings of accounts must do.

use std::sync::Arc;

use super::subject::{person, refused};
use crate::cx::{Caller, Cx, Identity};
use crate::error::ErrorKind;
use crate::id::UserId;
use crate::port::{FindValue, ListValues, Settings};
use crate::setting::{
    AUTO_ACCEPT_SHARES, Bundle, BundleKind, Choice, Choices, LANGUAGE, PROFILE, Resource,
    ResourceKind, SettingValue,
};
use crate::user::UserRole;

fn list(account: &str) -> ListValues {
    ListValues { account: UserId::parse(account).unwrap(), bundle: None }
}

fn value(account: &str, setting: &str) -> SettingValue {
    SettingValue {
        bundle_id: PROFILE.into(),
        setting_id: setting.into(),
        account_uuid: account.into(),
        resource: Some(Resource::of(ResourceKind::TypeUser)),
        ..SettingValue::default()
    }
}

fn language(account: &str, language: &str) -> SettingValue {
    let list_value = Some(Choices { values: vec![Choice::text(language)] });
    SettingValue { list_value, ..value(account, LANGUAGE) }
}

/// Runs everything about settings, on a port where nobody called `s-…` chose anything.
pub async fn settings(port: &dyn Settings) {
    let (ada, bob) = (person("s-ada", 0), person("s-bob", 0));
    let server = Cx { caller: Caller::Service("test".into()), ..ada.clone() };
    assert_eq!(port.values(&ada, list("s-ada")).await.unwrap(), []);
    let saved = port.save(&ada, language("s-ada", "de")).await.unwrap();
    let accepts = SettingValue { bool_value: Some(false), ..value("s-ada", AUTO_ACCEPT_SHARES) };
    port.save(&ada, accepts).await.unwrap();
    assert_eq!(port.values(&ada, list("s-ada")).await.unwrap().len(), 2);
    assert_eq!(port.value(&ada, saved.id.clone()).await.unwrap(), saved);
    let again = port.save(&ada, language("s-ada", "fr")).await.unwrap();
    assert_eq!((again.id.as_str(), again.text()), (saved.id.as_str(), Some("fr")));
    let find = || FindValue { account: "s-ada".parse().unwrap(), setting: LANGUAGE.into() };
    assert_eq!(port.find(&server, find()).await.unwrap(), Some(again.clone()));
    let other = ListValues { bundle: Some("other".into()), ..list("s-ada") };
    assert_eq!(port.values(&ada, other).await.unwrap(), []);

    assert_eq!(port.values(&bob, list("s-bob")).await.unwrap(), []);
    for kind in [
        refused(port.values(&bob, list("s-ada")).await),
        refused(port.find(&bob, find()).await),
        refused(port.save(&bob, language("s-ada", "de")).await),
        refused(port.forget(&ada, "s-ada".parse().unwrap()).await),
    ] {
        assert_eq!(kind, ErrorKind::PermissionDenied);
    }
    let stolen = SettingValue { id: saved.id.clone(), ..language("s-bob", "es") };
    port.save(&bob, stolen).await.unwrap();
    assert_eq!(port.value(&ada, saved.id.clone()).await.unwrap().text(), Some("fr"));
    assert_eq!(refused(port.value(&bob, saved.id.clone()).await), ErrorKind::NotFound);
    let nobody = Cx { caller: Caller::Anonymous, ..ada.clone() };
    assert_eq!(refused(port.values(&nobody, list("s-ada")).await), ErrorKind::Unauthenticated);

    bundles(port, &ada).await;
    port.forget(&server, "s-ada".parse().unwrap()).await.unwrap();
    assert_eq!(port.values(&ada, list("s-ada")).await.unwrap(), []);
    assert_eq!(port.values(&bob, list("s-bob")).await.unwrap().len(), 1);
}

async fn bundles(port: &dyn Settings, ada: &Cx) {
    let ids = async || {
        let bundles = port.bundles(ada, ()).await.unwrap();
        bundles.into_iter().map(|bundle| bundle.id).collect::<Vec<_>>()
    };
    assert_eq!(ids().await, [PROFILE]);
    let profile = Bundle::profile();
    let mine = Bundle { id: String::new(), name: "mine".into(), ..profile.clone() };
    assert_eq!(refused(port.save_bundle(ada, mine.clone()).await), ErrorKind::PermissionDenied);
    let identity = ada.caller.identity().unwrap();
    let identity = Identity { role: UserRole::Admin, ..(**identity).clone() };
    let admin = Cx { caller: Caller::User(Arc::new(identity)), ..ada.clone() };
    let saved = port.save_bundle(&admin, mine.clone()).await.unwrap();
    assert_eq!(ids().await, [PROFILE, &saved.id]);
    let role = Bundle { kind: BundleKind::Role, ..mine };
    for refused_one in [role, profile, Bundle::role(UserRole::User)] {
        let kind = refused(port.save_bundle(&admin, refused_one).await);
        assert_eq!(kind, ErrorKind::PermissionDenied);
    }
}
