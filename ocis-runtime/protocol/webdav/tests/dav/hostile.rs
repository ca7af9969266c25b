//! What only attackers and broken clients send: refused with 4xx, at once.

use std::time::Duration;

use crate::server::Client;

/// Whatever is sent, an answer takes no longer than this in a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(5);

async fn refused(
    client: &Client,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> u16 {
    let what = format!("{method} {path} {:.80}", body);
    let reply = tokio::time::timeout(SOON, client.send(method, path, headers, body)).await;
    let status = reply.unwrap_or_else(|_| panic!("{what} takes too long")).status;
    assert!((400..500).contains(&status), "{what}: {status}");
    status
}

#[tokio::test]
async fn xml() {
    let client = Client::new();
    client.put("/f", "x").await;
    let bomb = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><d:propfind xmlns:d='DAV:'><d:prop>&b;</d:prop></d:propfind>";
    let external = "<!DOCTYPE a [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><d:propfind xmlns:d='DAV:'><d:prop><x>&a;</x></d:prop></d:propfind>";
    let attributes = (0..100_000).fold(String::new(), |all, i| all + " a" + &i.to_string() + "=''");
    let namespaces =
        (0..30_000).fold(String::new(), |all, i| all + " xmlns:a" + &i.to_string() + "='u'");
    let bodies = [
        bomb.to_owned(),
        external.to_owned(),
        "<a>".repeat(200_000),
        format!("<d:propfind xmlns:d='DAV:'><d:prop>{}", "<a>".repeat(100_000)),
        format!("<d:propfind xmlns:d='DAV:'{attributes}/>"),
        format!("<d:propfind xmlns:d='DAV:'{namespaces}/>"),
        format!(
            "<d:propfind xmlns:d='DAV:'><d:prop>{}</d:prop></d:propfind>",
            "<a/>".repeat(100_000)
        ),
        format!(
            "<d:propfind xmlns:d='DAV:'><d:prop><{}/></d:prop></d:propfind>",
            "a".repeat(100_000)
        ),
        format!("<d:propfind xmlns:d='{}'/>", "u".repeat(100_000)),
        "\u{0}".to_owned(),
        "{}".to_owned(),
    ];
    for body in &bodies {
        for method in ["PROPFIND", "PROPPATCH", "LOCK"] {
            assert_eq!(refused(&client, method, "/f", &[], body.clone()).await, 400);
        }
    }
    for method in ["PROPFIND", "PROPPATCH", "LOCK"] {
        let long =
            format!("<d:propfind xmlns:d='DAV:'>{}</d:propfind>", " ".repeat(2 * 1024 * 1024));
        assert_eq!(refused(&client, method, "/f", &[], long).await, 413);
    }
    let bytes = client.send("PROPFIND", "/f", &[], b"<a>\xff\xfe</a>".as_slice()).await;
    assert_eq!(bytes.status, 400);
}

#[tokio::test]
async fn headers() {
    let client = Client::new();
    client.put("/f", "x").await;
    let nine = "9".repeat(60_000);
    let tokens = "(<a:b>)".repeat(10_000);
    let resources =
        (0..20).fold(String::new(), |all, i| all + &format!("</remote.php/webdav/{i}> (<a:b>) "));
    let etags = "\"a\",".repeat(10_000);
    for (method, name, value, status) in [
        ("PROPFIND", "depth", "2", 400),
        ("PROPFIND", "depth", &nine, 400),
        ("PUT", "if", &tokens, 400),
        ("PUT", "if", &resources, 400),
        ("PUT", "if", &nine, 400),
        ("PUT", "if", "((((((((", 400),
        ("PUT", "if", "<http://elsewhere/> (<a:b>)", 412),
        ("PUT", "if", "<ftp://elsewhere/> (<a:b>)", 400),
        ("PUT", "if-match", &etags, 400),
        ("PUT", "if-none-match", "\"\"\"", 400),
        ("PUT", "x-oc-mtime", &nine, 400),
        ("PUT", "oc-checksum", &nine, 400),
        ("GET", "range", &nine, 416),
        ("GET", "range", "bytes=9-1", 416),
        ("LOCK", "timeout", &nine, 400),
        ("LOCK", "timeout", "Second-99999999999999999999", 400),
        ("LOCK", "depth", "1", 400),
        ("UNLOCK", "lock-token", &nine, 400),
        ("UNLOCK", "lock-token", "<>", 400),
        ("UNLOCK", "lock-token", "<\u{e9}>", 400),
        ("COPY", "destination", &nine, 400),
        ("COPY", "overwrite", &nine, 400),
    ] {
        let body = if method == "LOCK" {
            "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:shared/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>"
        } else {
            ""
        };
        let answer = refused(&client, method, "/f", &[(name, value)], body.into()).await;
        assert_eq!(answer, status, "{method} {name}: {value:.80}");
    }
    let many = format!("bytes={}", "0-0,".repeat(15_000));
    assert_eq!(refused(&client, "GET", "/f", &[("range", &many)], String::new()).await, 416);
    assert_eq!(client.status("GET", "/f", &[("if-modified-since", &nine)]).await, 200);
}

#[tokio::test]
async fn paths() {
    let client = Client::new();
    let long = format!("/{}", "x".repeat(256));
    for path in [
        "/..",
        "/%2e%2e",
        "/a/%2E./b",
        "/.",
        "/%00",
        "/a%2fb",
        "/a%5cb",
        "/%0a",
        "/%ff",
        "/%c0%ae%c0%ae",
        "/%zz",
        &long,
    ] {
        for method in ["GET", "PUT", "MKCOL", "PROPFIND", "DELETE", "LOCK"] {
            assert_eq!(
                refused(&client, method, path, &[], String::new()).await,
                400,
                "{method} {path}"
            );
        }
    }
    let longest = format!("/{}", "x".repeat(255));
    client.put(&longest, "x").await;
}
