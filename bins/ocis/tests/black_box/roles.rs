//! Roles and settings over HTTP: who may give them, from when on they count, and that they stay.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Home, Server};

const EINSTEIN: &str = "4c510ada-c86b-4815-8820-42cdf82c3d51";
const USER: &str = "d7beeea8-8ff4-406b-8fb6-ab2dd81e6b11";
const SPACE_ADMIN: &str = "2aadd357-682c-406b-8874-293091995fdd";
const LANGUAGE: &str = "aa8cfbe5-95d4-4f7e-a032-c3c01f5f062f";
const PROFILE: &str = "2a506de7-99bd-4f0d-994e-c38e72c28fd9";

const ADMIN: (&str, &str) = ("admin", "first");
const ALBERT: (&str, &str) = ("einstein", "relativity");

/// What somebody is answered, and what stands in it.
async fn post(
    server: &Server,
    (name, password): (&str, &str),
    path: &str,
    body: Value,
) -> (StatusCode, Value) {
    let path = format!("/api/v0/settings/{path}");
    let request = server.request_as("POST", &path, name, password).await;
    let request = request.header("content-type", "application/json").body(body.to_string());
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn role_of(server: &Server, who: (&str, &str)) -> Value {
    let mine = post(server, who, "assignments-list", json!({ "account_uuid": "me" })).await;
    assert_eq!(mine.0, StatusCode::CREATED);
    mine.1["assignments"][0]["roleId"].clone()
}

/// Whether somebody may list all spaces, which depends on the role alone.
async fn lists_all_spaces(server: &Server, who: (&str, &str)) -> bool {
    let mine = post(server, who, "permissions-list", json!({ "account_uuid": EINSTEIN })).await;
    mine.1["permissions"].as_array().unwrap().contains(&json!("Drives.List.all"))
}

#[tokio::test]
async fn a_role_counts_at_once_and_stays() {
    let home = Home::new();
    let variables = [("IDM_CREATE_DEMO_USERS", "true"), ("PROXY_ENABLE_BASIC_AUTH", "true")];
    assert!(home.run(&["init", "--insecure", "no", "--ap", "first"]).status.success());
    let server = home.serve(&variables);
    let (status, roles) = post(&server, ADMIN, "roles-list", json!({})).await;
    assert_eq!((status, roles["bundles"].as_array().unwrap().len()), (StatusCode::CREATED, 4));
    for (who, role) in [
        (ADMIN, "71881883-1768-46bd-a24d-a356a2afdf7f"),
        (("moss", "vista"), "71881883-1768-46bd-a24d-a356a2afdf7f"),
        (("katherine", "gemini"), SPACE_ADMIN),
        (ALBERT, USER),
    ] {
        assert_eq!(role_of(&server, who).await, role, "{who:?}");
    }
    assert!(!lists_all_spaces(&server, ALBERT).await);

    let promote = |account: &str| json!({ "account_uuid": account, "role_id": SPACE_ADMIN });
    for account in [EINSTEIN, "me"] {
        let (status, refused) = post(&server, ALBERT, "assignments-add", promote(account)).await;
        assert_eq!((status, &refused["code"]), (StatusCode::BAD_REQUEST, &json!(403)));
    }
    let (status, _) = post(&server, ADMIN, "assignments-add", promote("me")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "nobody changes the own role");
    let (status, given) = post(&server, ADMIN, "assignments-add", promote(EINSTEIN)).await;
    assert_eq!(
        (status, &given["assignment"]["roleId"]),
        (StatusCode::CREATED, &json!(SPACE_ADMIN))
    );
    assert!(lists_all_spaces(&server, ALBERT).await, "from the next request on");

    let german = json!({ "value": {
        "bundleId": PROFILE, "settingId": LANGUAGE, "accountUuid": "me",
        "resource": { "type": "TYPE_USER" }, "listValue": { "values": [{ "stringValue": "de" }] },
    } });
    let (status, saved) = post(&server, ALBERT, "values-save", german).await;
    assert_eq!(status, StatusCode::CREATED, "{saved}");
    server.stop();

    let server = home.serve(&variables);
    assert_eq!(role_of(&server, ALBERT).await, SPACE_ADMIN);
    let (_, values) = post(&server, ALBERT, "values-list", json!({ "account_uuid": "me" })).await;
    assert_eq!(values["values"], json!([saved["value"]]));
    let id = json!({ "id": given["assignment"]["id"] });
    let (status, _) = post(&server, ADMIN, "assignments-remove", id).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(role_of(&server, ALBERT).await, USER, "who has no role is a user");
    server.stop();
}
