//! Groups and who is in them.

use super::fake::{MARIE, QUANTUM, RICHARD, USERS};
use super::*;

fn reference(id: &str) -> String {
    format!(r#"{{"@odata.id":"https://localhost:9200/graph/v1.0/users/{id}"}}"#)
}

#[tokio::test]
async fn groups_are_what_ocis_answers() {
    let server = Server::new();
    let group = r#"{"displayName":"quantum-lovers","groupTypes":[],"id":"a1726108-01f8-4c30-88df-2b1a9d1cba1a"}"#;
    let list = format!("{{\"value\":[{group}]}}");
    assert_eq!(server.admin("GET", "groups?$search=quantum", "").await, (200, list.clone()));
    assert_eq!(server.richard("GET", "groups?$search=quantum", "").await, (200, list));
    assert_eq!(server.admin("GET", "groups/quantum-lovers", "").await, (200, group.into()));
    let member = r#"{"accountEnabled":true,"displayName":"Richard Phillips Feynman","givenName":"Richard","id":"932b4540-8d16-481e-8ef4-588e4b6b151c","identities":[{"issuer":"https://localhost:9200","issuerAssignedId":"932b4540-8d16-481e-8ef4-588e4b6b151c"}],"mail":"richard@example.org","onPremisesSamAccountName":"richard","surname":"Feynman","userType":"Member"}"#;
    let with_members = format!("{},\"members\":[{member}]}}", group.strip_suffix('}').unwrap());
    let path = format!("groups/{QUANTUM}?$expand=members");
    assert_eq!(server.admin("GET", &path, "").await, (200, with_members));
    let path = format!("groups/{QUANTUM}/members");
    assert_eq!(server.admin("GET", &path, "").await, (200, format!("[{member}]")));
}

#[tokio::test]
async fn groups_are_filtered_and_ordered() {
    let server = Server::new();
    for (query, expected) in [
        ("", "users quantum-lovers"),
        ("$orderby=displayName", "quantum-lovers users"),
        ("$orderby=displayName desc", "users quantum-lovers"),
        (&*format!("$filter=id eq '{USERS}'"), "users"),
        ("$filter=displayName eq 'users'", "users"),
    ] {
        let (status, body) = server.admin("GET", &format!("groups?{query}"), "").await;
        assert_eq!(status, 200, "{query}: {body}");
        assert_eq!(each(&body, "displayName").join(" "), expected, "{query}");
    }
    for (query, status) in [("$orderby=id", 400), ("$filter=a eq 'b'", 501)] {
        assert_eq!(server.admin("GET", &format!("groups?{query}"), "").await.0, status);
    }
    for path in ["groups", "groups?$search=us", "groups?$search=users&$expand=members"] {
        assert_eq!(server.richard("GET", path, "").await.0, 403, "{path}");
    }
    let path = format!("groups/{USERS}?$expand=members");
    assert_eq!(server.richard("GET", &path, "").await.0, 403);
}

#[tokio::test]
async fn a_group_lives() {
    let server = Server::new();
    let made = r#"{"displayName":"España§àôœ€","groupTypes":[],"id":"33333333-new-group"}"#;
    let body = r#"{"displayName":"España§àôœ€"}"#;
    assert_eq!(server.admin("POST", "groups", body).await, (201, made.into()));
    assert_eq!(server.admin("POST", "groups", body).await.0, 409);
    let group = "groups/33333333-new-group";
    assert_eq!(server.admin("PATCH", group, r#"{"displayName":"b"}"#).await.0, 204);
    let (_, body) = server.admin("GET", group, "").await;
    assert!(body.contains(r#""displayName":"b""#), "{body}");
    assert_eq!(
        server.admin("POST", &format!("{group}/members/$ref"), &reference(MARIE)).await.0,
        204
    );
    let both = format!(
        r#"{{"members@odata.bind":["https://localhost:9200/graph/v1.0/users/{RICHARD}"]}}"#
    );
    assert_eq!(server.admin("PATCH", group, &both).await.0, 204);
    let (_, body) = server.admin("GET", &format!("{group}/members"), "").await;
    assert!(body.contains("marie") && body.contains("richard"), "{body}");
    let member = format!("{group}/members/{MARIE}/$ref");
    assert_eq!(server.admin("DELETE", &member, "").await.0, 204);
    assert_eq!(server.admin("DELETE", &member, "").await.0, 404);
    assert_eq!(server.admin("DELETE", group, "").await.0, 204);
    assert_eq!(server.admin("DELETE", group, "").await.0, 404);
    let told = ["GroupCreated", "GroupMemberAdded", "GroupMemberRemoved", "GroupDeleted"];
    assert_eq!(server.events(), told);
}

#[tokio::test]
async fn what_is_no_group_and_no_member() {
    let server = Server::new();
    let unknown = reference("4c510ada-c86b-4815-8820-42cdf82c3d511");
    let many = vec![format!("\"/graph/v1.0/users/{MARIE}\""); 21].join(",");
    let add = format!("groups/{QUANTUM}/members/$ref");
    let group = format!("groups/{QUANTUM}");
    for (method, path, body, status) in [
        ("POST", "groups", r#"{"displayName":""}"#.to_owned(), 400),
        ("POST", "groups", r#"{"displayName":" "}"#.to_owned(), 400),
        ("POST", "groups", "{}".to_owned(), 400),
        ("POST", "groups", r#"{"displayName":"a","id":"b"}"#.to_owned(), 400),
        ("POST", "groups", r#"{"displayName":"a","other":1}"#.to_owned(), 400),
        ("POST", &*add, "{}".to_owned(), 400),
        ("POST", &*add, r#"{'@odata.id': 'x'}"#.to_owned(), 400),
        ("POST", &*add, r#"{"@odata.id":"users"}"#.to_owned(), 400),
        ("POST", &*add, r#"{"@odata.id":"https://x/graph/v1.0/groups/g"}"#.to_owned(), 400),
        ("POST", &*add, unknown, 404),
        ("POST", "groups/none/members/$ref", reference(MARIE), 404),
        ("PATCH", "groups/none", r#"{"displayName":"a"}"#.to_owned(), 404),
        ("PATCH", &*group, r#"{"displayName":""}"#.to_owned(), 400),
        ("PATCH", &*group, format!(r#"{{"members@odata.bind":[{many}]}}"#), 400),
        ("GET", "groups/none", String::new(), 404),
        ("DELETE", "groups/none", String::new(), 404),
    ] {
        let (got, answer) = server.admin(method, path, &body).await;
        assert_eq!(got, status, "{method} {path} {body}: {answer}");
    }
    assert!(server.events().is_empty());
}
