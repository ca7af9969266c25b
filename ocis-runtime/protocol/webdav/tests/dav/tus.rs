//! Resumable uploads: how they are begun, go on and end.

use ocis_core::data::full;
use ocis_webdav::DataGateway;
use tower::ServiceExt as _;

use crate::server::{Client, HOME, Reply};

const BYTES: (&str, &str) = ("content-type", "application/offset+octet-stream");
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
/// `filename a.txt`.
const NAME: (&str, &str) = ("upload-metadata", "filename YS50eHQ=,mtime MTcwMDAwMDAwMA==");

async fn create(client: &Client, more: &[(&str, &str)], content: &str) -> Reply {
    let headers: Vec<_> = [TUS, NAME].into_iter().chain(more.iter().copied()).collect();
    client.send("POST", HOME, &headers, content.to_owned()).await
}

/// Sends a request to the place that an upload has.
async fn go_on(
    client: &Client,
    method: &str,
    created: &Reply,
    headers: &[(&str, &str)],
    content: &str,
) -> Reply {
    let place = created.header("location").strip_prefix("https://localhost:9200").unwrap();
    let mut request = http::Request::builder().method(method).uri(place);
    for (name, value) in [TUS].iter().chain(headers) {
        request = request.header(*name, *value);
    }
    let request = request.body(full(content.to_owned())).unwrap();
    Reply::read(DataGateway::new(client.memory.data()).oneshot(request).await.unwrap()).await
}

#[tokio::test]
async fn an_upload_in_pieces() {
    let client = Client::new();
    let created = create(&client, &[("upload-length", "10")], "").await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.header("tus-resumable"), "1.0.0");
    assert!(created.header("upload-expires").ends_with(" GMT"));
    assert_eq!(client.get("/a.txt").await.status, 404);
    let first = go_on(&client, "PATCH", &created, &[BYTES, ("upload-offset", "0")], "0123").await;
    assert_eq!((first.status, first.header("upload-offset")), (204, "4"));
    assert_eq!(first.header("etag"), "");
    let seen = go_on(&client, "HEAD", &created, &[], "").await;
    assert_eq!((seen.status, seen.header("upload-offset")), (200, "4"));
    assert_eq!(seen.header("upload-length"), "10");
    assert_eq!(seen.header("upload-metadata"), "filename YS50eHQ=");
    assert_eq!(seen.header("cache-control"), "no-store");
    let twice = go_on(&client, "PATCH", &created, &[BYTES, ("upload-offset", "0")], "0123").await;
    assert_eq!(twice.status, 409);
    let over = [BYTES, ("upload-offset", "4"), ("x-http-method-override", "PATCH")];
    let last = go_on(&client, "POST", &created, &over, "456789").await;
    assert_eq!((last.status, last.header("upload-offset")), (204, "10"));
    let file = client.get("/a.txt").await;
    assert_eq!(file.body, "0123456789");
    assert_eq!(last.header("etag"), file.header("etag"));
    assert_eq!(last.header("oc-fileid"), file.header("oc-fileid"));
    assert_eq!(file.header("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
    let again = go_on(&client, "PATCH", &created, &[BYTES, ("upload-offset", "4")], "4").await;
    assert_eq!(again.status, 404);
}

#[tokio::test]
async fn bytes_may_come_with_the_beginning() {
    let client = Client::new();
    let created = create(&client, &[("upload-length", "4"), BYTES], "0123").await;
    assert_eq!((created.status, created.header("upload-offset")), (201, "4"));
    let file = client.get("/a.txt").await;
    assert_eq!(created.header("oc-fileid"), file.header("oc-fileid"));
    assert!(created.header("location").contains("/data/"));
    let part = create(&client, &[("upload-length", "8"), BYTES], "0123").await;
    assert_eq!((part.status, part.header("upload-offset")), (201, "4"));
    assert_eq!(part.header("oc-fileid"), "");
    // As ownCloud's sync client says it.
    let headers = [TUS, BYTES, ("upload-length", "1"), ("x-oc-mtime", "1577836800")];
    let metadata = ("upload-metadata", "filename L2IudHh0,checksum ");
    let headers: Vec<_> = headers.into_iter().chain([metadata]).collect();
    let synced = client.send("POST", HOME, &headers, "b").await;
    assert_eq!((synced.status, synced.header("x-oc-mtime")), (201, "accepted"));
    let modified = client.get("/b.txt").await;
    assert_eq!(modified.header("last-modified"), "Wed, 01 Jan 2020 00:00:00 GMT");
    let nothing = create(&client, &[("upload-length", "0")], "").await;
    assert_eq!(nothing.status, 201);
    assert_eq!(nothing.header("oc-fileid"), file.header("oc-fileid"));
    assert_eq!(client.get("/a.txt").await.body, "");
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let client = Client::new();
    client.mkcol("/d").await;
    let length = ("upload-length", "4");
    let name = |name: &'static str| ("upload-metadata", name);
    for (headers, status) in [
        (vec![NAME, length], 412),
        (vec![TUS, NAME], 412),
        (vec![TUS, length], 412),
        (vec![TUS, NAME, ("upload-length", "four")], 400),
        (vec![TUS, NAME, ("upload-length", "-4")], 400),
        // `..`, `a/../b`, `/`, and a name of 256 bytes would do the same
        (vec![TUS, length, name("filename Li4=")], 412),
        (vec![TUS, length, name("filename YS8uLi9i")], 412),
        (vec![TUS, length, name("filename Lw==")], 412),
        // `none/a`: no such folder
        (vec![TUS, length, name("filename bm9uZS9h")], 412),
        // `d`: a folder
        (vec![TUS, length, name("filename ZA==")], 409),
        (vec![TUS, length, NAME, ("if-match", "\"other\"")], 412),
        (vec![TUS, length, name("filename YQ==,mtime eA==")], 400),
        (vec![TUS, length, name("filename YQ==,checksum eA==")], 400),
    ] {
        let reply = client.send("POST", HOME, &headers, "").await;
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.body);
        assert_eq!(reply.header("location"), "", "{headers:?}");
    }
    // `d/a`
    let inside = [TUS, length, name("filename ZC9h"), BYTES];
    assert_eq!(client.send("POST", HOME, &inside, "abcd").await.status, 201);
    assert_eq!(client.get("/d/a").await.body, "abcd");

    let created = create(&client, &[length], "").await;
    let offset = ("upload-offset", "0");
    for (method, headers, status) in [
        ("PATCH", vec![offset], 400),
        ("PATCH", vec![BYTES], 400),
        ("PATCH", vec![BYTES, offset, ("upload-checksum", "sha1 wrong")], 460),
        ("GET", vec![], 405),
        ("PUT", vec![], 405),
        ("OPTIONS", vec![], 204),
        ("DELETE", vec![], 204),
        ("HEAD", vec![], 404),
    ] {
        let reply = go_on(&client, method, &created, &headers, "0123").await;
        assert_eq!(reply.status, status, "{method} {headers:?}: {}", reply.body);
        assert_eq!(reply.header("tus-resumable"), "1.0.0");
    }
}
