//! What only a server with its contents in a bucket can get wrong: a bucket that is away, and
//! settings that are not complete.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use ocis_conformance::harness::{ADMIN_PASSWORD, Plan, World, basic, free_port, raw_connection};

const FILE: &str = "/dav/files/admin/file";

pub(crate) fn register(plan: &mut Plan) {
    plan.add("s3-large-content", large_content);
    plan.add("s3-bucket-is-away", bucket_is_away);
    plan.add("s3-bucket-is-away-early", bucket_is_away_early);
    plan.add("s3-settings-missing", settings_missing);
}

/// More than one request can hold, there and back, and nothing of it in the directory.
fn large_content(world: &World) -> Result<()> {
    let mut server = world.in_bucket()?.launch()?.start()?;
    let bytes = world.random().bytes(70 << 20);
    server.admin().send("PUT", FILE, &[], &bytes)?.expect(&[201])?;
    ensure!(server.admin().get(FILE)?.expect(&[200])?.body == bytes, "it came back changed");
    server.kill()?;
    server.restart()?;
    let part = server.admin().send("GET", FILE, &[("Range", "bytes=69000000-69000999")], b"")?;
    let part = part.expect(&[206])?;
    ensure!(part.body == bytes[69_000_000..69_001_000], "a range is wrong");
    Ok(())
}

/// The server starts, says what is wrong, lets folders be made, and refuses contents soon.
fn bucket_is_away(world: &World) -> Result<()> {
    let nobody = format!("http://127.0.0.1:{}", free_port()?);
    let launch = world.in_bucket()?.launch()?.env("STORAGE_USERS_S3NG_ENDPOINT", &nobody);
    let server = launch.start()?;
    let log = server.log();
    ensure!(log.contains(&nobody) && log.contains("contents cannot be read"), "{log}");
    server.admin().send("MKCOL", "/dav/files/admin/folder", &[], b"")?.expect(&[201])?;
    let start = Instant::now();
    server.admin().send("PUT", FILE, &[], b"content")?.expect(&[503])?;
    ensure!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    server.admin().send("GET", FILE, &[], b"")?.expect(&[404])?;
    server.admin().send("DELETE", "/dav/files/admin/folder", &[], b"")?.expect(&[204])?;
    Ok(())
}

/// Who sends a large content hears that the bucket is away before the last byte is sent.
fn bucket_is_away_early(world: &World) -> Result<()> {
    let nobody = format!("http://127.0.0.1:{}", free_port()?);
    let launch = world.in_bucket()?.launch()?.env("STORAGE_USERS_S3NG_ENDPOINT", &nobody);
    let server = launch.start()?;
    let mut wire = raw_connection(server.address(), true, Duration::from_secs(60))?;
    let login = basic("admin", ADMIN_PASSWORD);
    write!(
        wire,
        "PUT {FILE} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {login}\r\n\
         Content-Length: {}\r\n\r\n",
        100 << 20
    )?;
    wire.write_all(&vec![7; 2 << 20])?;
    wire.flush()?;
    let mut answer = [0; 12];
    wire.read_exact(&mut answer).context("nothing is answered")?;
    let answer = String::from_utf8_lossy(&answer);
    ensure!(answer == "HTTP/1.1 503", "{answer}");
    server.admin().send("GET", FILE, &[], b"")?.expect(&[404])?;
    Ok(())
}

fn settings_missing(world: &World) -> Result<()> {
    let launch = world.in_bucket()?.launch()?.without("STORAGE_USERS_S3NG_SECRET_KEY");
    let ended = launch.without("STORAGE_USERS_S3NG_BUCKET").run(&["server"])?;
    ensure!(ended.code() != 0, "it started: {}", ended.said());
    let line = "missing: STORAGE_USERS_S3NG_BUCKET, STORAGE_USERS_S3NG_SECRET_KEY";
    ensure!(ended.said().contains(line), "{}", ended.said());
    Ok(())
}
