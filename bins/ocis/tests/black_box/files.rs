//! Files over the whole way: TLS listener, basic authentication, WebDAV, storage on disk.

use reqwest::StatusCode;

use crate::harness::Home;

#[tokio::test]
async fn a_file_goes_in_and_comes_back_also_after_a_restart() {
    let home = Home::new();
    let server = home.serve(&[("IDM_ADMIN_PASSWORD", "secret")]);
    let files = [("small.txt", b"content".repeat(3)), ("large.bin", vec![b'x'; 3_000_000])];
    for (name, content) in files.clone() {
        let path = format!("/remote.php/webdav/{name}");
        let put = server.request("PUT", &path, "secret").await.body(content);
        assert_eq!(put.send().await.unwrap().status(), StatusCode::CREATED);
    }
    let list = server.request("PROPFIND", "/dav/files/admin/", "secret").await;
    let list = list.header("Depth", "1").send().await.unwrap();
    assert_eq!(list.status(), StatusCode::MULTI_STATUS);
    let list = list.text().await.unwrap();
    assert!(list.contains("small.txt") && list.contains("large.bin"), "{list}");
    let drives = server.request("GET", "/graph/v1.0/me/drives", "secret").await;
    let drives = drives.send().await.unwrap().text().await.unwrap();
    assert!(drives.contains("\"driveType\":\"personal\""), "{drives}");
    server.stop();

    let server = home.serve(&[]);
    for (name, content) in files {
        let get = server.request("GET", &format!("/webdav/{name}"), "secret").await;
        let get = get.send().await.unwrap();
        assert_eq!(get.status(), StatusCode::OK);
        assert!(get.bytes().await.unwrap() == content, "{name}");
    }
}
