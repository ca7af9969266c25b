//! The endpoints as clients see them.

use async_trait::async_trait;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use ocis_core::data::full;
use ocis_core::id::UserId;
use ocis_core::port::{AssignRole, FindValue, ListValues, RoleAssignment, Roles, UnassignRole};
use ocis_core::role::RolePermission;
use ocis_core::scope::Scope;
use ocis_core::setting::{Bundle, LANGUAGE, PROFILE, SettingValue};
use ocis_core::time::Timestamp;
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, Error, Identity, Result};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;

const RICHARD: &str = "932b4540-8d16-481e-8ef4-588e4b6b151c";
const ASSIGNMENT: &str = "75b195d5-cae1-4597-8d6e-55cb30dc6d2a";

/// Richard is a user and speaks German; nobody else is known.
struct Fake;

fn richards() -> RoleAssignment {
    let user = UserId::parse(RICHARD).unwrap();
    RoleAssignment { id: ASSIGNMENT.into(), user, role: UserRole::User }
}

#[async_trait]
impl Roles for Fake {
    async fn assigned(&self, _: &Cx, user: UserId) -> Result<Option<RoleAssignment>> {
        Ok((user.as_str() == RICHARD).then(richards))
    }

    async fn holders(&self, cx: &Cx, role: UserRole) -> Result<Vec<RoleAssignment>> {
        cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
        Ok(if role == UserRole::User { vec![richards()] } else { Vec::new() })
    }

    async fn assign(&self, cx: &Cx, request: AssignRole) -> Result<RoleAssignment> {
        cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
        let AssignRole { user, role } = request;
        Ok(RoleAssignment { id: ASSIGNMENT.into(), user, role })
    }

    async fn ensure(&self, _: &Cx, _: AssignRole) -> Result<RoleAssignment> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn unassign(&self, _: &Cx, request: UnassignRole) -> Result<()> {
        assert_eq!((request.user.as_str(), request.assignment.as_str()), (RICHARD, ASSIGNMENT));
        Ok(())
    }
}

fn german() -> SettingValue {
    let saved = json!({
        "id": "fd19c6f3-cc09-46ed-9f2c-fe2f1c7d5eb7", "bundleId": PROFILE, "settingId": LANGUAGE,
        "accountUuid": RICHARD, "resource": { "type": "TYPE_USER", "id": RICHARD },
        "listValue": { "values": [{ "stringValue": "de" }] },
    });
    serde_json::from_value(saved).unwrap()
}

#[async_trait]
impl SettingsPort for Fake {
    async fn values(&self, _: &Cx, request: ListValues) -> Result<Vec<SettingValue>> {
        Ok(if request.account.as_str() == RICHARD { vec![german()] } else { Vec::new() })
    }

    async fn find(&self, _: &Cx, request: FindValue) -> Result<Option<SettingValue>> {
        let is_there = request.account.as_str() == RICHARD && request.setting == LANGUAGE;
        Ok(is_there.then(german))
    }

    async fn value(&self, _: &Cx, id: String) -> Result<SettingValue> {
        match id == german().id {
            true => Ok(german()),
            false => Err(Error::not_found("there is no such value")),
        }
    }

    async fn save(&self, _: &Cx, value: SettingValue) -> Result<SettingValue> {
        Ok(SettingValue { id: german().id, ..value })
    }

    async fn forget(&self, _: &Cx, _: UserId) -> Result<()> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn bundles(&self, _: &Cx, (): ()) -> Result<Vec<Bundle>> {
        Ok(vec![Bundle::profile()])
    }

    async fn save_bundle(&self, _: &Cx, bundle: Bundle) -> Result<Bundle> {
        Ok(bundle)
    }
}

async fn raw(caller: Caller, method: &str, path: &str, body: &str) -> (StatusCode, String) {
    sent(caller, method, path, body, None).await
}

