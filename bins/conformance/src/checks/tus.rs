//! Resumable uploads: with ownCloud Web's library, over a server that is killed, and where they must be
//! refused.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use ocis_conformance::harness::{
    ADMIN_PASSWORD, Client, Plan, Reply, Server, World, basic, node_script,
};

const CLIENT: &str = include_str!("tus/client.mjs");
const FILES: &str = "/remote.php/dav/files/admin";
const TUS: (&str, &str) = ("Tus-Resumable", "1.0.0");
const BYTES: (&str, &str) = ("Content-Type", "application/offset+octet-stream");

pub(crate) fn register(plan: &mut Plan) {
    plan.add("tus-js-client", |world| {
        let server = world.shared()?;
        node_script("client.mjs", CLIENT, |command, _| {
            command
                .env("FILES", format!("{}{FILES}", server.url()))
                .env("AUTHORIZATION", basic("admin", ADMIN_PASSWORD));
            Ok(())
        })
    });
    plan.add("tus-kill", kill);
    plan.add("tus-refused", refused);
    plan.add("tus-sessions", sessions);
}

/// Begins an upload of `length` bytes; gives the path where it goes on.
fn create(client: &mut Client, name: &str, length: usize) -> Result<String> {
    let metadata = format!("filename {}", STANDARD.encode(name));
    let (length, metadata) = (length.to_string(), metadata.as_str());
    let headers = [TUS, ("Upload-Length", &*length), ("Upload-Metadata", metadata)];
    let created = client.send("POST", FILES, &headers, b"")?.expect(&[201])?;
    let place = created.header("Location").context("no Location")?;
    let at = place.find("/data/").with_context(|| format!("not below /data/: {place}"))?;
    Ok(place.split_at(at).1.to_owned())
}

fn append(client: &mut Client, place: &str, offset: usize, bytes: &[u8]) -> Result<Reply> {
    let offset = offset.to_string();
    client.send("PATCH", place, &[TUS, BYTES, ("Upload-Offset", &offset)], bytes)
}

fn offset(client: &mut Client, place: &str) -> Result<usize> {
    let seen = client.send("HEAD", place, &[TUS], b"")?.expect(&[200])?;
    Ok(seen.header("Upload-Offset").context("no offset")?.parse()?)
}

/// What was acknowledged is there after a kill, and the upload goes on. No credentials are asked for:
/// the address is the right to it.
fn kill(world: &World) -> Result<()> {
    let mut server = world.launch()?.start()?;
    let content = world.random().bytes(2_000_000);
    let place = create(&mut server.admin(), "killed", content.len())?;
    let mut done = 0;
    for upto in [70_000, 900_000, 1_500_000, content.len()] {
        let piece = content.get(done..upto).context("a piece")?;
        let sent = append(&mut server.anonymous(), &place, done, piece)?.expect(&[204])?;
        ensure!(sent.header("Upload-Offset") == Some(&*upto.to_string()), "{sent:?}");
        done = upto;
        server.kill()?;
        server.restart()?;
        if done < content.len() {
            ensure!(offset(&mut server.anonymous(), &place)? == done, "after {done} bytes");
            server.admin().get(&format!("{FILES}/killed"))?.expect(&[404])?;
        }
    }
    let found = server.admin().get(&format!("{FILES}/killed"))?.expect(&[200])?;
    ensure!(found.body == content, "another content");
    consistent(&server)
}

/// Nothing but the right address and the right bytes in the right place gets in.
fn refused(world: &World) -> Result<()> {
    let server = world.launch()?.env("OCIS_LOG_LEVEL", "debug").start()?;
    let (mut admin, mut anyone) = (server.admin(), server.anonymous());
    anyone.send("POST", FILES, &[TUS, ("Upload-Length", "1")], b"")?.expect(&[401])?;
    let place = create(&mut admin, "refused", 10)?;
    let mut forged = place.clone();
    forged.pop();
    for path in ["/data", "/data/", "/data/x", &forged, &format!("{place}/x")] {
        append(&mut anyone, path, 0, b"01234")?.expect(&[403])?;
        anyone.send("HEAD", path, &[TUS], b"")?.expect(&[403])?;
        anyone.send("DELETE", path, &[TUS], b"")?.expect(&[403])?;
    }
    append(&mut anyone, &place, 1, b"1")?.expect(&[409])?;
    append(&mut anyone, &place, 0, &[b'x'; 11])?.expect(&[400])?;
    anyone.send("PATCH", &place, &[BYTES, ("Upload-Offset", "0")], b"0")?.expect(&[412])?;
    anyone.send("PATCH", &place, &[TUS, ("Upload-Offset", "0")], b"0")?.expect(&[400])?;
    let sum = |sum| [TUS, BYTES, ("Upload-Offset", "0"), ("Upload-Checksum", sum)];
    anyone.send("PATCH", &place, &sum("sha256 AA=="), b"01234")?.expect(&[400])?;
    anyone.send("PATCH", &place, &sum("crc32 AAAAAA=="), b"01234")?.expect(&[460])?;
    ensure!(offset(&mut anyone, &place)? == 0, "something of it was kept");
    // As the acceptance tests of oCIS write it.
    let hex = "MD5 4100c4d44da9177247e44a5fc1546778";
    anyone.send("PATCH", &place, &sum(hex), b"01234")?.expect(&[204])?;
    append(&mut anyone, &place, 5, b"56789")?.expect(&[204])?;
    append(&mut anyone, &place, 5, b"56789")?.expect(&[404])?;
    ensure!(admin.get(&format!("{FILES}/refused"))?.expect(&[200])?.body == b"0123456789");
    let log = server.log();
    ensure!(!log.is_empty(), "nothing is logged");
    let ticket = place.trim_start_matches("/data/");
    ensure!(!log.contains(ticket), "the log names an address that is a right");
    Ok(())
}

/// What is under way is seen, and taken away, on the command line.
fn sessions(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    let place = create(&mut server.admin(), "under way", 10)?;
    append(&mut server.anonymous(), &place, 0, b"0123")?.expect(&[204])?;
    let list = ["storage-users", "uploads", "sessions", "--json"];
    let seen = server.launch().run(&list)?.success("uploads sessions")?.stdout;
    ensure!(seen.contains("under way"), "{seen}");
    let clean = ["storage-users", "uploads", "sessions", "--clean"];
    server.launch().run(&clean)?.success("uploads sessions --clean")?;
    server.anonymous().send("HEAD", &place, &[TUS], b"")?.expect(&[404])?;
    consistent(&server)
}

fn consistent(server: &Server) -> Result<()> {
    let driver = server.launch().environment().get("STORAGE_USERS_DRIVER");
    let driver = driver.map_or("ocis", String::as_str);
    let said =
        server.launch().run(&["backup", "consistency", "-p", &root(server), "-b", driver])?;
    ensure!(said.code() == 0, "{}", said.said());
    Ok(())
}

fn root(server: &Server) -> String {
    let root: &Path = &server.launch().data();
    root.join("storage/users").display().to_string()
}
