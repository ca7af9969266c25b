//! GET, HEAD, OPTIONS, and what stands around files.

use ocis_webdav::DavOptions;

use crate::memory::USER;
use crate::server::{Client, cx};

#[tokio::test]
async fn a_file_comes_with_its_headers() {
    let client = Client::new();
    let put = client.put("/a%20b.txt", "content").await;
    for method in ["GET", "HEAD"] {
        let reply = client.send(method, "/a%20b.txt", &[], "").await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body, if method == "GET" { "content" } else { "" });
        for (name, value) in [
            ("content-length", "7"),
            ("content-type", "text/plain"),
            ("accept-ranges", "bytes"),
            ("content-disposition", "attachment; filename*=UTF-8''a%20b.txt; filename=\"a b.txt\""),
            ("etag", put.header("etag")),
            ("oc-etag", put.header("etag")),
            ("oc-fileid", put.header("oc-fileid")),
            ("oc-perm", "RDNVWZP"),
            ("oc-checksum", &format!("SHA1:{}", "01".repeat(20))),
            ("last-modified", put.header("last-modified")),
        ] {
            assert_eq!(reply.header(name), value, "{method} {name}");
        }
    }
    assert_eq!(client.status("GET", "/nothing", &[]).await, 404);
    assert_eq!(client.status("HEAD", "/nothing", &[]).await, 404);
}

#[tokio::test]
async fn a_folder_has_no_content() {
    let client = Client::new();
    client.mkcol("/d").await;
    let reply = client.send("GET", "/d/", &[], "").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    assert_eq!(client.status("HEAD", "/d", &[]).await, 200);
}

