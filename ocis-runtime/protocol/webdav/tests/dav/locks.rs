//! LOCK, UNLOCK and the header `If`.

use std::time::Duration;

use ocis_webdav::DavOptions;

use crate::memory::USER;
use crate::server::{Client, HOME, Reply};

fn info(scope: &str) -> String {
    format!(
        "<D:lockinfo xmlns:D='DAV:' xmlns:x='urn:x'><D:lockscope><D:{scope}/></D:lockscope>\
         <D:locktype><D:write/></D:locktype><D:owner><x:me>&lt;einstein&gt;</x:me></D:owner></D:lockinfo>"
    )
}

async fn lock(client: &Client, path: &str, scope: &str, headers: &[(&str, &str)]) -> Reply {
    client.send("LOCK", path, headers, info(scope)).await
}

/// The token of a lock that must be given.
async fn token(client: &Client, path: &str, scope: &str, headers: &[(&str, &str)]) -> String {
    let reply = lock(client, path, scope, headers).await;
    assert!(reply.status < 300, "{path}: {}", reply.body);
    reply.header("lock-token").trim_matches(['<', '>']).to_owned()
}

#[tokio::test]
async fn a_lock_is_described() {
    let client = Client::new();
    client.put("/f", "x").await;
    let reply =
        lock(&client, "/f", "exclusive", &[("timeout", "Second-100, Infinite"), ("depth", "0")])
            .await;
    assert_eq!(reply.status, 200);
    let token = reply.header("lock-token").to_owned();
    assert!(token.starts_with("<opaquelocktoken:"));
    let body = reply.body.replace(token.trim_matches(['<', '>']), "TOKEN");
    insta::assert_snapshot!(body, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <d:prop xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:lockdiscovery><d:activelock><d:locktype><d:write/></d:locktype><d:lockscope><d:exclusive/></d:lockscope><d:depth>0</d:depth><d:owner><x:me xmlns:x="urn:x">&lt;einstein&gt;</x:me></d:owner><oc:ownername>Albert Einstein</oc:ownername><d:timeout>Second-100</d:timeout><d:locktoken><d:href>TOKEN</d:href></d:locktoken><d:lockroot><d:href>/remote.php/webdav/f</d:href></d:lockroot></d:activelock></d:lockdiscovery></d:prop>
    "#);
    let find = "<d:propfind xmlns:d='DAV:'><d:prop><d:lockdiscovery/></d:prop></d:propfind>";
    let reply = client.send("PROPFIND", "/f", &[("depth", "0")], find).await;
    assert!(
        reply.body.contains("<x:me xmlns:x=\"urn:x\">&lt;einstein&gt;</x:me>"),
        "{}",
        reply.body
    );
}

#[tokio::test]
async fn locking_nothing_makes_an_empty_file() {
    let client = Client::new();
    let reply = lock(&client, "/new", "exclusive", &[]).await;
    assert_eq!(reply.status, 201);
    assert!(reply.body.contains("<d:depth>infinity</d:depth>"));
    assert_eq!(client.send("GET", "/new", &[], "").await.body, "");
    assert_eq!(lock(&client, "/missing/new", "exclusive", &[]).await.status, 409);
}

#[tokio::test]
async fn a_locked_file_needs_its_token() {
    let client = Client::new();
    client.mkcol("/d").await;
    client.put("/d/f", "x").await;
    let token = token(&client, "/d/f", "exclusive", &[]).await;
    let to = format!("{HOME}/g");
    let wrong = "(<urn:uuid:other>) (Not <DAV:no-lock>)".to_owned();
    let right = format!("(<{token}>)");
    let tagged = format!("<http://localhost:9200{HOME}/d/f> (<{token}>)");
    for (method, path, given, status) in [
        ("PUT", "/d/f", "", 423),
        ("PUT", "/d/f", &wrong, 423),
        ("DELETE", "/d/f", "", 423),
        ("DELETE", "/d", "", 423),
        ("MOVE", "/d/f", "", 423),
        ("COPY", "/d/f", "", 201),
        ("PUT", "/d/f", &right, 204),
        ("PUT", "/d/f", &tagged, 204),
        ("PUT", "/d/f", "(<urn:uuid:other>)", 412),
        ("DELETE", "/d", &tagged, 204),
    ] {
        let mut headers = vec![("destination", to.as_str())];
        if !given.is_empty() {
            headers.push(("if", given));
        }
        let reply = client.send(method, path, &headers, "").await;
        assert_eq!(reply.status, status, "{method} {path} {given}: {}", reply.body);
        if reply.status == 423 {
            let href = "<d:lock-token-submitted><d:href>/remote.php/webdav/d";
            assert!(
                reply.body.contains(href) && reply.body.contains("Exception\\Locked"),
                "{}",
                reply.body
            );
        }
    }
}

#[tokio::test]
async fn a_token_may_stand_in_the_header_lock_token() {
    let client = Client::new();
    client.put("/f", "x").await;
    let only_scope =
        "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope></D:lockinfo>";
    let reply = client.send("LOCK", "/f", &[], only_scope).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let token = reply.header("lock-token").to_owned();
    let set = "<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><D:x/></D:prop></D:set></D:propertyupdate>";
    let (to, from) = ("/remote.php/webdav/g", "/remote.php/webdav/f");
    for (method, body, wanted) in [("PUT", "y", 204), ("PROPPATCH", set, 207)] {
        assert_eq!(client.send(method, "/f", &[], body).await.status, 423, "{method}");
        let other = [("lock-token", "<urn:uuid:other>")];
        assert_eq!(client.send(method, "/f", &other, body).await.status, 423, "{method}");
        let reply = client.send(method, "/f", &[("lock-token", &token)], body).await;
        assert_eq!(reply.status, wanted, "{method}");
    }
    let bare = token.trim_matches(['<', '>']);
    assert_eq!(client.status("UNLOCK", "/f", &[("lock-token", bare)]).await, 204);
    let reply = client.send("LOCK", "/f", &[], only_scope).await;
    let token = reply.header("lock-token").to_owned();
    let moved = [("destination", to), ("lock-token", &token)];
    assert_eq!(client.status("MOVE", "/f", &[("destination", to)]).await, 423);
    assert_eq!(client.status("MOVE", "/f", &moved).await, 201);
    assert_eq!(client.status("MOVE", "/g", &[("destination", from)]).await, 201);
    assert_eq!(client.status("UNLOCK", "/f", &[]).await, 400);
}

#[tokio::test]
async fn locks_in_the_way_are_named() {
    let client = Client::new();
    client.mkcol("/d%20x").await;
    client.put("/d%20x/f", "x").await;
    let first = token(&client, "/d%20x", "shared", &[]).await;
    let reply = lock(&client, "/d%20x/f", "exclusive", &[]).await;
    assert_eq!(reply.status, 423);
    assert!(reply.body.contains("<d:no-conflicting-lock><d:href>/remote.php/webdav/d%20x</d:href></d:no-conflicting-lock>"), "{}", reply.body);
    let second = token(&client, "/d%20x/f", "shared", &[]).await;
    assert_ne!(first, second);
    // One of several shared locks is enough.
    let given = format!("(<{second}>)");
    assert_eq!(client.status("PUT", "/d%20x/f", &[("if", &given)]).await, 204);
    // New members of a locked folder need the folder's token.
    assert_eq!(client.status("PUT", "/d%20x/new", &[]).await, 423);
    let given = format!("(<{first}>)");
    assert_eq!(client.status("PUT", "/d%20x/new", &[("if", &given)]).await, 201);
}

#[tokio::test]
async fn refreshing() {
    let client = Client::new();
    client.put("/f", "x").await;
    client.put("/g", "x").await;
    let token = token(&client, "/f", "exclusive", &[("timeout", "Second-10")]).await;
    let given = format!("(<{token}>)");
    let reply = client.send("LOCK", "/f", &[("if", &given), ("timeout", "Second-500")], "").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.body.contains("<d:timeout>Second-500</d:timeout>"), "{}", reply.body);
    assert_eq!(reply.header("lock-token"), "");
    let two = format!("(<{token}> <urn:uuid:2>) (<{token}>)");
    for (path, headers, status) in [
        ("/f", vec![], 400),
        ("/f", vec![("if", two.as_str())], 400),
        ("/f", vec![("if", "(<urn:uuid:other>)")], 412),
        ("/f", vec![("if", "nonsense")], 400),
        ("/g", vec![("if", given.as_str())], 412),
    ] {
        assert_eq!(client.status("LOCK", path, &headers).await, status, "{path} {headers:?}");
    }
}

