//! The trash, with the answers of a real oCIS.

use crate::bin::{FILE, FOLDER};
use crate::memory::USER;
use crate::server::Client;

fn base() -> String {
    format!("/dav/spaces/trash-bin/storage${USER}")
}

const ASKED: &str = "<d:propfind xmlns:d='DAV:' xmlns:oc='http://owncloud.org/ns'><d:prop>\
    <oc:trashbin-original-filename/><oc:trashbin-original-location/>\
    <oc:trashbin-delete-timestamp/><d:getcontentlength/><d:resourcetype/>\
    </d:prop></d:propfind>";

#[tokio::test]
async fn a_listing_is_that_of_ocis() {
    let client = Client::new();
    let reply = client.send("PROPFIND", &base(), &[("depth", "1")], ASKED).await;
    assert_eq!(reply.status, 207);
    let wanted = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><d:multistatus xmlns:d=\"DAV:\" \
        xmlns:s=\"http://sabredav.org/ns\" xmlns:oc=\"http://owncloud.org/ns\"><d:response><d:href>{base}/\
        </d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop><d:status>\
        HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><oc:trashbin-original-filename>\
        </oc:trashbin-original-filename><oc:trashbin-original-location></oc:trashbin-original-location>\
        <oc:trashbin-delete-datetime></oc:trashbin-delete-datetime><d:getcontentlength></d:getcontentlength>\
        </d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response><d:response><d:href>\
        {base}/{FOLDER}/</d:href><d:propstat><d:prop><oc:trashbin-original-filename>deleted folder\
        </oc:trashbin-original-filename><oc:trashbin-original-location>deleted folder\
        </oc:trashbin-original-location><oc:trashbin-delete-timestamp>1795402147\
        </oc:trashbin-delete-timestamp><d:resourcetype><d:collection/></d:resourcetype></d:prop><d:status>\
        HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><d:getcontentlength></d:getcontentlength>\
        </d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response><d:response><d:href>\
        {base}/{FILE}</d:href><d:propstat><d:prop><oc:trashbin-original-filename>&lt;deleted&gt;.txt\
        </oc:trashbin-original-filename><oc:trashbin-original-location>a/&lt;deleted&gt;.txt\
        </oc:trashbin-original-location><oc:trashbin-delete-timestamp>1795402147\
        </oc:trashbin-delete-timestamp><d:getcontentlength>12</d:getcontentlength><d:resourcetype>\
        </d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop>\
        </d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response></d:multistatus>",
        base = base()
    );
    assert_eq!(reply.body, wanted);
}

#[tokio::test]
async fn depth_everything_and_folders() {
    let client = Client::new();
    let reply = client.send("PROPFIND", &base(), &[("depth", "0")], ASKED).await;
    assert_eq!((reply.status, reply.body.matches("<d:response>").count()), (207, 1));
    assert!(reply.body.ends_with("</d:multistatus>"));
    let reply = client.send("PROPFIND", &format!("{}/{FOLDER}", base()), &[], "").await;
    assert_eq!((reply.status, reply.body.matches("<d:response>").count()), (207, 2));
    assert!(reply.body.contains(&format!("<d:href>{}/{FOLDER}/x</d:href>", base())));
    let time = "<oc:trashbin-delete-datetime>Mon, 23 Nov 2026 02:49:07 +0000<";
    assert!(reply.body.contains(time), "{}", reply.body);
    assert!(reply.body.contains(&format!("<oc:spaceid>storage${USER}</oc:spaceid>")));
    assert_eq!(client.status("PROPFIND", &format!("{}/none", base()), &[]).await, 404);
    assert_eq!(client.status("PROPFIND", &base(), &[("depth", "infinity")]).await, 405);
    let own = "/remote.php/dav/trash-bin/einstein";
    let reply = client.send("PROPFIND", own, &[], "").await;
    assert!(reply.body.contains(&format!("<d:href>{own}/{FILE}</d:href>")), "{}", reply.body);
    assert_eq!(client.status("PROPFIND", "/dav/trash-bin/marie", &[]).await, 404);
    assert_eq!(client.status("PROPFIND", "/dav/spaces/trash-bin", &[]).await, 405);
}

#[tokio::test]
async fn bringing_back() {
    let client = Client::new();
    let key = format!("{}/{FILE}", base());
    let to = |path: &str| format!("https://localhost:9200/dav/spaces/storage${USER}/{path}");
    let reply = client.send("MOVE", &key, &[("destination", &to("back"))], "").await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert!(!reply.header("oc-fileid").is_empty());
    assert_eq!(client.status("HEAD", "/back", &[]).await, 200);
    let again = [("destination", &*to("back"))];
    assert_eq!(client.status("MOVE", &key, &again).await, 204);
    let refuse = [("destination", &*to("back")), ("overwrite", "F")];
    assert_eq!(client.status("MOVE", &key, &refuse).await, 412);
    let other = [("destination", "/remote.php/webdav/elsewhere")];
    assert_eq!(client.status("MOVE", &key, &other).await, 201);
    let lost = to("none/x");
    assert_eq!(client.status("MOVE", &key, &[("destination", &lost)]).await, 409);
    let foreign = [("destination", "/dav/spaces/storage$other/x")];
    assert_eq!(client.status("MOVE", &key, &foreign).await, 502);
    assert_eq!(client.status("MOVE", &key, &[]).await, 400);
    let none = format!("{}/none", base());
    assert_eq!(client.status("MOVE", &none, &[("destination", &to("x"))]).await, 404);
    assert_eq!(client.status("MOVE", &base(), &[("destination", &to("x"))]).await, 501);
}

#[tokio::test]
async fn purging_and_the_rest() {
    let client = Client::new();
    assert_eq!(client.status("DELETE", &format!("{}/{FOLDER}/x", base()), &[]).await, 204);
    assert_eq!(client.status("DELETE", &format!("{}/none", base()), &[]).await, 404);
    assert_eq!(client.status("DELETE", &base(), &[]).await, 204);
    assert_eq!(client.status("GET", &base(), &[]).await, 501);
    let reply = client.send("OPTIONS", &base(), &[], "").await;
    assert_eq!((reply.status, reply.header("allow")), (204, "OPTIONS, PROPFIND, MOVE, DELETE"));
    assert_eq!(client.anonymous("PROPFIND", &base()).await.status, 401);
}