#[tokio::test]
async fn ranges() {
    let client = Client::new();
    client.put("/f.txt", "0123456789").await;
    let get =
        async |range: &'static str| client.send("GET", "/f.txt", &[("range", range)], "").await;
    for (range, content, place) in [
        ("bytes=0-0", "0", "bytes 0-0/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
    ] {
        let reply = get(range).await;
        assert_eq!((reply.status, reply.body.as_str()), (206, content), "{range}");
        assert_eq!(reply.header("content-range"), place);
        assert_eq!(reply.header("content-length"), content.len().to_string());
    }
    let reply = get("bytes=10-").await;
    assert_eq!((reply.status, reply.header("content-range")), (416, "bytes */10"));
    assert_eq!(get("bytes=x").await.status, 416);
    assert_eq!(get("lines=1").await.status, 200);

    let reply = get("bytes=0-1,4-4").await;
    assert_eq!(reply.status, 206);
    let boundary =
        reply.header("content-type").strip_prefix("multipart/byteranges; boundary=").unwrap();
    let wanted = format!(
        "\r\n--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\
         \r\n--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 4-4/10\r\n\r\n4\
         \r\n--{boundary}--\r\n"
    );
    assert_eq!(reply.body, wanted);
    assert_eq!(reply.header("content-length"), wanted.len().to_string());

    let etag = reply.header("etag").to_owned();
    for (value, status) in [(etag.as_str(), 206), ("\"other\"", 200), ("W/\"x\"", 200)] {
        let headers = [("range", "bytes=0-0"), ("if-range", value)];
        assert_eq!(client.status("GET", "/f.txt", &headers).await, status, "{value}");
    }
}

#[tokio::test]
async fn reading_conditionally() {
    let client = Client::new();
    client.put("/f", "x").await;
    let etag = client.send("HEAD", "/f", &[], "").await.header("etag").to_owned();
    for (name, value, status) in [
        ("if-none-match", etag.as_str(), 304),
        ("if-none-match", "\"other\"", 200),
        ("if-match", &etag, 200),
        ("if-match", "\"other\"", 412),
        ("if-modified-since", "Fri, 31 Dec 9999 23:59:59 GMT", 304),
        ("if-unmodified-since", "Sat, 01 Jan 2000 00:00:00 GMT", 412),
        ("if-modified-since", "yesterday", 200),
        ("if", &format!("([{etag}])"), 200),
        ("if", "([\"other\"])", 412),
    ] {
        for method in ["GET", "HEAD"] {
            let reply = client.send(method, "/f", &[(name, value)], "").await;
            assert_eq!(reply.status, status, "{method} {name}: {value}");
            if status == 304 {
                assert_eq!(reply.header("etag"), etag);
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_is_being_processed_cannot_be_read_yet() {
    let client = Client::new();
    client.put("/f", "x").await;
    client.memory.process("f");
    assert_eq!(client.status("GET", "/f", &[]).await, 425);
    assert_eq!(client.status("HEAD", "/f", &[]).await, 425);
    let reply = client.send("PROPFIND", "/f", &[("depth", "0")], "").await;
    assert!(reply.body.contains("<d:status>HTTP/1.1 425 TOO EARLY</d:status>"), "{}", reply.body);
}

#[tokio::test]
async fn options_say_what_works() {
    let client = Client::new();
    for path in ["/", "/dav/files/whoever/x", "/dav/spaces/s$p"] {
        let reply = client.anonymous("OPTIONS", &path.replace("//", "/")).await;
        let reply = if path == "/" {
            client.anonymous("OPTIONS", "/remote.php/webdav/").await
        } else {
            reply
        };
        assert_eq!(reply.status, 204, "{path}");
        assert_eq!(reply.header("dav"), "1, 2");
        assert_eq!(reply.header("ms-author-via"), "DAV");
        assert_eq!(
            reply.header("allow"),
            "OPTIONS, GET, HEAD, PUT, POST, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, \
             UNLOCK"
        );
        assert_eq!(reply.header("tus-resumable"), "1.0.0");
        assert_eq!(reply.header("tus-checksum-algorithm"), "md5,sha1,crc32");
    }
    assert_eq!(client.anonymous("OPTIONS", "/dav/spaces").await.header("allow"), "OPTIONS");
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_so() {
    let client = Client::new();
    for method in ["GET", "PUT", "PROPFIND", "MKCOL", "UNLOCK"] {
        let reply = client.anonymous(method, "/remote.php/webdav/f").await;
        assert_eq!(reply.status, 401, "{method}");
        assert!(reply.body.contains("Sabre\\DAV\\Exception\\NotAuthenticated"), "{}", reply.body);
    }
    let mut request = http::Request::new(ocis_core::data::empty());
    request.extensions_mut().insert(ocis_core::Cx::new(ocis_core::Caller::Anonymous, cx().now));
    assert_eq!(client.raw("GET", "/dav/spaces/s$p", &[], request).await.status, 401);
}

#[tokio::test]
async fn every_prefix_names_the_same_file() {
    let client = Client::new();
    client.put("/é.txt", "x").await;
    let space = format!("storage${USER}");
    for prefix in [
        "/webdav".replace("/webdav", "/remote.php/webdav"),
        "/dav/files/einstein".into(),
        "/dav/files/EINSTEIN".into(),
        format!("/dav/files/{USER}"),
        "/remote.php/dav/files/einstein".into(),
        format!("/dav/spaces/{space}"),
        format!("/remote.php/dav/spaces/{}", space.replace('$', "%24")),
        format!("/dav/spaces/{space}!{USER}"),
        format!("/dav/spaces/{space}%21{USER}"),
    ] {
        let path = format!("{prefix}/%c3%a9.txt");
        assert_eq!(client.send("GET", &path, &[], "").await.body, "x", "{path}");
        let reply = client.send("PROPFIND", &path, &[("depth", "0")], "").await;
        let href = path.replace("%c3%a9", "%C3%A9").replace("%24", "$").replace('!', "%21");
        assert!(reply.body.contains(&format!("<d:href>{href}</d:href>")), "{path}: {}", reply.body);
    }
    for (path, status) in [
        ("/dav/files/marie/", 404),
        ("/dav/files", 405),
        ("/dav/spaces", 405),
        ("/dav/spaces/storage$nobody", 404),
        ("/dav/spaces/nonsense", 400),
        ("/dav", 405),
        ("/dav/meta/x/v", 400),
        ("/dav/public-files/t", 501),
        ("/dav/ocm/t", 501),
        ("/dav/uploads/einstein/x", 404),
        ("/remote.php/nothing", 404),
    ] {
        assert_eq!(client.status("PROPFIND", path, &[]).await, status, "{path}");
    }
}

#[tokio::test]
async fn what_a_later_version_does_is_not_pretended() {
    let client = Client::new();
    client.put("/f.png", "x").await;
    for (method, path, status) in [
        ("REPORT", "/", 501),
        ("SEARCH", "/", 501),
        ("PATCH", "/f.png", 405),
        ("TRACE", "/f.png", 405),
        ("BREW", "/f.png", 501),
        ("GET", "/f.png?x=32&preview=1", 501),
        ("GET", "/f.png?x=32", 200),
    ] {
        assert_eq!(client.status(method, path, &[]).await, status, "{method} {path}");
    }
}

#[tokio::test]
async fn the_status_is_for_everybody() {
    let options = DavOptions { product_version: "7.0.0".into(), ..DavOptions::default() };
    let client = Client::with(options);
    let reply = client.anonymous("GET", "/status.php").await;
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(client.anonymous("GET", "/status").await.body, reply.body);
    insta::assert_snapshot!(reply.body, @r#"
    {
        "installed": true,
        "maintenance": false,
        "needsDbUpgrade": false,
        "version": "10.11.0.0",
        "versionstring": "10.11.0",
        "edition": "Community",
        "productname": "Infinite Scale",
        "product": "Infinite Scale",
        "productversion": "7.0.0"
    }
    "#);
    assert_eq!(client.anonymous("HEAD", "/status.php").await.status, 200);
    assert_eq!(client.anonymous("POST", "/status.php").await.status, 405);
}
