//! What clients ask beside WebDAV before they sync, and what a service that comes later answers.

use anyhow::{Context, Result, ensure};
use ocis_conformance::harness::{Plan, World, encoded, entries, personal_space};

pub(super) fn register(plan: &mut Plan) {
    plan.add("http-status", status);
    plan.add("http-capabilities", capabilities);
    plan.add("http-user", user);
    plan.add("http-drives", drives);
    plan.add("http-one-space-on-all-trees", one_space);
    plan.add("http-later-services-say-so", later);
}

fn status(world: &World) -> Result<()> {
    let server = world.shared()?;
    for path in ["/status.php", "/status"] {
        let reply = server.anonymous().get(path)?.expect(&[200])?;
        let json = reply.json()?;
        ensure!(json["installed"] == true && json["maintenance"] == false, "{json}");
        ensure!(json["needsDbUpgrade"] == false && json["version"] == "10.11.0.0", "{json}");
        ensure!(json["productname"] == "Infinite Scale", "{json}");
        ensure!(json["productversion"].is_string(), "{json}");
    }
    Ok(())
}

/// Both versions, as JSON and as XML; nothing is advertised that comes later.
fn capabilities(world: &World) -> Result<()> {
    let server = world.shared()?;
    let mut admin = server.admin();
    for (version, code) in [(1, 100), (2, 200)] {
        let path = format!("/ocs/v{version}.php/cloud/capabilities");
        let json = admin.get(&format!("{path}?format=json"))?.expect(&[200])?.json()?;
        ensure!(json["ocs"]["meta"]["statuscode"] == code, "{json}");
        let all = &json["ocs"]["data"]["capabilities"];
        ensure!(all["core"]["webdav-root"] == "remote.php/webdav", "{all}");
        ensure!(all["checksums"]["preferredUploadType"] == "sha1", "{all}");
        for (topic, key) in [("files", "archivers"), ("files", "app_providers"), ("dav", "reports")]
        {
            let value = &all[topic][key];
            let empty =
                value.is_null() || value == "" || value == false || *value == serde_json::json!([]);
            ensure!(empty, "{topic}.{key} is advertised: {value}");
        }
        let tus = &all["files"]["tus_support"];
        ensure!(tus["resumable"] == "1.0.0" && tus["max_chunk_size"] == 10_000_000, "{tus}");
        ensure!(all["files"]["versioning"] == true, "versions are not advertised");
        ensure!(all["files"]["undelete"] == true, "undelete is not advertised");
        ensure!(all["dav"]["trashbin"] == "1.0", "the trash is not advertised");
        ensure!(all["files_sharing"]["api_enabled"] != true, "sharing is advertised");
        let xml = admin.get(&path)?.expect(&[200])?;
        ensure!(xml.header("content-type").is_some_and(|kind| kind.contains("xml")), "not XML");
        ensure!(
            xml.text().contains("<webdav-root>remote.php/webdav</webdav-root>"),
            "{}",
            xml.text()
        );
    }
    Ok(())
}

fn user(world: &World) -> Result<()> {
    let server = world.shared()?;
    let mut einstein = server.user("einstein", "relativity");
    for (version, code) in [(1, 100), (2, 200)] {
        let path = format!("/ocs/v{version}.php/cloud/user?format=json");
        let json = einstein.get(&path)?.expect(&[200])?.json()?;
        ensure!(json["ocs"]["meta"]["statuscode"] == code, "{json}");
        let data = &json["ocs"]["data"];
        ensure!(data["id"] == "einstein" || data["id"].is_string(), "{data}");
        ensure!(data["display-name"] == "Albert Einstein", "{data}");
        ensure!(data["email"] == "einstein@example.org", "{data}");
    }
    let none = einstein.get("/ocs/v2.php/cloud/none?format=json")?;
    ensure!((400..600).contains(&none.status), "{}", none.status);
    Ok(())
}

fn drives(world: &World) -> Result<()> {
    let server = world.shared()?;
    let mut admin = server.admin();
    let json = admin.get("/graph/v1.0/me/drives")?.expect(&[200])?.json()?;
    let drive = json["value"]
        .as_array()
        .and_then(|all| all.iter().find(|drive| drive["driveType"] == "personal"))
        .context("no personal drive")?;
    ensure!(drive["name"] == "Admin", "{drive}");
    ensure!(drive["driveAlias"] == "personal/admin", "{drive}");
    let url = drive["root"]["webDavUrl"].as_str().context("no webDavUrl")?;
    let path = url.strip_prefix(&server.url()).with_context(|| url.to_owned())?;
    admin.propfind(path, "0")?.expect(&[207])?;
    ensure!(drive["quota"]["state"].is_string(), "{drive}");
    let etag = drive["root"]["eTag"].as_str().context("no eTag")?.to_owned();
    admin.put("/dav/files/admin/changes the drive".replace(' ', "%20").as_str(), b"x")?;
    let again = admin.get("/graph/v1.0/me/drive")?.expect(&[200])?.json()?;
    ensure!(again["root"]["eTag"] != etag, "the drive's eTag did not change: {again}");
    Ok(())
}

/// The same file with the same etag and id below each URL of the space.
fn one_space(world: &World) -> Result<()> {
    let server = world.shared()?;
    let mut admin = server.admin();
    admin.put("/dav/files/admin/everywhere", b"x")?.expect(&[201])?;
    let space = personal_space(&mut admin)?;
    let mut seen = Vec::new();
    for tree in [
        "/dav/files/admin".to_owned(),
        "/remote.php/dav/files/admin".to_owned(),
        "/webdav".to_owned(),
        "/remote.php/webdav".to_owned(),
        format!("/dav/spaces/{}", encoded(&space)),
        format!("/dav/spaces/{space}"),
        format!("/remote.php/dav/spaces/{space}"),
    ] {
        let reply = admin.propfind(&format!("{tree}/everywhere"), "0")?.expect(&[207])?;
        let entry = entries(&reply.body)?.into_iter().next().context("no response")?;
        ensure!(
            entry.href == format!("{}/everywhere", tree.replace("%24", "$")),
            "{tree} tells {}",
            entry.href
        );
        seen.push((entry.property("getetag").to_owned(), entry.property("fileid").to_owned()));
    }
    ensure!(seen.iter().all(|found| *found == seen[0]), "{seen:?}");
    Ok(())
}

/// Where a service of a later version would answer, it says so, with 501.
fn later(world: &World) -> Result<()> {
    let server = world.shared()?;
    let mut admin = server.admin();
    for (method, path) in [
        ("GET", "/archiver?id=x"),
        ("GET", "/app/list"),
        ("GET", "/ocs/v2.php/apps/notifications/api/v1/notifications"),
        ("GET", "/.well-known/webfinger?resource=x"),
        ("POST", "/ocm/shares"),
        ("GET", "/sciencemesh/list-invite"),
        ("REPORT", "/dav/files/admin/"),
        ("GET", "/dav/files/admin/x.png?preview=1"),
        ("PROPFIND", "/dav/public-files/token/"),
    ] {
        let reply = admin.send(method, path, &[], b"")?;
        let honest = [501, 404, 405].contains(&reply.status);
        ensure!(honest, "{method} {path}: {} {}", reply.status, reply.text());
    }
    Ok(())
}
