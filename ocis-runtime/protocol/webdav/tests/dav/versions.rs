//! Versions, with the answers of a real oCIS, and where a file lies.

use crate::bin::VERSION;
use crate::server::Client;

async fn meta(client: &Client) -> String {
    let id = client.put("/f.txt", "text").await.header("oc-fileid").to_owned();
    format!("/remote.php/dav/meta/{id}")
}

#[tokio::test]
async fn a_listing_is_that_of_ocis() {
    let client = Client::new();
    let meta = meta(&client).await;
    let asked = "<d:propfind xmlns:d='DAV:'><d:prop><d:getetag/><d:getcontentlength/>\
        <d:getlastmodified/></d:prop></d:propfind>";
    let reply = client.send("PROPFIND", &format!("{meta}/v"), &[], asked).await;
    assert_eq!(reply.status, 207);
    let href = meta.replace('!', "%21");
    let wanted = format!(
        "<d:multistatus xmlns:s=\"http://sabredav.org/ns\" xmlns:d=\"DAV:\" \
        xmlns:oc=\"http://owncloud.org/ns\"><d:response><d:href>{href}/</d:href><d:propstat><d:prop>\
        <d:getetag></d:getetag><d:getcontentlength></d:getcontentlength><d:getlastmodified>\
        </d:getlastmodified></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>\
        </d:response><d:response><d:href>{href}/v/{VERSION}</d:href><d:propstat><d:prop><d:getetag>\"old\"\
        </d:getetag><d:getcontentlength>4</d:getcontentlength><d:getlastmodified>Mon, 23 Nov 2026 \
        02:48:48 GMT</d:getlastmodified></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>\
        </d:response></d:multistatus>"
    );
    assert_eq!(reply.body, wanted);
    assert_eq!(client.status("PROPFIND", "/dav/meta/storage$s!none/v", &[]).await, 404);
    assert_eq!(client.status("PROPFIND", "/dav/meta/none/v", &[]).await, 400);
}

#[tokio::test]
async fn reading_and_bringing_back() {
    let client = Client::new();
    let meta = meta(&client).await;
    let url = format!("{meta}/v/{VERSION}");
    let reply = client.send("GET", &url, &[], "").await;
    assert_eq!((reply.status, &*reply.body, reply.header("etag")), (200, "text", "\"old\""));
    assert!(reply.header("content-disposition").contains("f.txt"));
    let reply = client.send("GET", &url, &[("range", "bytes=1-2")], "").await;
    assert_eq!((reply.status, &*reply.body), (206, "ex"));
    let reply = client.send("HEAD", &url, &[], "").await;
    assert_eq!((reply.status, reply.header("content-length")), (200, "4"));
    assert_eq!(client.status("COPY", &url, &[]).await, 204);
    assert_eq!(client.status("COPY", &url, &[("if", "([\"wrong\"])")]).await, 412);
    for method in ["GET", "HEAD", "COPY"] {
        assert_eq!(client.status(method, &format!("{meta}/v/none"), &[]).await, 404, "{method}");
    }
    for method in ["DELETE", "PUT", "MOVE"] {
        assert_eq!(client.status(method, &url, &[]).await, 501, "{method}");
    }
    assert_eq!(client.anonymous("GET", &url).await.status, 401);
}

#[tokio::test]
async fn where_a_file_lies() {
    let client = Client::new();
    let meta = meta(&client).await;
    let asked = |name: &str| {
        format!(
            "<d:propfind xmlns:d='DAV:' xmlns:oc='http://owncloud.org/ns'><d:prop><oc:{name}/>\
            </d:prop></d:propfind>"
        )
    };
    for name in ["meta-path-for-user", "meta-path-for-space"] {
        let reply = client.send("PROPFIND", &meta, &[], asked(name)).await;
        assert_eq!(reply.status, 207);
        let found = reply.body.contains(&format!("<oc:{name}>/f.txt</oc:{name}>"));
        assert!(found, "{}", reply.body);
    }
    assert_eq!(client.send("PROPFIND", &meta, &[], asked("other")).await.status, 400);
    assert_eq!(client.status("PROPFIND", &meta, &[]).await, 400);
    let none = client.send("PROPFIND", "/dav/meta/storage$s!n", &[], asked("meta-path-for-user"));
    assert_eq!(none.await.status, 404);
}
