//! Settings over documents in memory.

use ocis_core::Identity;
use ocis_core::conformance::{self, MemoryDocuments};
use ocis_core::setting::{Choice, Choices, LANGUAGE, PROFILE, Resource, ResourceKind};
use ocis_core::time::Timestamp;
use ocis_core::user::UserRole;

use super::*;

fn server() -> Cx {
    Cx::new(Caller::Service("test".into()), Timestamp::from_unix(1_800_000_000, 0).unwrap())
}

fn person(name: &str, role: UserRole) -> Cx {
    let identity = Identity {
        id: UserId::parse(name).unwrap(),
        idp: "".into(),
        username: name.into(),
        display_name: name.into(),
        mail: String::new(),
        groups: Vec::new(),
        role,
        scope: ocis_core::scope::Scope::Everything,
    };
    Cx { caller: Caller::User(Arc::new(identity)), ..server() }
}

fn language(account: &str, language: &str) -> SettingValue {
    SettingValue {
        bundle_id: PROFILE.into(),
        setting_id: LANGUAGE.into(),
        account_uuid: account.into(),
        resource: Some(Resource::of(ResourceKind::TypeUser)),
        list_value: Some(Choices { values: vec![Choice::text(language)] }),
        ..SettingValue::default()
    }
}

#[tokio::test]
async fn keeps_the_promises_of_the_port() {
    conformance::settings(&SettingStore::new(Arc::new(MemoryDocuments::default()))).await;
}

#[tokio::test]
async fn a_value_is_the_document_of_ocis_and_is_found_after_a_restart() {
    let documents = Arc::new(MemoryDocuments::default());
    let store = SettingStore::new(Arc::<MemoryDocuments>::clone(&documents));
    let ada = person("ada", UserRole::User);
    let saved = store.save(&ada, language("ada", "de")).await.unwrap();
    let again = SettingValue { id: "someone-elses".into(), ..language("ada", "sv") };
    assert_eq!(store.save(&ada, again).await.unwrap().id, saved.id);
    let names = documents.names(&server(), key(VALUES.into())).await.unwrap();
    assert_eq!(names, [saved.id.as_str()]);
    let path = key(format!("{VALUES}/{}", saved.id));
    let document = documents.get(&server(), path).await.unwrap().unwrap();
    let id = &saved.id;
    assert_eq!(
        String::from_utf8(document.content).unwrap(),
        format!(
            r#"{{"id":"{id}","bundleId":"{PROFILE}","settingId":"{LANGUAGE}","accountUuid":"ada","resource":{{"type":"TYPE_USER"}},"listValue":{{"values":[{{"stringValue":"sv"}}]}}}}"#
        )
    );
    let damaged = PutDocument {
        key: key(format!("{VALUES}/damaged")),
        content: b"{".to_vec(),
        condition: DocumentCondition::None,
    };
    documents.put(&server(), damaged).await.unwrap();
    let store = SettingStore::new(documents);
    let find = FindValue { account: UserId::parse("ada").unwrap(), setting: LANGUAGE.into() };
    let found = store.find(&server(), find).await.unwrap().unwrap();
    assert_eq!(found.text(), Some("sv"));
}

#[tokio::test]
async fn a_value_must_fit_its_setting() {
    let store = SettingStore::new(Arc::new(MemoryDocuments::default()));
    let ada = person("ada", UserRole::User);
    let base = || language("ada", "de");
    let no_list = SettingValue { list_value: None, ..base() };
    let wrong = [
        language("ada", "xx"),
        no_list.clone(),
        SettingValue { bool_value: Some(true), ..base() },
        SettingValue { bool_value: Some(true), ..no_list },
        SettingValue { resource: None, ..base() },
        SettingValue { resource: Some(Resource::default()), ..base() },
        language("ada", &"x".repeat(70_000)),
    ];
    for value in wrong {
        let refused = store.save(&ada, value.clone()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{value:?}");
    }
    for value in [
        SettingValue { bundle_id: UserRole::User.id().into(), ..base() },
        SettingValue { bundle_id: "../accounts".into(), ..base() },
        SettingValue { setting_id: PROFILE.into(), ..base() },
    ] {
        let refused = store.save(&ada, value.clone()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound, "{value:?}");
    }
}