#[tokio::test]
async fn unlocking() {
    let client = Client::new();
    client.put("/f", "x").await;
    client.put("/g", "x").await;
    let token = token(&client, "/f", "exclusive", &[]).await;
    let given = format!("<{token}>");
    for (path, header, status) in [
        ("/f", "", 400),
        ("/f", "urn", 400),
        ("/f", "<>", 400),
        ("/g", &given, 409),
        ("/f", "<urn:uuid:other>", 409),
        ("/none", &given, 404),
        ("/f", &given, 204),
        ("/f", &given, 409),
    ] {
        let reply = client.send("UNLOCK", path, &[("lock-token", header)], "").await;
        assert_eq!(reply.status, status, "{path} {header}: {}", reply.body);
        if status == 409 {
            assert!(reply.body.contains("<d:lock-token-matches-request-uri/>"), "{}", reply.body);
        }
    }
    assert_eq!(client.status("UNLOCK", "/f", &[]).await, 400);
    assert_eq!(client.status("PUT", "/f", &[]).await, 204);
}

#[tokio::test]
async fn bodies_and_timeouts() {
    let client = Client::with(DavOptions {
        max_lock_timeout: Some(Duration::from_secs(60)),
        ..DavOptions::default()
    });
    client.put("/f", "x").await;
    for body in ["<x/>", "<d:lockinfo xmlns:d='DAV:'/>", "nonsense"] {
        assert_eq!(client.send("LOCK", "/f", &[], body).await.status, 400, "{body}");
    }
    for headers in [vec![], vec![("timeout", "Infinite")], vec![("timeout", "Second-4000000000")]] {
        let reply = lock(&client, "/f", "shared", &headers).await;
        assert!(reply.body.contains("<d:timeout>Second-60</d:timeout>"), "{}", reply.body);
    }
    let endless = Client::with(DavOptions { max_lock_timeout: None, ..DavOptions::default() });
    endless.put("/f", "x").await;
    let reply = lock(&endless, "/f", "shared", &[("timeout", "Infinite")]).await;
    assert!(reply.body.contains("<d:timeout>Infinite</d:timeout>"), "{}", reply.body);
}

