//! Uploads in pieces that nobody ends: listed, and removed by the server when their time is over.

use std::fs;
use std::time::Instant;

use reqwest::StatusCode;
use serde_json::json;

use crate::harness::{Home, PATIENCE, text};
use crate::maintenance::space;

const ID: &str = "4c510ada-c86b-4815-8820-42cdf82c3d51";

/// What `ocis storage-users uploads sessions` prints as JSON.
fn sessions(home: &Home, filter: &[&str]) -> String {
    let command = ["storage-users", "uploads", "sessions", "--json"];
    let output = home.run(&[&command[..], filter].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[tokio::test]
async fn an_upload_whose_time_is_over_is_removed_by_the_server() {
    let home = Home::new();
    let server = home.serve(&[("IDM_ADMIN_PASSWORD", "secret")]);
    let put = server.request("PUT", "/webdav/a.txt", "secret").await.body("content");
    assert_eq!(put.send().await.unwrap().status(), StatusCode::CREATED);
    server.stop();
    // One that oCIS left: four of six bytes, good until some seconds after 1970 began.
    let root = home.path().join(".ocis/storage/users");
    let (uploads, space) = (root.join("uploads"), space(&root).1);
    let info = json!({
        "ID": ID, "Size": 6, "SizeIsDeferred": false, "Offset": 0, "IsPartial": false,
        "IsFinal": false, "PartialUploads": null,
        "MetaData": {
            "dir": "/", "expires": "9.0", "filename": "late.txt", "mtime": "1.0", "providerID": "s",
        },
        "Storage": {
            "Chunk": "", "Dir": "/", "Idp": "https://localhost:9200", "LogLevel": "error",
            "NodeId": ID, "NodeName": "late.txt", "NodeParentId": space, "SpaceGid": "",
            "SpaceOwnerOrManager": space, "SpaceRoot": space, "Type": "OCISStore",
            "UserDisplayName": "Admin", "UserId": space, "UserName": "admin", "UserOpaque": "{}",
            "UserType": "primary",
        },
    });
    fs::write(uploads.join(format!("{ID}.info")), info.to_string()).unwrap();
    fs::write(uploads.join(ID), "abcd").unwrap();
    assert!(sessions(&home, &["--expired"]).contains("late.txt"));
    assert_eq!(sessions(&home, &["--expired=false"]), "[]\n");

    let server = home.serve(&[]);
    let since = Instant::now();
    while fs::read_dir(&uploads).unwrap().count() > 0 {
        assert!(since.elapsed() < PATIENCE, "it stays");
        tokio::task::yield_now().await;
    }
    assert_eq!(sessions(&home, &[]), "[]\n");
    server.stop();
}
