//! curl, over HTTP/1.1 and HTTP/2 with TLS: every method and header of the WebDAV tree once, with
//! the status that oCIS answers.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use ocis_conformance::harness::{
    ADMIN_PASSWORD, Plan, Reply, Server, World, encoded, entries, run_with_input,
};

mod clients;
mod conditions;
mod locks;
mod races;

pub(crate) fn register(plan: &mut Plan) {
    plan.add("curl-http1", |world| session(world, "--http1.1", "1.1"));
    plan.add("curl-http2", |world| session(world, "--http2", "2"));
    conditions::register(plan);
    locks::register(plan);
    clients::register(plan);
    races::register(plan);
}

fn session(world: &World, version: &'static str, spoken: &str) -> Result<()> {
    let server = world.shared()?;
    let curl = Curl { base: format!("{}/dav/files/admin", server.url()), version };
    let folder = format!("/curl{spoken}");
    let file = format!("{folder}/file.txt");
    let reply = curl.send("MKCOL", &folder, &[], b"")?.expect(&[201])?;
    ensure!(reply.header("x-version") == Some(spoken), "not HTTP/{spoken}");
    curl.send("MKCOL", &folder, &[], b"")?.expect(&[405])?;
    curl.send("MKCOL", &format!("{folder}/no/such"), &[], b"")?.expect(&[409])?;
    let time = ("X-OC-Mtime", "1234567890");
    let sum = ("OC-Checksum", "SHA1:2fd4e1c67a2d28fced849ee1bb76e7391b93eb12");
    let fox = b"The quick brown fox jumps over the lazy dog";
    let put = curl.send("PUT", &file, &[time, sum], fox)?.expect(&[201])?;
    ensure!(put.header("x-oc-mtime") == Some("accepted"), "X-OC-Mtime was not accepted");
    for name in ["etag", "oc-etag", "oc-fileid", "last-modified"] {
        put.header(name).with_context(|| format!("no {name} in the answer to PUT"))?;
    }
    let bad = ("OC-Checksum", "SHA1:0000000000000000000000000000000000000000");
    curl.send("PUT", &file, &[bad], b"something else")?.expect(&[400])?;
    curl.send("PUT", &format!("{folder}/no/such"), &[], b"x")?.expect(&[409])?;
    curl.send("PUT", &folder, &[], b"x")?.expect(&[409])?;
    let got = curl.send("GET", &file, &[], b"")?.expect(&[200])?;
    ensure!(got.body == fox, "wrong bytes");
    ensure!(got.header("etag") == put.header("etag"), "PUT and GET tell different etags");
    ensure!(got.header("last-modified") == Some("Fri, 13 Feb 2009 23:31:30 GMT"), "wrong time");
    curl.send("GET", &format!("{folder}/none"), &[], b"")?.expect(&[404])?;
    ranges(&curl, &file, fox)?;
    properties(&curl, &file)?;
    copy_and_move(&curl, &folder)?;
    let options = curl.send("OPTIONS", &file, &[], b"")?.expect(&[200, 204])?;
    ensure!(options.header("dav").is_some_and(|dav| dav.contains('2')), "DAV is not class 2");
    curl.send("DELETE", &folder, &[], b"")?.expect(&[204])?;
    curl.send("DELETE", &folder, &[], b"")?.expect(&[404])?;
    over_quota(&server, version)
}

