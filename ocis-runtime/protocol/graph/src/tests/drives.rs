//! The spaces that are listed.

use super::fake::{DISABLED, PHYSICS, RICHARD, STORAGE};
use super::*;

async fn names(path: &str) -> Vec<String> {
    let (status, body) = Server::new().richard("GET", path, "").await;
    assert_eq!(status, 200, "{body}");
    each(&body, "name")
}

#[tokio::test]
async fn webdav_may_be_at_another_path() {
    let mut server = Server::new();
    for (path, expected) in [("/", ""), ("files/dav/", "files/dav/")] {
        server.options.webdav_path = path.into();
        let (_, body) = server.richard("GET", "me/drive", "").await;
        let url = format!("\"webDavUrl\":\"https://localhost:9200/{expected}{STORAGE}$");
        assert!(body.contains(&url), "{path}: {body}");
    }
}

#[tokio::test]
async fn the_personal_drive_is_what_ocis_answers() {
    let ocis = r#"{"driveAlias":"personal/richard","driveType":"personal","id":"50020e69-da51-4707-966d-ba8adeeb10d4$932b4540-8d16-481e-8ef4-588e4b6b151c","lastModifiedDateTime":"2026-11-23T02:49:27.33388806Z","name":"Richard Phillips Feynman","owner":{"user":{"displayName":"","id":"932b4540-8d16-481e-8ef4-588e4b6b151c"}},"quota":{"remaining":9223372036854775807,"state":"normal","total":0,"used":3572},"root":{"eTag":"\"2399c543429ead1ec855abf3ce8ffd77\"","id":"50020e69-da51-4707-966d-ba8adeeb10d4$932b4540-8d16-481e-8ef4-588e4b6b151c","webDavUrl":"https://localhost:9200/dav/spaces/50020e69-da51-4707-966d-ba8adeeb10d4$932b4540-8d16-481e-8ef4-588e4b6b151c"},"webUrl":"https://localhost:9200/f/50020e69-da51-4707-966d-ba8adeeb10d4$932b4540-8d16-481e-8ef4-588e4b6b151c"}"#;
    let server = Server::new();
    assert_eq!(server.richard("GET", "me/drive", "").await, (200, ocis.into()));
    let list = format!("{{\"value\":[{ocis}]}}");
    let path = "me/drives?$filter=driveType eq 'personal'";
    assert_eq!(server.richard("GET", path, "").await, (200, list));
}

#[tokio::test]
async fn other_drives_are_what_ocis_answers() {
    let server = Server::new();
    server.fake.0.lock().grants.truncate(3);
    let (_, body) = server.richard("GET", "me/drives?$filter=driveType eq 'project'", "").await;
    let physics = r#"{"description":"All of it","driveAlias":"project/physics","driveType":"project","id":"50020e69-da51-4707-966d-ba8adeeb10d4$bf52c3ee-480f-4b28-ab05-ff036cf3ac5d","lastModifiedDateTime":"2026-11-23T02:49:24.204450319Z","name":"Physics","owner":{"user":{"displayName":"","id":"bf52c3ee-480f-4b28-ab05-ff036cf3ac5d"}},"quota":{"remaining":1073614272,"state":"normal","total":1073741824,"used":127552},"root":{"eTag":"\"564cf2ba90863f73651296b011f0791e\"","id":"50020e69-da51-4707-966d-ba8adeeb10d4$bf52c3ee-480f-4b28-ab05-ff036cf3ac5d","permissions":[{"grantedToIdentities":[{"user":{"@libre.graph.userType":"Member","displayName":"Admin","id":"9181deb3-c90b-4ea4-b1f0-aab7043e920e"}}],"grantedToV2":{"user":{"@libre.graph.userType":"Member","displayName":"Admin","id":"9181deb3-c90b-4ea4-b1f0-aab7043e920e"}},"roles":["manager"]},{"grantedToIdentities":[{"user":{"@libre.graph.userType":"Member","displayName":"Richard Phillips Feynman","id":"932b4540-8d16-481e-8ef4-588e4b6b151c"}}],"grantedToV2":{"user":{"@libre.graph.userType":"Member","displayName":"Richard Phillips Feynman","id":"932b4540-8d16-481e-8ef4-588e4b6b151c"}},"roles":["viewer"]},{"grantedToIdentities":[{"user":{"@libre.graph.userType":"Member","displayName":"Marie Skłodowska Curie","id":"f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c"}}],"grantedToV2":{"user":{"@libre.graph.userType":"Member","displayName":"Marie Skłodowska Curie","id":"f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c"}},"roles":["editor"]}],"webDavUrl":"https://localhost:9200/dav/spaces/50020e69-da51-4707-966d-ba8adeeb10d4$bf52c3ee-480f-4b28-ab05-ff036cf3ac5d"},"webUrl":"https://localhost:9200/f/50020e69-da51-4707-966d-ba8adeeb10d4$bf52c3ee-480f-4b28-ab05-ff036cf3ac5d"}"#;
    assert!(body.contains(physics), "{body}");
    let disabled = r#""quota":{"total":1000000000},"root":{"deleted":{"state":"trashed"},"eTag""#;
    assert!(body.contains(disabled), "{body}");
}

