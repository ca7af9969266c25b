//! Files over the whole way: TLS listener, basic authentication, WebDAV, storage on disk.

use reqwest::{Method, StatusCode};

use crate::harness::{Home, client, public_url};

#[tokio::test]
async fn a_file_goes_in_and_comes_back_also_after_a_restart() {
    let home = Home::new();
    let server = home.serve(&[("IDM_ADMIN_PASSWORD", "secret")]);
    let request = |method: Method, url: String| {
        client().request(method, url).basic_auth("admin", Some("secret"))
    };
    let url = public_url(home.port).await;
    let small = "content".repeat(3);
    let large = vec![b'x'; 3_000_000];
    for (name, content) in [("small.txt", small.clone().into_bytes()), ("large.bin", large.clone())]
    {
        let put = request(Method::PUT, format!("{url}/remote.php/webdav/{name}")).body(content);
        assert_eq!(put.send().await.unwrap().status(), StatusCode::CREATED);
    }
    let propfind = Method::from_bytes(b"PROPFIND").unwrap();
    let list = request(propfind, format!("{url}/dav/files/admin/")).header("Depth", "1");
    let list = list.send().await.unwrap();
    assert_eq!(list.status(), StatusCode::MULTI_STATUS);
    let list = list.text().await.unwrap();
    assert!(list.contains("small.txt") && list.contains("large.bin"), "{list}");
    let drives = request(Method::GET, format!("{url}/graph/v1.0/me/drives")).send().await.unwrap();
    assert!(drives.text().await.unwrap().contains("\"driveType\":\"personal\""));
    server.stop();

    let _server = home.serve(&[]);
    let url = public_url(home.port).await;
    for (name, content) in [("small.txt", small.into_bytes()), ("large.bin", large)] {
        let get = request(Method::GET, format!("{url}/webdav/{name}")).send().await.unwrap();
        assert_eq!(get.status(), StatusCode::OK);
        assert!(get.bytes().await.unwrap() == content, "{name}");
    }
}