/// A refusal reaches a client that has not sent everything yet.
fn over_quota(server: &Server, version: &'static str) -> Result<()> {
    let wish =
        format!(r#"{{"name": "Small{version}", "quota": {{"total": 10}}}}"#).replace('.', " ");
    let json = [("Content-Type", "application/json")];
    let made = server.admin().send("POST", "/graph/v1.0/drives", &json, wish.as_bytes())?;
    let space = made.expect(&[201])?.json()?;
    let id = space["id"].as_str().context("no id")?;
    let curl = Curl { base: format!("{}/dav/spaces/{id}", server.url()), version };
    let large = vec![b'x'; 5_000_000];
    curl.send("PUT", "/file", &[("Expect", "")], &large)?.expect(&[507])?;
    curl.send("GET", "/file", &[], b"")?.expect(&[404])?;
    curl.send("PUT", "/file", &[], b"0123456789")?.expect(&[201])?;
    Ok(())
}

/// RFC 9110 section 14.
fn ranges(curl: &Curl, file: &str, whole: &[u8]) -> Result<()> {
    let size = whole.len();
    for (range, expected) in [
        ("bytes=0-3", &whole[..4]),
        ("bytes=4-", &whole[4..]),
        ("bytes=-3", &whole[size - 3..]),
        ("bytes=40-1000", &whole[40..]),
    ] {
        let part = curl.send("GET", file, &[("Range", range)], b"")?.expect(&[206])?;
        ensure!(part.body == expected, "{range} gave {}", part.text());
        let told = part.header("content-range").unwrap_or_default().to_owned();
        ensure!(told.ends_with(&format!("/{size}")), "{range} told {told}");
    }
    curl.send("GET", file, &[("Range", "bytes=1000-")], b"")?.expect(&[416])?;
    // Not a range of bytes: ignored, as the specification asks.
    curl.send("GET", file, &[("Range", "lines=1-2")], b"")?.expect(&[200])?;
    Ok(())
}

fn properties(curl: &Curl, file: &str) -> Result<()> {
    let set = br#"<?xml version="1.0"?><d:propertyupdate xmlns:d="DAV:" xmlns:x="urn:x">
        <d:set><d:prop><x:colour>blue &amp; green</x:colour></d:prop></d:set>
        </d:propertyupdate>"#;
    let patched = curl.send("PROPPATCH", file, &[], set)?.expect(&[207])?;
    ensure!(patched.text().contains("200 OK"), "{}", patched.text());
    let ask = br#"<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:x="urn:x">
        <d:prop><d:getetag/><d:getcontentlength/><oc:checksums/><oc:fileid/><oc:permissions/>
        <x:colour/><x:none/></d:prop></d:propfind>"#;
    let reply = curl.send("PROPFIND", file, &[("Depth", "0")], ask)?.expect(&[207])?;
    let all = entries(&reply.body)?;
    let entry = all.first().context("no response")?;
    ensure!(entry.property("colour") == "blue & green", "colour: {entry:?}");
    ensure!(entry.property("getcontentlength") == "43", "length: {entry:?}");
    ensure!(
        entry.property("checksums").contains("SHA1:2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"),
        "checksums: {entry:?}"
    );
    ensure!(entry.missing.contains(&"none".to_owned()), "unknown property: {entry:?}");
    for name in ["getetag", "fileid", "permissions"] {
        ensure!(!entry.property(name).is_empty(), "{name}: {entry:?}");
    }
    let names = br#"<d:propfind xmlns:d="DAV:"><d:propname/></d:propfind>"#;
    let reply = curl.send("PROPFIND", file, &[("Depth", "0")], names)?.expect(&[207])?;
    ensure!(reply.text().contains("getetag"), "propname: {}", reply.text());
    let all = curl.send("PROPFIND", file, &[("Depth", "1")], b"")?.expect(&[207])?;
    ensure!(entries(&all.body)?.len() == 1, "a file has no children");
    Ok(())
}

fn copy_and_move(curl: &Curl, folder: &str) -> Result<()> {
    let at = |name: &str| format!("{}{folder}/{name}", curl.base);
    let file = format!("{folder}/file.txt");
    let destination = at("copy.txt");
    let to = ("Destination", destination.as_str());
    curl.send("COPY", &file, &[to], b"")?.expect(&[201])?;
    curl.send("COPY", &file, &[to], b"")?.expect(&[204])?;
    curl.send("COPY", &file, &[to, ("Overwrite", "F")], b"")?.expect(&[412])?;
    let moved = at("moved.txt");
    let to = ("Destination", moved.as_str());
    curl.send("MOVE", &format!("{folder}/copy.txt"), &[to], b"")?.expect(&[201])?;
    curl.send("GET", &format!("{folder}/copy.txt"), &[], b"")?.expect(&[404])?;
    curl.send("MOVE", &file, &[to, ("Overwrite", "F")], b"")?.expect(&[412])?;
    let nowhere = at("no/such/place");
    curl.send("COPY", &file, &[("Destination", &nowhere)], b"")?.expect(&[409])?;
    curl.send("MOVE", &file, &[], b"")?.expect(&[400])?;
    // A folder into itself would never end.
    let inside = at("inside");
    curl.send("COPY", folder, &[("Destination", &inside)], b"")?.expect(&[403, 409])?;
    curl.send("MOVE", folder, &[("Destination", &inside)], b"")?.expect(&[403, 409])?;
    Ok(())
}

/// One curl a request, as a script would.
struct Curl {
    base: String,
    version: &'static str,
}

impl Curl {
    /// The answer has one header more, `x-version`: the HTTP version that was spoken.
    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply> {
        let mut command = Command::new("curl");
        let login = format!("admin:{ADMIN_PASSWORD}");
        command.args(["--silent", "--show-error", "--insecure", "--include", self.version]);
        command.args(["--user", &login, "--request", method, "--max-time", "20"]);
        for (name, value) in headers {
            command.arg("--header").arg(format!("{name}: {value}"));
        }
        if method == "PUT" || !body.is_empty() {
            command.args(["--data-binary", "@-", "--header", "Content-Type:"]);
        }
        command.arg(format!("{}{path}", self.base));
        let finished = run_with_input(&mut command, body, Duration::from_secs(30))?
            .success(&format!("curl {method} {path}"))?;
        parse(&finished.stdout).with_context(|| format!("{method} {path}"))
    }
}

fn parse(answer: &str) -> Result<Reply> {
    let mut rest = answer;
    loop {
        let (head, body) = rest.split_once("\r\n\r\n").context("no head in curl's output")?;
        let mut lines = head.lines();
        let mut first = lines.next().unwrap_or_default().split(' ');
        let version = first.next().unwrap_or_default().trim_start_matches("HTTP/").to_owned();
        let status: u16 = first.next().unwrap_or_default().parse()?;
        if status < 200 {
            rest = body;
            continue;
        }
        let mut headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        headers.push(("x-version".to_owned(), version));
        return Ok(Reply { status, headers, body: body.as_bytes().to_vec() });
    }
}

/// Where a check of this topic works on the shared server.
fn own_folder(server: &Server, name: &str) -> Result<String> {
    let path = format!("/dav/files/admin/{}", encoded(name));
    server.admin().send("MKCOL", &path, &[], b"")?.expect(&[201])?;
    Ok(path)
}
