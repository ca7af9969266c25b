//! The application and the roles that accounts have in it.

use super::fake::{ADMIN, MARIE, RICHARD};
use super::*;

const SPACE_ADMIN: &str = "2aadd357-682c-406b-8874-293091995fdd";

fn wish(user: &str, resource: &str, role: &str) -> String {
    format!(r#"{{"appRoleId":"{role}","principalId":"{user}","resourceId":"{resource}"}}"#)
}

#[tokio::test]
async fn the_application_has_the_roles() {
    let server = Server::new();
    let application = r#"{"appRoles":[{"displayName":"Admin","id":"71881883-1768-46bd-a24d-a356a2afdf7f"},{"displayName":"Space Admin","id":"2aadd357-682c-406b-8874-293091995fdd"},{"displayName":"User","id":"d7beeea8-8ff4-406b-8fb6-ab2dd81e6b11"},{"displayName":"User Light","id":"38071a68-456a-4553-846a-fa67bf5596cc"}],"displayName":"ownCloud Infinite Scale","id":"8ea1c2e5-application"}"#;
    let list = format!("{{\"value\":[{application}]}}");
    assert_eq!(server.richard("GET", "applications", "").await, (200, list));
    let path = format!("applications/{APPLICATION}");
    assert_eq!(server.richard("GET", &path, "").await, (200, application.into()));
    assert_eq!(server.richard("GET", "applications/other", "").await.0, 404);
}

#[tokio::test]
async fn a_role_is_given_and_taken() {
    let server = Server::new();
    let path = format!("users/{MARIE}/appRoleAssignments");
    let (status, body) = server.admin("POST", &path, &wish(MARIE, APPLICATION, SPACE_ADMIN)).await;
    let assignment = r#"{"appRoleId":"2aadd357-682c-406b-8874-293091995fdd","id":"44444444-new","principalId":"f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c","principalType":"User","resourceDisplayName":"ownCloud Infinite Scale","resourceId":"8ea1c2e5-application"}"#;
    assert_eq!((status, &*body), (201, assignment));
    let list = format!("{{\"value\":[{assignment}]}}");
    assert_eq!(server.admin("GET", &path, "").await, (200, list));
    assert_eq!(server.admin("DELETE", &format!("{path}/44444444-new"), "").await.0, 204);
    let (status, body) = server.admin("DELETE", &format!("{path}/44444444-new"), "").await;
    assert_eq!(status, 404);
    assert!(body.contains("appRoleAssignment 44444444-new not found for user"), "{body}");
    assert_eq!(server.admin("GET", &path, "").await, (200, r#"{"value":[]}"#.into()));
    assert_eq!(server.events(), ["UserFeatureChanged"]);
}

#[tokio::test]
async fn the_roles_of_shares_are_listed() {
    let mut server = Server::new();
    let path = "v1beta1/roleManagement/permissions/roleDefinitions";
    let richard = server.fake.caller(RICHARD);
    let (_, body) = server.send(richard.clone(), "GET", path, "").await;
    let list: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap();
    assert_eq!(list.len(), 7, "{body}");
    let uploader = r#"{"@libre.graph.weight":0,"description":"View, download and upload.","displayName":"Can upload","id":"1c996275-f1c9-4e71-abdf-a42f6495e960","rolePermissions":[{"allowedResourceActions":["libre.graph/driveItem/children/create","libre.graph/driveItem/path/read","libre.graph/driveItem/content/read","libre.graph/driveItem/upload/create","libre.graph/driveItem/children/read","libre.graph/driveItem/path/update","libre.graph/driveItem/basic/read"],"condition":"exists @Resource.Folder"}]}"#;
    assert!(body.contains(uploader), "{body}");
    let secure = "aa97fe03-7980-45ac-9e50-b325749fd7e6";
    let one = format!("{path}/{secure}");
    assert!(server.send(richard.clone(), "GET", &one, "").await.1.contains("Can view (secure)"));
    assert_eq!(server.send(richard.clone(), "GET", &format!("{path}/x"), "").await.0, 404);
    server.options.available_roles = vec![secure.into(), "unknown".into()];
    let request = Request::builder().header("Accept-Language", "de-CH,en;q=0.9");
    let (_, body) = server.answer(request, richard, "GET", path, "").await;
    assert!(body.contains("Darf ansehen (gesichert)") && !body.contains("Can"), "{body}");
    assert!(!body.contains("b1e2218d"), "{body}");
}

#[tokio::test]
async fn an_unused_space_has_the_quota_of_the_role() {
    let server = Server::new();
    let path = format!("users/{RICHARD}/appRoleAssignments");
    let wish = wish(RICHARD, APPLICATION, SPACE_ADMIN);
    for (used, before, after) in [(0, 10_000, 0), (1, 10_000, 10_000), (0, 10_001, 10_001)] {
        {
            let mut state = server.fake.0.lock();
            let quota = ocis_core::quota::Quota { total: Some(before), used, remaining: None };
            state.spaces[1].quota = quota;
            let held = state.roles.iter_mut().find(|held| held.user.as_str() == RICHARD).unwrap();
            held.role = UserRole::User;
        }
        assert_eq!(server.admin("POST", &path, &wish).await.0, 201);
        assert_eq!(server.fake.0.lock().spaces[1].quota.total, Some(after), "{used} of {before}");
    }
}

#[tokio::test]
async fn what_is_no_assignment() {
    let server = Server::new();
    for (user, body, status, code) in [
        (MARIE, wish(ADMIN, APPLICATION, SPACE_ADMIN), 400, "invalidRequest"),
        (MARIE, wish(MARIE, "other", SPACE_ADMIN), 400, "invalidRequest"),
        (MARIE, wish(MARIE, APPLICATION, "no-role"), 400, "invalidRequest"),
        (MARIE, "{}".into(), 400, "invalidRequest"),
        (ADMIN, wish(ADMIN, APPLICATION, SPACE_ADMIN), 403, "notAllowed"),
        ("nobody", wish("nobody", APPLICATION, SPACE_ADMIN), 404, "itemNotFound"),
    ] {
        let path = format!("users/{user}/appRoleAssignments");
        let (got, answer) = server.admin("POST", &path, &body).await;
        assert_eq!(got, status, "{body}: {answer}");
        assert!(answer.contains(code), "{answer}");
    }
}
