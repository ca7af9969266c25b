//! Conditional requests (RFC 9110 section 13), which sync clients rely on to lose nothing.

use anyhow::{Context, Result, ensure};

use super::own_folder;
use ocis_conformance::harness::{Plan, World};

pub(super) fn register(plan: &mut Plan) {
    plan.add("http-conditional-get", conditional_get);
    plan.add("http-conditional-put", conditional_put);
    plan.add("http-head-equals-get", head_equals_get);
    plan.add("http-etag-reaches-ancestors", ancestors);
    plan.add("http-names", names);
}

fn conditional_get(world: &World) -> Result<()> {
    let server = world.shared()?;
    let file = format!("{}/file", own_folder(&server, "conditional get")?);
    let mut admin = server.admin();
    admin.put(&file, b"0123456789")?.expect(&[201])?;
    let first = admin.get(&file)?.expect(&[200])?;
    let etag = first.header("etag").context("no ETag")?.to_owned();
    let time = first.header("last-modified").context("no Last-Modified")?.to_owned();
    let mut get = |headers: &[(&str, &str)], status| -> Result<()> {
        let reply = admin.send("GET", &file, headers, b"")?.expect(&[status])?;
        ensure!(status != 304 || reply.body.is_empty(), "a body with 304");
        Ok(())
    };
    get(&[("If-None-Match", &etag)], 304)?;
    get(&[("If-None-Match", &format!("\"x\", W/{etag}"))], 304)?;
    get(&[("If-None-Match", "\"other\"")], 200)?;
    get(&[("If-None-Match", "*")], 304)?;
    get(&[("If-Match", &etag)], 200)?;
    get(&[("If-Match", "\"other\"")], 412)?;
    get(&[("If-Modified-Since", &time)], 304)?;
    get(&[("If-Modified-Since", "Thu, 01 Jan 1970 00:00:01 GMT")], 200)?;
    get(&[("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:01 GMT")], 412)?;
    // A date that is none is no condition.
    get(&[("If-Modified-Since", "yesterday")], 200)?;
    get(&[("Range", "bytes=0-1"), ("If-Range", &etag)], 206)?;
    get(&[("Range", "bytes=0-1"), ("If-Range", "\"other\"")], 200)
}

fn conditional_put(world: &World) -> Result<()> {
    let server = world.shared()?;
    let file = format!("{}/file", own_folder(&server, "conditional put")?);
    let mut admin = server.admin();
    let any = ("If-None-Match", "*");
    admin.send("PUT", &file, &[("If-Match", "\"none\"")], b"x")?.expect(&[412])?;
    let first = admin.send("PUT", &file, &[any], b"one")?.expect(&[201])?;
    admin.send("PUT", &file, &[any], b"two")?.expect(&[412])?;
    let etag = first.header("etag").context("no ETag")?.to_owned();
    let second = admin.send("PUT", &file, &[("If-Match", &etag)], b"two")?.expect(&[204])?;
    admin.send("PUT", &file, &[("If-Match", &etag)], b"three")?.expect(&[412])?;
    ensure!(admin.get(&file)?.body == b"two", "a refused PUT changed the file");
    let etag = second.header("etag").context("no ETag")?.to_owned();
    admin.send("DELETE", &file, &[("If-Match", "\"old\"")], b"")?.expect(&[412])?;
    admin.send("DELETE", &file, &[("If-Match", &etag)], b"")?.expect(&[204])?;
    Ok(())
}

fn head_equals_get(world: &World) -> Result<()> {
    let server = world.shared()?;
    let file = format!("{}/file.png", own_folder(&server, "head")?);
    let mut admin = server.admin();
    admin.put(&file, b"not really a picture")?.expect(&[201])?;
    let get = admin.get(&file)?.expect(&[200])?;
    let head = admin.send("HEAD", &file, &[], b"")?.expect(&[200])?;
    for name in ["content-length", "content-type", "etag", "oc-etag", "oc-fileid", "last-modified"]
    {
        ensure!(get.header(name).is_some(), "no {name} with GET");
        ensure!(head.header(name) == get.header(name), "{name}: {:?}", head.header(name));
    }
    ensure!(get.header("content-type") == Some("image/png"), "{:?}", get.header("content-type"));
    admin.send("HEAD", &format!("{file}x"), &[], b"")?.expect(&[404])?;
    Ok(())
}

/// A change deep below shows at every folder above at once: etag and size.
fn ancestors(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    let mut admin = server.admin();
    let folders = ["/dav/files/admin/", "/dav/files/admin/a/", "/dav/files/admin/a/b/"];
    for folder in &folders[1..] {
        admin.send("MKCOL", folder, &[], b"")?.expect(&[201])?;
    }
    let mut look = |folder: &str| -> Result<(String, String)> {
        let reply = admin.propfind(folder, "0")?.expect(&[207])?;
        let all = ocis_conformance::harness::entries(&reply.body)?;
        let entry = all.first().context("no response")?;
        Ok((entry.property("getetag").to_owned(), entry.property("size").to_owned()))
    };
    let before: Vec<_> = folders.iter().map(|folder| look(folder)).collect::<Result<_>>()?;
    server.admin().put("/dav/files/admin/a/b/file", &[1; 1000])?.expect(&[201])?;
    let after: Vec<_> = folders.iter().map(|folder| look(folder)).collect::<Result<_>>()?;
    for (folder, (old, new)) in folders.iter().zip(before.iter().zip(&after)) {
        ensure!(old.0 != new.0, "the etag of {folder} did not change: {}", new.0);
        ensure!(new.1 == "1000", "the size of {folder} is {}", new.1);
    }
    server.admin().send("DELETE", "/dav/files/admin/a/b/file", &[], b"")?.expect(&[204])?;
    for (folder, old) in folders.iter().zip(&after) {
        let new = look(folder)?;
        ensure!(old.0 != new.0 && new.1 == "0", "{folder} after DELETE: {new:?}");
    }
    Ok(())
}

/// Bytes of a name come back as they were sent; what no name may be is refused with 400.
fn names(world: &World) -> Result<()> {
    let server = world.shared()?;
    let folder = own_folder(&server, "names")?;
    let mut admin = server.admin();
    let good = ["caf%C3%A9", "cafe%CC%81", "a%23b", "a%3Fb", "a%25b", "%20a%20", "%F0%9F%98%80"];
    for name in good {
        admin.put(&format!("{folder}/{name}"), name.as_bytes())?.expect(&[201])?;
        let got = admin.get(&format!("{folder}/{name}"))?.expect(&[200])?;
        ensure!(got.body == name.as_bytes(), "{name} came back as {}", got.text());
    }
    let listed = admin.propfind(&folder, "1")?.expect(&[207])?;
    let listed = ocis_conformance::harness::entries(&listed.body)?;
    ensure!(listed.len() == good.len() + 1, "{} entries", listed.len());
    for name in ["caf\u{e9}", "cafe\u{301}", "a#b", "a?b", "a%b", " a ", "\u{1f600}"] {
        ensure!(listed.iter().any(|entry| entry.name() == name), "{name} is not listed");
    }
    let long = "x".repeat(256);
    for name in ["a%00b", "%FF%FE", "%C0%AF", "..%2F..%2Fx", "%2e%2e", long.as_str()] {
        admin.put(&format!("{folder}/{name}"), b"x")?.expect(&[400])?;
        admin.send("MKCOL", &format!("{folder}/{name}"), &[], b"")?.expect(&[400])?;
    }
    Ok(())
}
