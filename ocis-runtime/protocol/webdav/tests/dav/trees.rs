//! COPY and MOVE.

use crate::memory::USER;
use crate::server::{Client, HOME};

fn to(path: &str) -> String {
    format!("http://localhost:9200{HOME}{path}")
}

#[tokio::test]
async fn files_and_folders_are_copied() {
    let client = Client::new();
    client.mkcol("/d").await;
    client.put("/d/f.txt", "x").await;
    for (from, destination, headers, status) in [
        ("/d/f.txt", "/g.txt", vec![], 201),
        ("/d/f.txt", "/g.txt", vec![], 204),
        ("/d/f.txt", "/g.txt", vec![("overwrite", "F")], 412),
        ("/d/f.txt", "/g.txt", vec![("overwrite", "maybe")], 400),
        ("/d", "/e", vec![], 201),
        ("/d", "/shallow", vec![("depth", "0")], 201),
        ("/d", "/x", vec![("depth", "1")], 400),
        ("/d/f.txt", "/missing/f.txt", vec![], 409),
        ("/missing", "/x", vec![], 404),
        ("/d", "/d", vec![], 403),
        ("/d", "/d/inside", vec![], 409),
        ("/d", "/", vec![], 403),
    ] {
        let destination = to(destination);
        let headers: Vec<_> =
            headers.into_iter().chain([("destination", destination.as_str())]).collect();
        let reply = client.send("COPY", from, &headers, "").await;
        assert_eq!(reply.status, status, "{from} {headers:?}: {}", reply.body);
        if status < 300 {
            assert!(!reply.header("oc-fileid").is_empty() && !reply.header("etag").is_empty());
        }
    }
    assert_eq!(client.status("GET", "/e/f.txt", &[]).await, 200);
    assert_eq!(client.status("GET", "/shallow/f.txt", &[]).await, 404);
}

#[tokio::test]
async fn files_and_folders_are_moved() {
    let client = Client::new();
    client.mkcol("/d").await;
    client.put("/d/f.txt", "x").await;
    client.put("/g.txt", "y").await;
    for (from, destination, headers, status) in [
        ("/d/f.txt", "/g.txt", vec![("overwrite", "F")], 412),
        ("/d/f.txt", "/g.txt", vec![], 204),
        ("/g.txt", "/d/h.txt", vec![], 201),
        ("/d", "/e", vec![("depth", "0")], 400),
        ("/d", "/d", vec![], 403),
        ("/d", "/d/e", vec![], 409),
        ("/", "/e", vec![], 405),
        ("/d", "/e", vec![], 201),
    ] {
        let destination = to(destination);
        let headers: Vec<_> =
            headers.into_iter().chain([("destination", destination.as_str())]).collect();
        assert_eq!(client.status("MOVE", from, &headers).await, status, "{from} {headers:?}");
    }
    assert_eq!(client.send("GET", "/e/h.txt", &[], "").await.body, "x");
}

#[tokio::test]
async fn destinations() {
    let client = Client::new();
    client.mkcol("/d").await;
    client.put("/f", "x").await;
    let node = client.send("HEAD", "/d", &[], "").await.header("oc-fileid").to_owned();
    let space = format!("/dav/spaces/storage${USER}/b");
    let inside = format!("/dav/spaces/{node}/c");
    for (destination, status) in [
        ("/remote.php/webdav/a", 201),
        (&space, 201),
        (&inside, 201),
        ("https://LOCALHOST:9200/dav/files/einstein/e", 201),
        ("http://localhost:9200/remote.php/webdav/%C3%A9%20x", 201),
        ("http://localhost:9200/remote.php/webdav/é y", 201),
        ("http://elsewhere/remote.php/webdav/a", 502),
        ("/dav/files/marie/a", 409),
        ("/elsewhere/a", 409),
        ("/remote.php/webdav/../a", 400),
        ("/remote.php/webdav/%2e%2e/a", 400),
        ("/remote.php/webdav/%00", 400),
        ("a", 400),
        ("", 400),
        ("ftp://localhost/a", 400),
    ] {
        let reply = client.send("COPY", "/f", &[("destination", destination)], "").await;
        assert_eq!(reply.status, status, "{destination}: {}", reply.body);
    }
    assert_eq!(client.status("COPY", "/f", &[]).await, 400);
    let twice = [("destination", "/remote.php/webdav/a"), ("destination", "/remote.php/webdav/b")];
    assert_eq!(client.status("COPY", "/f", &twice).await, 400);
    assert_eq!(client.send("GET", "/d/c", &[], "").await.body, "x");
    // The folder under its own id, from the outside and from the inside.
    let itself = format!("/dav/spaces/{node}");
    assert_eq!(client.status("MOVE", "/d", &[("destination", &itself)]).await, 403);
    let below = format!("{itself}/x");
    assert_eq!(client.status("MOVE", "/d", &[("destination", &below)]).await, 409);
    // Another space, and one that there is not.
    let other = node.replace(&format!("${USER}!"), "$other!");
    for (destination, overwrite, status) in [
        (format!("/dav/spaces/{other}/new"), "F", 502),
        (format!("/dav/spaces/{other}/c"), "T", 502),
        (format!("/dav/spaces/{other}/c"), "F", 412),
        (format!("/dav/spaces/{other}/none/new"), "T", 409),
        ("/dav/spaces/storage$other/new".into(), "T", 409),
    ] {
        let headers = [("destination", destination.as_str()), ("overwrite", overwrite)];
        assert_eq!(client.status("MOVE", "/f", &headers).await, status, "{headers:?}");
        assert_eq!(client.status("MOVE", "/none", &headers).await, 404, "{headers:?}");
    }
}
