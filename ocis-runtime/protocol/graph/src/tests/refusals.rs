//! What is refused, and how.

use ocis_core::Identity;
use ocis_core::id::UserId;
use ocis_core::permissions::Permissions;
use ocis_core::scope::Scope;

use super::fake::{MARIE, USERS};
use super::*;

#[tokio::test]
async fn an_error_is_that_of_odata() {
    let (status, body) = Server::new().richard("GET", "me/nothing", "").await;
    assert_eq!(status, 404);
    let expected = r#"{"error":{"code":"itemNotFound","innererror":{"date":"2026-11-23T02:51:00Z","request-id":"request-1"},"message":"there is nothing at this path"}}"#;
    assert_eq!(body, expected);
}

#[tokio::test]
async fn what_is_refused() {
    let server = Server::new();
    for (method, path, status, code) in [
        ("GET", "v1.0/me/drives?$filter=name+eq+'x'", 400, "invalidRequest"),
        ("GET", "v1.0/me/drives?$orderby=owner", 400, "invalidRequest"),
        ("GET", "v1.0/me/drives?$filter=%ff", 400, "invalidRequest"),
        ("GET", "v1.0/me?$unknown", 400, "invalidRequest"),
        ("GET", "v1.0/me?$filter=a eq 'b'", 501, "notSupported"),
        ("GET", "v1.0/users/%ff", 400, "invalidRequest"),
        ("POST", "v1.0/users/a/exportPersonalData", 501, "notSupported"),
        ("GET", "v1.0/drives/a$b/items/a$b!c", 501, "notSupported"),
        ("GET", "v1beta1/me/drive/sharedWithMe", 501, "notSupported"),
        ("POST", "v1beta1/roleManagement/permissions/roleDefinitions", 405, "notAllowed"),
        ("POST", "v1.0/me/drives", 405, "notAllowed"),
        ("DELETE", "v1.0/me", 405, "notAllowed"),
        ("GET", "v1.0/me/changePassword", 405, "notAllowed"),
        ("PUT", "v1.0/users", 405, "notAllowed"),
        ("PUT", "v1.0/users/a", 405, "notAllowed"),
        ("PUT", "v1.0/groups/a/members/b/$ref", 405, "notAllowed"),
        ("POST", "v1.0/applications", 405, "notAllowed"),
        ("GET", "v1.0", 404, "itemNotFound"),
        ("GET", "", 404, "itemNotFound"),
        ("GET", "v2.0/me", 404, "itemNotFound"),
        ("GET", "v1.0/users/a/b/c/d", 404, "itemNotFound"),
    ] {
        let (got, body) = server.send(server.fake.caller(RICHARD), method, path, "").await;
        assert_eq!(got.as_u16(), status, "{method} {path}: {body}");
        assert!(body.contains(&format!("\"code\":\"{code}\"")), "{path}: {body}");
    }
}

#[tokio::test]
async fn what_is_for_those_who_manage_accounts() {
    let server = Server::new();
    let marie = format!("users/{MARIE}");
    let group = format!("groups/{USERS}");
    let body = r#"{"displayName":"x","onPremisesSamAccountName":"x"}"#;
    for (method, path) in [
        ("POST", "users".to_owned()),
        ("PATCH", marie.clone()),
        ("DELETE", marie.clone()),
        ("PATCH", "users/richard".to_owned()),
        ("DELETE", "users/richard".to_owned()),
        ("DELETE", "users/nobody".to_owned()),
        ("GET", format!("{marie}/appRoleAssignments")),
        ("POST", format!("{marie}/appRoleAssignments")),
        ("DELETE", format!("{marie}/appRoleAssignments/x")),
        ("POST", "groups".to_owned()),
        ("PATCH", group.clone()),
        ("DELETE", group.clone()),
        ("GET", format!("{group}/members")),
        ("POST", format!("{group}/members/$ref")),
        ("DELETE", format!("{group}/members/{MARIE}/$ref")),
    ] {
        let (status, answer) = server.richard(method, &path, body).await;
        assert_eq!(status, 403, "{method} {path}: {answer}");
        let forbidden = answer.contains("accessDenied") && answer.contains("Forbidden");
        assert!(forbidden, "{method} {path}: {answer}");
    }
    assert!(server.events().is_empty());
}

#[tokio::test]
async fn who_did_not_sign_in_gets_nothing() {
    let server = Server::new();
    for (method, path) in [
        ("GET", "me"),
        ("PATCH", "me"),
        ("POST", "me/changePassword"),
        ("GET", "me/drives"),
        ("GET", "me/drives?$filter=id+eq+'a$b'"),
        ("GET", "me/drive"),
        ("GET", "drives"),
        ("POST", "drives"),
        ("GET", "drives/a$b"),
        ("PATCH", "drives/a$b"),
        ("DELETE", "drives/a$b"),
        ("GET", "users"),
        ("POST", "users"),
        ("GET", "groups"),
        ("GET", "groups/users"),
        ("DELETE", "groups/users"),
        ("GET", "applications"),
    ] {
        let path = format!("v1.0/{path}");
        let (status, body) = server.send(Caller::Anonymous, method, &path, "{}").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}: {body}");
    }
}

#[tokio::test]
async fn credentials_for_one_node_are_not_for_accounts() {
    let server = Server::new();
    let Caller::User(identity) = server.fake.caller(ADMIN) else { unreachable!() };
    let node = "a$b".parse().unwrap();
    let scope = Scope::Below { node, permissions: Permissions::MANAGER };
    let narrow = Caller::User(Arc::new(Identity { scope, ..(*identity).clone() }));
    for path in ["v1.0/me", "v1.0/users?$search=marie", "v1.0/drives", "v1.0/applications"] {
        let (status, body) = server.send(narrow.clone(), "GET", path, "").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {body}");
    }
}

#[tokio::test]
async fn what_is_broken_inside_stays_inside() {
    let server = Server::new();
    let Caller::User(identity) = server.fake.caller(RICHARD) else { unreachable!() };
    let broken = Identity { id: UserId::parse("broken").unwrap(), ..(*identity).clone() };
    let (status, body) = server.send(Caller::User(Arc::new(broken)), "GET", "v1.0/me", "").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(body.contains("generalException") && !body.contains("fire"), "{body}");
}

#[tokio::test]
async fn a_request_without_a_caller_is_a_mistake_of_ours() {
    let server = Server::new();
    let request = Request::get("/graph/v1.0/me").body(full("")).unwrap();
    let response = service(&server.fake, server.options.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_body_has_a_bound() {
    let long = format!(r#"{{"displayName":"{}"}}"#, "x".repeat(1024 * 1024));
    assert_eq!(Server::new().admin("POST", "groups", &long).await.0, 413);
}