/// One request whose client likes a language.
async fn sent(
    caller: Caller,
    method: &str,
    path: &str,
    body: &str,
    liked: Option<&str>,
) -> (StatusCode, String) {
    let fake = Arc::new(Fake);
    let parts =
        SettingsParts { roles: Arc::<Fake>::clone(&fake), settings: fake, language: String::new() };
    let now = Timestamp::from_unix(1_800_000_000, 0).unwrap();
    let request = Request::builder()
        .header("Accept-Language", liked.unwrap_or_default())
        .method(method)
        .uri(format!("/api/v0/settings/{path}"))
        .extension(Cx::new(caller, now))
        .body(full(body.to_owned()))
        .unwrap();
    let answer = Settings::new(parts).oneshot(request).await.unwrap();
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

fn person(id: &str, role: UserRole) -> Caller {
    Caller::User(Arc::new(Identity {
        id: UserId::parse(id).unwrap(),
        idp: "https://localhost:9200".into(),
        username: "somebody".into(),
        display_name: "Somebody".into(),
        mail: String::new(),
        groups: Vec::new(),
        role,
        scope: Scope::Everything,
    }))
}

async fn post(caller: &Caller, path: &str, body: Value) -> (StatusCode, String) {
    raw(caller.clone(), "POST", path, &body.to_string()).await
}

async fn made(caller: &Caller, path: &str, body: Value) -> Value {
    let (status, body) = post(caller, path, body).await;
    assert_eq!(status, StatusCode::CREATED, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn richard() -> Caller {
    person(RICHARD, UserRole::User)
}

fn admin() -> Caller {
    person("9181deb3-c90b-4ea4-b1f0-aab7043e920e", UserRole::Admin)
}

#[tokio::test]
async fn the_profile_as_a_user_sees_it() {
    let bundles = made(&richard(), "bundles-list", json!({})).await;
    insta::assert_snapshot!("profile", pretty(&bundles));
    // Richard chose German, and others are asked for what their client likes.
    let english = made(&admin(), "bundles-list", json!({})).await.to_string();
    assert!(english.contains("Share Received") && !english.contains("Freigabe"), "{english}");
    let body = json!({}).to_string();
    let (_, german) = sent(admin(), "POST", "bundles-list", &body, Some("de-AT, en;q=0.9")).await;
    assert!(german.contains("Freigabe erhalten") && !german.contains("Weekly"), "{german}");
    let light = person("light", UserRole::UserLight);
    let bundles = made(&light, "bundles-list", json!({ "bundle_ids": [PROFILE] })).await;
    assert_eq!(bundles["bundles"][0]["settings"].as_array().unwrap().len(), 4);
    let one = made(&light, "bundle-get", json!({ "bundleId": PROFILE })).await;
    assert_eq!(one["bundle"], bundles["bundles"][0]);
    let none = made(&light, "bundles-list", json!({ "bundleIds": ["x"] })).await;
    assert_eq!(none, json!({}));
}

#[tokio::test]
async fn the_roles_and_what_they_allow() {
    let roles = made(&richard(), "roles-list", json!({})).await;
    let names: Vec<_> = roles["bundles"].as_array().unwrap().iter().map(|b| &b["name"]).collect();
    assert_eq!(names, ["spaceadmin", "user-light", "admin", "user"]);
    insta::assert_snapshot!("role", pretty(&roles["bundles"][1]));
    let mine = json!({ "account_uuid": RICHARD });
    let allowed = made(&richard(), "permissions-list", mine).await;
    insta::assert_snapshot!("permissions", pretty(&allowed));
    let others = post(&richard(), "permissions-list", json!({ "accountUuid": "x" })).await;
    assert_eq!(others.0, StatusCode::NOT_FOUND);
    let about = json!({ "resource": { "type": "TYPE_USER", "id": "whoever" } });
    let found = made(&admin(), "permissions-list-by-resource", about.clone()).await;
    assert_eq!(found["permissions"].as_array().unwrap().len(), 3);
    assert_eq!(made(&richard(), "permissions-list-by-resource", about).await, json!({}));
    let id = json!({ "permissionId": RolePermission::ROLES_READ_WRITE.id });
    let found = made(&admin(), "permissions-get-by-id", id.clone()).await;
    let all = json!({ "operation": "OPERATION_READWRITE", "constraint": "CONSTRAINT_ALL" });
    assert_eq!(found["permission"], all);
    assert_eq!(post(&richard(), "permissions-get-by-id", id).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn assignments() {
    let found = made(&richard(), "assignments-list", json!({ "account_uuid": "me" })).await;
    let mine = json!({
        "assignments": [{ "id": ASSIGNMENT, "accountUuid": RICHARD, "roleId": UserRole::User.id() }],
    });
    assert_eq!(found, mine);
    let by_role = json!({ "filters": [{ "type": "TYPE_ROLE", "roleId": UserRole::User.id() }] });
    assert_eq!(made(&admin(), "assignments-list-filtered", by_role.clone()).await, mine);
    let by_account = json!({ "filters": [{ "type": "TYPE_ACCOUNT", "accountUuid": "none" }] });
    assert_eq!(made(&admin(), "assignments-list-filtered", by_account).await, json!({}));
    let add = json!({ "account_uuid": RICHARD, "role_id": UserRole::Admin.id() });
    let added = made(&admin(), "assignments-add", add.clone()).await;
    assert_eq!(added["assignment"]["roleId"], UserRole::Admin.id());
    let (status, body) = post(&richard(), "assignments-add", add).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let error: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&error["code"], &error["status"]), (&json!(403), &json!("Forbidden")));
    let unknown = json!({ "accountUuid": RICHARD, "roleId": PROFILE });
    assert_eq!(post(&admin(), "assignments-add", unknown).await.0, StatusCode::BAD_REQUEST);
    let remove = |id: &str| json!({ "id": id });
    let removed = post(&admin(), "assignments-remove", remove(ASSIGNMENT)).await;
    assert_eq!(removed, (StatusCode::NO_CONTENT, String::new()));
    for (caller, id) in [(admin(), "none"), (richard(), ASSIGNMENT)] {
        let refused = post(&caller, "assignments-remove", remove(id)).await;
        assert_eq!(refused.0, StatusCode::BAD_REQUEST);
    }
    assert_eq!(
        post(&richard(), "assignments-list-filtered", by_role).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn values() {
    let mine = json!({ "account_uuid": "me" });
    let found = made(&richard(), "values-list", mine.clone()).await;
    insta::assert_snapshot!("values", pretty(&found));
    let value = &found["values"][0];
    let by_id = made(&richard(), "values-get", json!({ "id": german().id })).await;
    assert_eq!(by_id["value"], *value);
    let which = json!({ "accountUuid": "me", "settingId": LANGUAGE });
    let by_setting = made(&richard(), "values-get-by-unique-identifiers", which.clone()).await;
    assert_eq!(by_setting["value"], *value);
    let new = json!({ "value": {
        "bundleId": PROFILE, "settingId": LANGUAGE, "accountUuid": "me",
        "resource": { "type": "TYPE_USER" }, "listValue": { "values": [{ "stringValue": "sv" }] },
    } });
    let saved = made(&admin(), "values-save", new).await;
    assert_eq!(saved["value"]["value"]["accountUuid"], "9181deb3-c90b-4ea4-b1f0-aab7043e920e");
    assert_eq!(saved["value"]["identifier"]["setting"], "language");

    let default = made(&admin(), "values-list", mine).await;
    insta::assert_snapshot!("default_language", pretty(&default));
    assert_eq!(
        made(&admin(), "values-get-by-unique-identifiers", which).await["value"],
        default["values"][0]
    );
    let other = json!({ "accountUuid": "me", "settingId": PROFILE });
    let none = post(&admin(), "values-get-by-unique-identifiers", other).await;
    assert_eq!(none.0, StatusCode::NOT_FOUND);
    assert_eq!(post(&admin(), "values-get", json!({ "id": "x" })).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn settings_are_added_to_bundles_by_who_may() {
    let setting = json!({
        "name": "mine", "resource": { "type": "TYPE_USER" }, "boolValue": { "label": "on" },
    });
    let add = json!({ "bundleId": PROFILE, "setting": setting });
    let added = made(&admin(), "bundles-add-setting", add.clone()).await;
    assert_eq!(added["setting"]["boolValue"], json!({ "label": "on" }));
    assert_eq!(post(&richard(), "bundles-add-setting", add).await.0, StatusCode::BAD_REQUEST);
    let remove = json!({ "bundleId": PROFILE, "settingId": LANGUAGE });
    let removed = post(&admin(), "bundles-remove-setting", remove).await;
    assert_eq!(removed.0, StatusCode::NO_CONTENT);
    let unknown = json!({ "bundleId": "x", "settingId": LANGUAGE });
    let none = post(&admin(), "bundles-remove-setting", unknown).await;
    assert_eq!(none.0, StatusCode::NOT_FOUND);
    let saved = made(&admin(), "bundle-save", json!({ "bundle": Bundle::profile() })).await;
    assert_eq!(saved["bundle"]["name"], "profile");
}

#[tokio::test]
async fn what_is_not_understood() {
    for (method, path, body, status) in [
        ("GET", "roles-list", "", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "roles", "{}", StatusCode::NOT_FOUND),
        ("POST", "roles-list", "", StatusCode::PRECONDITION_FAILED),
        ("POST", "roles-list", r#"{"bundleIds":1}"#, StatusCode::PRECONDITION_FAILED),
        ("POST", "values-save", "{}", StatusCode::PRECONDITION_FAILED),
        ("POST", "assignments-list", r#"{"accountUuid":"../x"}"#, StatusCode::BAD_REQUEST),
        ("POST", "assignments-list", "{}", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(raw(richard(), method, path, body).await.0, status, "{method} {path} {body}");
    }
    let long = format!(r#"{{"bundleIds":["{}"]}}"#, "x".repeat(300_000));
    assert_eq!(raw(richard(), "POST", "roles-list", &long).await.0, StatusCode::BAD_REQUEST);
    let nobody = raw(Caller::Anonymous, "POST", "roles-list", "{}").await;
    assert_eq!(nobody.0, StatusCode::UNAUTHORIZED);
}
