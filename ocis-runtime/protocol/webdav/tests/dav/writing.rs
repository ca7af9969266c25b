//! PUT, MKCOL and DELETE.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt as _;
use ocis_core::Error;

use crate::server::{Client, cx};

#[tokio::test]
async fn a_file_is_made_and_overwritten() {
    let client = Client::new();
    let made = client.put("/f.txt", "one").await;
    let again = client.send("PUT", "/f.txt", &[], "two").await;
    assert_eq!(again.status, 204);
    for reply in [&made, &again] {
        assert!(reply.header("etag").starts_with('"'));
        assert_eq!(reply.header("oc-etag"), reply.header("etag"));
        assert!(reply.header("oc-fileid").starts_with("storage$"));
        assert_eq!(reply.header("oc-perm"), "RDNVWZP");
        assert!(reply.header("last-modified").ends_with(" GMT"));
        assert_eq!(reply.body, "");
        assert_eq!(reply.header("x-oc-mtime"), "");
    }
    assert_ne!(made.header("etag"), again.header("etag"));
    assert_eq!(client.send("GET", "/f.txt", &[], "").await.body, "two");
}

#[tokio::test]
async fn where_no_file_can_be() {
    let client = Client::new();
    client.mkcol("/d").await;
    for (path, status) in [("/d", 409), ("/", 409), ("/missing/f", 409)] {
        assert_eq!(client.status("PUT", path, &[]).await, status, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_means_nothing_is_refused() {
    let client = Client::new();
    client.put("/f", "x").await;
    let to = ("destination", "/remote.php/webdav/g");
    for method in ["DELETE", "COPY", "MOVE"] {
        assert_eq!(client.send(method, "/f", &[to], "x").await.status, 415, "{method}");
    }
    assert_eq!(client.send("MKCOL", "/d", &[], "x").await.status, 415);
    assert_eq!(client.status("GET", "/f", &[]).await, 200);
}

#[tokio::test]
async fn failures_say_what_clients_of_owncloud_look_for() {
    let client = Client::new();
    client.mkcol("/d").await;
    for (method, path, message) in [
        ("GET", "/none", "Resource not found"),
        ("DELETE", "/none", "Resource not found"),
        ("MKCOL", "/d", "The resource you tried to create already exists"),
    ] {
        let reply = client.send(method, path, &[], "").await;
        let message = format!("<s:message>{message}</s:message>");
        assert!(reply.body.contains(&message), "{method}: {}", reply.body);
    }
}

#[tokio::test]
async fn headers_of_uploads() {
    let client = Client::new();
    let sum = format!("SHA1:{}", "0".repeat(40));
    for (name, value, status) in [
        ("content-range", "bytes 0-1/2", 501),
        ("oc-chunked", "1", 501),
        ("x-oc-mtime", "soon", 400),
        ("x-oc-mtime", "1e300", 400),
        ("oc-checksum", "SHA1", 400),
        ("oc-checksum", "SHA512:00", 400),
        ("x-expected-entity-length", "many", 400),
        // A body in chunks that stayed empty.
        ("x-expected-entity-length", "2", 400),
        ("oc-checksum", &sum, 201),
        ("oc-checksum", "", 204),
        ("x-expected-entity-length", "1", 204),
    ] {
        let reply = client.send("PUT", "/f", &[(name, value)], "x").await;
        assert_eq!(reply.status, status, "{name}: {value}");
    }
    let reply = client.send("PUT", "/f", &[("x-oc-mtime", "946684800.75")], "x").await;
    assert_eq!((reply.status, reply.header("x-oc-mtime")), (204, "accepted"));
    assert_eq!(reply.header("last-modified"), "Sat, 01 Jan 2000 00:00:00 GMT");
}

#[tokio::test]
async fn writing_conditionally() {
    let client = Client::new();
    let etag = client.put("/f", "x").await.header("etag").to_owned();
    for (path, name, value, status) in [
        ("/f", "if-none-match", "*", 412),
        ("/f", "if-match", "\"other\"", 412),
        ("/new", "if-match", "*", 412),
        ("/f", "if-match", "\"", 400),
        ("/f", "if", "(x", 400),
        ("/f", "if", "(<DAV:no-lock>)", 412),
        ("/f", "if", "(Not <DAV:no-lock>)", 204),
        ("/new", "if-none-match", "*", 201),
    ] {
        assert_eq!(
            client.status("PUT", path, &[(name, value)]).await,
            status,
            "{path} {name}: {value}"
        );
    }
    let now = client.send("HEAD", "/f", &[], "").await.header("etag").to_owned();
    assert_ne!(now, etag);
    assert_eq!(client.status("PUT", "/f", &[("if-match", &now)]).await, 204);
}

/// A body that says whether anybody asked for it.
struct Watched(Arc<AtomicBool>, Option<Bytes>);

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.0.store(true, Ordering::SeqCst);
        Poll::Ready(self.1.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[tokio::test]
async fn a_refused_body_is_not_read() {
    let client = Client::new();
    client.mkcol("/d").await;
    for (path, status, read) in [("/d", 409, false), ("/missing/f", 409, false), ("/f", 201, true)]
    {
        let was_read = Arc::new(AtomicBool::new(false));
        let body = Watched(Arc::clone(&was_read), Some("content".into()));
        let mut request = Request::new(body.boxed_unsync());
        request.extensions_mut().insert(cx());
        let reply = client.raw("PUT", path, &[("expect", "100-continue")], request).await;
        assert_eq!((reply.status, was_read.load(Ordering::SeqCst)), (status, read), "{path}");
    }
    assert_eq!(client.send("GET", "/f", &[], "").await.body, "content");
}

#[tokio::test]
async fn folders() {
    let client = Client::new();
    client.mkcol("/d").await;
    client.put("/f", "x").await;
    for (path, status) in [("/d", 405), ("/f", 405), ("/", 405), ("/missing/d", 409), ("/f/d", 409)]
    {
        assert_eq!(client.status("MKCOL", path, &[]).await, status, "{path}");
    }
    let reply = client.send("MKCOL", "/e", &[], "<x/>").await;
    assert_eq!(reply.status, 415);
    assert!(reply.body.contains("UnsupportedMediaType"));
    let reply = client.send("MKCOL", "/d", &[], "").await;
    assert!(reply.header("allow").contains("PROPFIND"));
}

#[tokio::test]
async fn deleting() {
    let client = Client::new();
    client.mkcol("/d").await;
    let etag = client.put("/d/f", "x").await.header("etag").to_owned();
    for (path, headers, status) in [
        ("/d/f", vec![("if-match", "\"other\"")], 412),
        ("/d", vec![("depth", "0")], 400),
        ("/", vec![], 405),
        ("/missing", vec![], 404),
        ("/d/f", vec![("if-match", etag.as_str())], 204),
        ("/d", vec![("depth", "infinity")], 204),
        ("/d", vec![], 404),
    ] {
        assert_eq!(client.status("DELETE", path, &headers).await, status, "{path} {headers:?}");
    }
}

#[tokio::test]
async fn any_name_keeps_its_bytes() {
    let client = Client::new();
    for (url, name) in [
        ("/e%CC%81", "e\u{301}"),
        ("/%C3%A9", "é"),
        ("/%25%20%23%3F%26%3C%3E%22%27+", "% #?&amp;&lt;&gt;\"'+"),
        ("/%F0%9F%98%80", "😀"),
        ("/%2e%2e.", "..."),
        ("/%01", "\u{fffd}"),
    ] {
        client.put(url, name).await;
        assert_eq!(client.send("GET", url, &[], "").await.body, name, "{url}");
        let reply = client.send("PROPFIND", url, &[("depth", "0")], "").await;
        assert!(
            reply.body.contains(&format!("<oc:name>{name}</oc:name>")),
            "{url}: {}",
            reply.body
        );
    }
}
