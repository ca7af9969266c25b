//! PROPFIND and PROPPATCH.

use ocis_webdav::DavOptions;

use crate::server::Client;

const ALL: &str = "<d:propfind xmlns:d='DAV:'><d:allprop/></d:propfind>";

fn find(names: &str) -> String {
    format!(
        "<d:propfind xmlns:d='DAV:' xmlns:oc='http://owncloud.org/ns'><d:prop>{names}</d:prop></d:propfind>"
    )
}

fn update(changes: &str) -> String {
    format!(
        "<d:propertyupdate xmlns:d='DAV:' xmlns:oc='http://owncloud.org/ns' xmlns:x='urn:x'>{changes}</d:propertyupdate>"
    )
}

fn set(properties: &str) -> String {
    update(&format!("<d:set><d:prop>{properties}</d:prop></d:set>"))
}

/// Replaces what differs from run to run.
fn stable(body: &str) -> String {
    let mut text =
        body.replace("<d:propstat>", "\n<d:propstat>").replace("<d:response>", "\n<d:response>");
    while let Some(at) = text.find("GMT") {
        let start = text[..at].rfind('>').unwrap() + 1;
        text.replace_range(start..at + 3, "<date>");
    }
    text
}

#[tokio::test]
async fn properties_are_those_of_ocis() {
    let client = Client::new();
    client.mkcol("/d").await;
    client.put("/d/a%20b&c.txt", "x").await;
    // What the fixture of a real server was asked for.
    let names = "<d:displayname/><d:getetag/><d:getcontentlength/><d:getcontenttype/><d:getlastmodified/>\
        <d:resourcetype/><d:lockdiscovery/><d:quota-used-bytes/><d:quota-available-bytes/><oc:id/><oc:fileid/>\
        <oc:file-parent/><oc:spaceid/><oc:name/><oc:permissions/><oc:size/><oc:favorite/><oc:tags/><oc:checksums/>\
        <oc:share-types/><oc:owner-id/><oc:owner-display-name/><oc:privatelink/>";
    let reply = client.send("PROPFIND", "/d/", &[("depth", "1")], find(names)).await;
    assert_eq!(reply.status, 207);
    assert_eq!(reply.header("content-type"), "application/xml; charset=utf-8");
    insta::assert_snapshot!(stable(&reply.body), @r#"
    <d:multistatus xmlns:s="http://sabredav.org/ns" xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">
    <d:response><d:href>/remote.php/webdav/d/</d:href>
    <d:propstat><d:prop><d:displayname>d</d:displayname><d:getetag>"node-1-3"</d:getetag><d:getlastmodified><date></d:getlastmodified><d:resourcetype><d:collection/></d:resourcetype><d:quota-used-bytes>1</d:quota-used-bytes><d:quota-available-bytes>999</d:quota-available-bytes><oc:id>storage$4c510ada-c86b-4815-8820-42cdf82c3d51!node-1</oc:id><oc:fileid>storage$4c510ada-c86b-4815-8820-42cdf82c3d51!node-1</oc:fileid><oc:file-parent>storage$4c510ada-c86b-4815-8820-42cdf82c3d51!4c510ada-c86b-4815-8820-42cdf82c3d51</oc:file-parent><oc:spaceid>storage$4c510ada-c86b-4815-8820-42cdf82c3d51</oc:spaceid><oc:name>d</oc:name><oc:permissions>RDNVCKZP</oc:permissions><oc:size>1</oc:size><oc:favorite>0</oc:favorite><oc:tags></oc:tags><oc:owner-id>einstein</oc:owner-id><oc:owner-display-name>Albert Einstein</oc:owner-display-name><oc:privatelink>https://localhost:9200/f/storage$4c510ada-c86b-4815-8820-42cdf82c3d51%21node-1</oc:privatelink></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>
    <d:propstat><d:prop><d:getcontentlength></d:getcontentlength><d:getcontenttype></d:getcontenttype><d:lockdiscovery></d:lockdiscovery><oc:checksums></oc:checksums><oc:share-types></oc:share-types></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>
    <d:response><d:href>/remote.php/webdav/d/a%20b&amp;c.txt</d:href>
    <d:propstat><d:prop><d:displayname>a b&amp;c.txt</d:displayname><d:getetag>"node-3-2"</d:getetag><d:getcontentlength>1</d:getcontentlength><d:getcontenttype>text/plain</d:getcontenttype><d:getlastmodified><date></d:getlastmodified><d:resourcetype></d:resourcetype><oc:id>storage$4c510ada-c86b-4815-8820-42cdf82c3d51!node-3</oc:id><oc:fileid>storage$4c510ada-c86b-4815-8820-42cdf82c3d51!node-3</oc:fileid><oc:file-parent>storage$4c510ada-c86b-4815-8820-42cdf82c3d51!node-1</oc:file-parent><oc:spaceid>storage$4c510ada-c86b-4815-8820-42cdf82c3d51</oc:spaceid><oc:name>a b&amp;c.txt</oc:name><oc:permissions>RDNVWZP</oc:permissions><oc:size>1</oc:size><oc:favorite>0</oc:favorite><oc:tags></oc:tags><oc:checksums><oc:checksum>SHA1:0101010101010101010101010101010101010101 MD5:02020202020202020202020202020202 ADLER32:03030303</oc:checksum></oc:checksums><oc:owner-id>einstein</oc:owner-id><oc:owner-display-name>Albert Einstein</oc:owner-display-name><oc:privatelink>https://localhost:9200/f/storage$4c510ada-c86b-4815-8820-42cdf82c3d51%21node-3</oc:privatelink></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>
    <d:propstat><d:prop><d:lockdiscovery></d:lockdiscovery><d:quota-used-bytes></d:quota-used-bytes><d:quota-available-bytes></d:quota-available-bytes><oc:share-types></oc:share-types></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response></d:multistatus>
    "#);
}

#[tokio::test]
async fn all_properties_and_their_names() {
    let client = Client::new();
    client.put("/f.txt", "x").await;
    client.send("PROPPATCH", "/f.txt", &[], set("<x:a>1</x:a><b>2</b>")).await;
    let reply = client.send("PROPFIND", "/f.txt", &[("depth", "0")], ALL).await;
    assert_eq!(client.send("PROPFIND", "/f.txt", &[("depth", "0")], "").await.body, reply.body);
    insta::assert_snapshot!(stable(&reply.body), @r#"
    <d:multistatus xmlns:s="http://sabredav.org/ns" xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">
    <d:response><d:href>/remote.php/webdav/f.txt</d:href>
    <d:propstat><d:prop><oc:id>storage$4c510ada-c86b-4815-8820-42cdf82c3d51!node-2</oc:id><oc:fileid>storage$4c510ada-c86b-4815-8820-42cdf82c3d51!node-2</oc:fileid><oc:spaceid>storage$4c510ada-c86b-4815-8820-42cdf82c3d51</oc:spaceid><oc:file-parent>storage$4c510ada-c86b-4815-8820-42cdf82c3d51!4c510ada-c86b-4815-8820-42cdf82c3d51</oc:file-parent><oc:name>f.txt</oc:name><d:displayname>f.txt</d:displayname><d:getetag>"node-2-3"</d:getetag><oc:permissions>RDNVWZP</oc:permissions><d:resourcetype></d:resourcetype><oc:size>1</oc:size><d:getcontentlength>1</d:getcontentlength><d:getcontenttype>text/plain</d:getcontenttype><d:getlastmodified><date></d:getlastmodified><oc:checksums><oc:checksum>SHA1:0101010101010101010101010101010101010101 MD5:02020202020202020202020202020202 ADLER32:03030303</oc:checksum></oc:checksums><oc:tags></oc:tags><oc:favorite>0</oc:favorite><b>2</b><x:a xmlns:x="urn:x">1</x:a></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>
    "#);
    let names = "<d:propfind xmlns:d='DAV:'><d:propname/></d:propfind>";
    let reply = client.send("PROPFIND", "/f.txt", &[("depth", "0")], names).await;
    insta::assert_snapshot!(stable(&reply.body), @r#"
    <d:multistatus xmlns:s="http://sabredav.org/ns" xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">
    <d:response><d:href>/remote.php/webdav/f.txt</d:href>
    <d:propstat><d:prop><oc:id></oc:id><oc:fileid></oc:fileid><oc:spaceid></oc:spaceid><oc:file-parent></oc:file-parent><oc:name></oc:name><d:displayname></d:displayname><d:getetag></d:getetag><oc:permissions></oc:permissions><d:resourcetype></d:resourcetype><oc:size></oc:size><d:getcontentlength></d:getcontentlength><d:getcontenttype></d:getcontenttype><d:getlastmodified></d:getlastmodified><oc:checksums></oc:checksums><oc:tags></oc:tags><oc:favorite></oc:favorite><d:supportedlock></d:supportedlock><oc:owner-id></oc:owner-id><oc:owner-display-name></oc:owner-display-name><oc:privatelink></oc:privatelink><b></b><x:a xmlns:x="urn:x"></x:a></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>
    "#);
    let include = "<d:propfind xmlns:d='DAV:'><d:allprop/><d:include><d:supportedlock/></d:include></d:propfind>";
    let reply = client.send("PROPFIND", "/f.txt", &[("depth", "0")], include).await;
    assert!(reply.body.contains("<d:supportedlock><d:lockentry>"), "{}", reply.body);
}

#[tokio::test]
async fn what_is_missing_is_named_unless_the_client_minds() {
    let client = Client::new();
    client.put("/f", "x").await;
    let body = find("<d:getetag/><x xmlns='urn:x'/><y/><oc:downloadURL/><oc:share-types/>");
    let reply = client.send("PROPFIND", "/f", &[("depth", "0")], body.clone()).await;
    let missing = "<d:propstat><d:prop><x:x xmlns:x=\"urn:x\"></x:x><y></y><oc:downloadURL></oc:downloadURL>\
        <oc:share-types></oc:share-types></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>";
    assert!(reply.body.contains(missing), "{}", reply.body);
    for header in [("prefer", "return=minimal"), ("brief", "t")] {
        let reply = client.send("PROPFIND", "/f", &[("depth", "0"), header], body.clone()).await;
        assert!(!reply.body.contains("404") && reply.body.contains("200 OK"), "{}", reply.body);
        assert_eq!(reply.header("preference-applied"), "return=minimal");
        assert_eq!(reply.header("vary"), "Prefer");
        let nothing = client.send("PROPFIND", "/f", &[("depth", "0"), header], find("<y/>")).await;
        assert!(
            nothing.body.contains("<d:prop></d:prop><d:status>HTTP/1.1 200 OK"),
            "{}",
            nothing.body
        );
    }
    let only = client.send("PROPFIND", "/f", &[("depth", "0")], find("<y/>")).await;
    assert!(!only.body.contains("200 OK"), "{}", only.body);
}

#[tokio::test]
async fn depths() {
    let client = Client::new();
    for folder in ["/a", "/a/b", "/a/b/c"] {
        client.mkcol(folder).await;
    }
    client.put("/a/f", "x").await;
    let hrefs = async |path: &'static str, headers: &[(&str, &str)]| {
        let reply = client.send("PROPFIND", path, headers, find("<d:getetag/>")).await;
        assert_eq!(reply.status, 207);
        let parts: Vec<_> = reply
            .body
            .split("<d:href>/remote.php/webdav")
            .skip(1)
            .map(|part| part.split('<').next().unwrap().to_owned())
            .collect();
        parts.join(" ")
    };
    assert_eq!(hrefs("/a", &[("depth", "0")]).await, "/a/");
    assert_eq!(hrefs("/a", &[("depth", "1")]).await, "/a/ /a/b/ /a/f");
    assert_eq!(hrefs("/a", &[]).await, "/a/ /a/b/ /a/f");
    assert_eq!(hrefs("/", &[("depth", "infinity")]).await, "/ /a/ /a/b/ /a/b/c/ /a/f");
    assert_eq!(hrefs("/a/f", &[("depth", "infinity")]).await, "/a/f");
    assert_eq!(client.status("PROPFIND", "/none", &[]).await, 404);
    let limited = Client::with(DavOptions::default());
    let reply = limited.send("PROPFIND", "/", &[("depth", "infinity")], "").await;
    assert_eq!(reply.status, 405);
    assert!(reply.body.contains("<d:propfind-finite-depth/>"), "{}", reply.body);
}

#[tokio::test]
async fn long_listings_come_in_pieces_and_whole() {
    let client = Client::new();
    client.mkcol("/d").await;
    for i in 0..2500 {
        client.put(&format!("/d/file {i:04}").replace(' ', "%20"), "x").await;
    }
    for depth in ["1", "infinity"] {
        let before = client.memory.lists();
        let reply = client.send("PROPFIND", "/d", &[("depth", depth)], "").await;
        assert_eq!(reply.body.matches("<d:response>").count(), 2501);
        assert!(reply.body.ends_with("</d:multistatus>"));
        assert!(reply.body.contains("<d:href>/remote.php/webdav/d/file%202499</d:href>"));
        assert!(client.memory.lists() - before >= 3);
        let (status, pieces, broken) = client.listing("/d", depth).await;
        assert_eq!((status, broken), (207, false));
        assert!(pieces.len() > 20 && pieces.iter().all(|piece| *piece < 80 * 1024), "{pieces:?}");
    }
    // What fails before the answer has begun has a status, what fails later breaks the body off.
    client.memory.fail_lists(1);
    let (status, _, broken) = client.listing("/d", "1").await;
    assert_eq!((status, broken), (207, true));
    client.memory.fail_lists(0);
    let (status, _, broken) = client.listing("/d", "1").await;
    assert_eq!((status, broken), (500, false));
}

#[tokio::test]
async fn properties_are_stored_and_removed_as_they_were_sent() {
    let client = Client::new();
    client.put("/f", "x").await;
    let body = set("<x:a><x:b c='&quot;'>&#x1F600;&amp;</x:b></x:a><n>no namespace</n>");
    let reply = client.send("PROPPATCH", "/f", &[], body).await;
    assert_eq!(reply.status, 207);
    insta::assert_snapshot!(reply.body, @r#"<d:multistatus xmlns:s="http://sabredav.org/ns" xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:response><d:href>/remote.php/webdav/f</d:href><d:propstat><d:prop><x:a xmlns:x="urn:x"></x:a><n></n></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"#);
    let wanted = find("<a xmlns='urn:x'/><n/>");
    let reply = client.send("PROPFIND", "/f", &[("depth", "0")], wanted.clone()).await;
    let value = "<x:a xmlns:x=\"urn:x\"><x:b c=\"&quot;\" xmlns:x=\"urn:x\">😀&amp;</x:b></x:a><n>no namespace</n>";
    assert!(reply.body.contains(value), "{}", reply.body);
    let body = update("<d:remove><d:prop><x:a/><x:never/></d:prop></d:remove>");
    let reply = client.send("PROPPATCH", "/f", &[], body).await;
    assert!(reply.body.contains("<x:a xmlns:x=\"urn:x\"></x:a><x:never xmlns:x=\"urn:x\"></x:never></d:prop><d:status>HTTP/1.1 204 No Content"));
    let reply = client.send("PROPFIND", "/f", &[("depth", "0")], wanted).await;
    assert!(
        reply.body.contains("<x:a xmlns:x=\"urn:x\"></x:a></d:prop><d:status>HTTP/1.1 404"),
        "{}",
        reply.body
    );
}

#[tokio::test]
async fn what_other_software_stored_does_not_break_a_listing() {
    let client = Client::new();
    client.put("/f", "x").await;
    client.memory.store("f", "urn:x/a", "<unclosed & <p:x/>");
    client.memory.store("f", "urn:x/not a name", "x");
    client.memory.store("f", "plain", "x");
    let reply = client.send("PROPFIND", "/f", &[("depth", "0")], "").await;
    assert!(
        reply.body.contains("<x:a xmlns:x=\"urn:x\">&lt;unclosed &amp; &lt;p:x/&gt;</x:a>"),
        "{}",
        reply.body
    );
    assert!(!reply.body.contains("not a name") && !reply.body.contains("plain"));
}

#[tokio::test]
async fn all_changes_or_none() {
    let client = Client::new();
    client.put("/f", "x").await;
    let long = format!("<x:b>{}</x:b>", "x".repeat(70_000));
    for (bad, status) in [
        (
            "<d:getetag>x</d:getetag>",
            "403 Forbidden</d:status><d:error><d:cannot-modify-protected-property/></d:error>",
        ),
        ("<oc:fileid>x</oc:fileid>", "403 Forbidden</d:status>"),
        ("<d:getlastmodified>soon</d:getlastmodified>", "409 Conflict</d:status>"),
        (&long, "507 Insufficient Storage</d:status>"),
    ] {
        let reply = client.send("PROPPATCH", "/f", &[], set(&format!("<x:a>1</x:a>{bad}"))).await;
        assert_eq!(reply.status, 207);
        assert!(reply.body.contains(status), "{}", reply.body);
        assert!(
            reply.body.contains(
                "<x:a xmlns:x=\"urn:x\"></x:a></d:prop><d:status>HTTP/1.1 424 Failed Dependency"
            ),
            "{}",
            reply.body
        );
        let reply =
            client.send("PROPFIND", "/f", &[("depth", "0")], find("<a xmlns='urn:x'/>")).await;
        assert!(!reply.body.contains("200 OK"), "{}", reply.body);
    }
    assert_eq!(client.send("PROPPATCH", "/none", &[], set("<x:a/>")).await.status, 404);
    assert_eq!(client.send("PROPPATCH", "/f", &[], "").await.status, 400);
}

#[tokio::test]
async fn favorites_and_times() {
    let client = Client::new();
    client.put("/f", "x").await;
    let favorite = async || {
        client.send("PROPFIND", "/f", &[("depth", "0")], find("<oc:favorite/>")).await.body
    };
    for (change, wanted) in [
        (set("<oc:favorite>1</oc:favorite>"), "1"),
        (set("<oc:favorite>false</oc:favorite>"), "0"),
        (set("<oc:favorite>true</oc:favorite>"), "1"),
        (update("<d:remove><d:prop><oc:favorite/></d:prop></d:remove>"), "0"),
    ] {
        assert_eq!(client.send("PROPPATCH", "/f", &[], change).await.status, 207);
        let body = favorite().await;
        assert!(body.contains(&format!("<oc:favorite>{wanted}</oc:favorite>")), "{body}");
    }
    for time in [
        "<d:lastmodified>946684800</d:lastmodified>",
        "<d:getlastmodified>946684800.5</d:getlastmodified>",
        "<d:getlastmodified>Sat, 01 Jan 2000 00:00:00 GMT</d:getlastmodified>",
    ] {
        client.send("PUT", "/f", &[], "y").await;
        let reply = client.send("PROPPATCH", "/f", &[], set(time)).await;
        assert!(reply.body.contains("HTTP/1.1 200 OK"), "{}", reply.body);
        let reply = client.send("HEAD", "/f", &[], "").await;
        assert_eq!(reply.header("last-modified"), "Sat, 01 Jan 2000 00:00:00 GMT", "{time}");
    }
}

#[tokio::test]
async fn digests_are_taken_when_they_are_true() {
    let client = Client::new();
    client.put("/f", "x").await;
    let send = async |sum: &str| {
        let body = set(&format!(
            "<d:lastmodified>1</d:lastmodified><oc:checksums><oc:checksum>{sum}</oc:checksum></oc:checksums>"
        ));
        client.send("PROPPATCH", "/f", &[], body).await.body
    };
    let (sha1, md5) = ("01".repeat(20), "02".repeat(16));
    let body = send(&format!("SHA1:{sha1} MD5:{md5}")).await;
    assert!(!body.contains("409") && body.contains("200 OK"), "{body}");
    for wrong in [format!("SHA1:{}", "03".repeat(20)), "nonsense".into()] {
        let body = send(&wrong).await;
        assert!(body.contains("409 Conflict") && body.contains("424 Failed Dependency"), "{body}");
    }
}