#[tokio::test]
async fn drives_are_listed_filtered_and_ordered() {
    let all = ["Physics", "Richard Phillips Feynman", "disabled one"];
    assert_eq!(names("me/drives").await, all);
    assert_eq!(names("me/drives?$select=id&$expand=root").await, all);
    let by_name = ["disabled one", "Physics", "Richard Phillips Feynman"];
    assert_eq!(names("me/drives?$orderby=name").await, by_name);
    let newest = ["Richard Phillips Feynman", "disabled one", "Physics"];
    assert_eq!(names("me/drives?$orderby=lastModifiedDateTime+desc").await, newest);
    let by_id = format!("me/drives?$filter=id+eq+'{STORAGE}${PHYSICS}'");
    assert_eq!(names(&by_id).await, ["Physics"]);
    for none in ["id+eq+'x$y'", "id+eq+'x'", "driveType+eq+'virtual'", "driveType+eq+'metadata'"] {
        assert!(names(&format!("me/drives?$filter={none}")).await.is_empty(), "{none}");
    }
}

#[tokio::test]
async fn who_has_no_personal_drive_is_told_so() {
    let server = Server::new();
    server.fake.0.lock().spaces.clear();
    let (status, body) = server.richard("GET", "me/drive", "").await;
    assert_eq!(status, 404, "{body}");
    assert_eq!(server.richard("GET", "me/drives", "").await, (200, r#"{"value":[]}"#.into()));
}

#[tokio::test]
async fn members_are_shown_with_ids_of_roles_in_the_newer_form() {
    let server = Server::new();
    let path = "v1beta1/drives?$filter=driveType eq 'project'";
    let (status, body) = server.send(server.fake.caller(ADMIN), "GET", path, "").await;
    assert_eq!(status, StatusCode::OK);
    for member in [
        r#"{"grantedToV2":{"user":{"@libre.graph.userType":"Member","displayName":"Admin","id":"9181deb3-c90b-4ea4-b1f0-aab7043e920e"}},"id":"u:9181deb3-c90b-4ea4-b1f0-aab7043e920e","roles":["312c0871-5ef7-4b3a-85b6-0e4074c64049"]}"#,
        r#"{"@libre.graph.permissions.actions":["libre.graph/driveItem/path/read","libre.graph/driveItem/content/read","libre.graph/driveItem/children/read","libre.graph/driveItem/basic/read"],"grantedToV2":{"group":{"displayName":"quantum-lovers","id":"a1726108-01f8-4c30-88df-2b1a9d1cba1a"}},"id":"g:a1726108-01f8-4c30-88df-2b1a9d1cba1a"}"#,
        r#"{"grantedToV2":{"user":{"displayName":"","id":"gone"}},"id":"u:gone","roles":["a8d5fe5e-96e3-418d-825b-534dbdf22b99"]}"#,
    ] {
        assert!(body.contains(member), "{member}: {body}");
    }
}

#[tokio::test]
async fn a_project_space_lives() {
    let server = Server::new();
    let body = r#"{"name":" Chemistry ","description":"Salts","driveAlias":"project/salts","quota":{"total":5000}}"#;
    let (status, body) = server.admin("POST", "drives", body).await;
    assert_eq!(status, 201, "{body}");
    let begins = r#"{"description":"Salts","driveAlias":"project/salts","driveType":"project","id":"50020e69-da51-4707-966d-ba8adeeb10d4$11111111-new-space","#;
    assert!(body.starts_with(begins) && body.contains(r#""name":"Chemistry""#), "{body}");
    assert!(body.contains(r#""total":5000"#), "{body}");
    let drive = format!("drives/{STORAGE}$11111111-new-space");
    let change = r#"{"name":"Alchemy","description":"Gold","quota":{"total":0}}"#;
    let (status, body) = server.admin("PATCH", &drive, change).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("Alchemy") && body.contains("Gold"), "{body}");
    assert_eq!(server.admin("PATCH", &drive, "{}").await.0, 200);
    let purge = ("Purge", "T");
    let (status, body) = server.admin_with(purge, "DELETE", &drive, "").await;
    assert_eq!(status, 400, "one that is in use cannot be purged: {body}");
    assert_eq!(server.admin("DELETE", &drive, "").await, (204, String::new()));
    let (_, body) = server.admin("GET", &drive, "").await;
    assert!(body.contains(r#""deleted":{"state":"trashed"}"#), "{body}");
    let (status, body) = server.admin_with(("Restore", "true"), "PATCH", &drive, "{}").await;
    assert_eq!(status, 200);
    assert!(!body.contains("trashed"), "{body}");
    assert_eq!(server.admin("DELETE", &drive, "").await.0, 204);
    assert_eq!(server.admin_with(purge, "DELETE", &drive, "").await.0, 204);
    assert_eq!(server.admin("GET", &drive, "").await.0, 404);
}

#[tokio::test]
async fn a_space_gets_the_quota_of_the_server_where_none_is_asked_for() {
    let server = Server::new();
    let (_, body) = server.admin("POST", "drives", r#"{"name":"a","quota":{"total":-1}}"#).await;
    assert!(body.contains(r#""total":1000000000"#), "{body}");
}

#[tokio::test]
async fn what_is_no_drive_and_who_may_not() {
    let server = Server::new();
    let physics = format!("drives/{STORAGE}${PHYSICS}");
    let personal = format!("drives/{STORAGE}${RICHARD}");
    let disabled = format!("drives/{STORAGE}${DISABLED}");
    for (method, path, body, status, code) in [
        ("POST", "drives", r#"{"name":""}"#, 400, "invalidRequest"),
        ("POST", "drives", r#"{"name":"a.b"}"#, 400, "invalidRequest"),
        ("POST", "drives", r#"{"name":"a","driveType":"personal"}"#, 400, "invalidRequest"),
        ("POST", "drives", r#"{"name":"a","nothing":1}"#, 400, "invalidRequest"),
        ("POST", "drives", "", 400, "invalidRequest"),
        ("GET", "drives/x", "", 400, "invalidRequest"),
        ("GET", "drives/a$b", "", 404, "itemNotFound"),
        ("GET", "drives/a$records", "", 404, "itemNotFound"),
        ("PATCH", "drives/x", "{}", 400, "invalidRequest"),
        ("PATCH", "drives/a$b", "{}", 404, "itemNotFound"),
        ("PATCH", &*physics, r#"{"name":"a/b"}"#, 400, "generalException"),
        ("PATCH", &*physics, r#"{"quota":{"total":-5}}"#, 400, "invalidRequest"),
        ("PATCH", &*physics, r#"{"special":[{"id":"?"}]}"#, 400, "invalidRequest"),
        ("DELETE", "drives/a$b", "", 404, "itemNotFound"),
        ("GET", "drives?$filter=driveType ne 'project'", "", 501, "notSupported"),
    ] {
        let (got, answer) = server.admin(method, path, body).await;
        assert_eq!(got, status, "{method} {path} {body}: {answer}");
        assert!(answer.contains(code), "{method} {path} {body}: {answer}");
    }
    let quota = r#"{"quota":{"total":1}}"#;
    for (method, path, body, status) in [
        ("POST", "drives", r#"{"name":"a"}"#, 403),
        ("PATCH", &*physics, quota, 403),
        ("PATCH", &*personal, quota, 403),
        ("DELETE", &*disabled, "", 404),
    ] {
        let (got, answer) = server.richard(method, path, body).await;
        assert_eq!(got, status, "{method} {path} {body}: {answer}");
    }
}