#[tokio::test]
async fn if_asks_about_other_resources() {
    let client = Client::new();
    client.mkcol("/d").await;
    client.put("/d/f", "x").await;
    let etag = client.send("HEAD", "/d/f", &[], "").await.header("etag").to_owned();
    let token = token(&client, "/d", "exclusive", &[]).await;
    let space = format!("/dav/spaces/storage${USER}/d");
    for (header, status) in [
        (format!("<{HOME}/d/f> ([{etag}]) <{HOME}/d> (<{token}>)"), 201),
        (format!("<{space}> (<{token}>)"), 204),
        (format!("<http://localhost:9200{space}> (<{token}> [\"nonsense\"]) (<{token}>)"), 204),
        (format!("<{HOME}/none> (<{token}>)"), 412),
        (format!("<{HOME}/d/none> (<{token}>)"), 204),
        (format!("<{HOME}/none> (Not <{token}>)"), 204),
        (format!("<http://elsewhere{HOME}/d> (<{token}>)"), 412),
        (format!("<{HOME}/../d> (<{token}>)"), 400),
        (format!("<d> (<{token}>)"), 400),
        ("<>(<a:b>)".into(), 400),
    ] {
        let reply = client.send("PUT", "/d/new", &[("if", &header)], "").await;
        assert_eq!(reply.status, status, "{header}: {}", reply.body);
    }
}
