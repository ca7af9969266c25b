//! Requests that two readers could understand differently, and clients that never finish.

use std::io::{Read, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::SECOND;
use ocis_conformance::harness::{
    ADMIN_PASSWORD, MemoryWatch, World, basic, exchange, raw_connection,
};

/// Raw requests; each is answered with one 4xx, or by hanging up.
pub(super) fn smuggling(world: &World) -> Result<()> {
    let server = world.launch()?.plain().start()?;
    let login = basic("admin", ADMIN_PASSWORD);
    let mut wrong = Vec::new();
    for (what, head, body) in ambiguous() {
        let request = format!("{head}Host: localhost\r\nAuthorization: {login}\r\n{body}");
        let (answer, took) = exchange(server.address(), false, request.as_bytes(), SECOND)?;
        let text = String::from_utf8_lossy(&answer);
        let statuses: Vec<&str> =
            text.split("HTTP/1.").skip(1).filter_map(|part| part.split(' ').nth(1)).collect();
        let refused = statuses.iter().all(|status| status.starts_with('4'));
        if !refused || statuses.len() > 1 || took > SECOND {
            wrong.push(format!("{what}: {statuses:?} after {took:?}"));
        }
        let there = server.admin().get("/dav/files/admin/smuggled")?.status;
        if there != 404 {
            wrong.push(format!("{what}: the hidden request took place"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    both_lengths(&server, &login)
}

/// Name, request line and headers before `Host`, and the rest.
fn ambiguous() -> Vec<(&'static str, String, String)> {
    const HIDDEN: &str = "PUT /dav/files/admin/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    let put = "PUT /dav/files/admin/raw HTTP/1.1\r\n";
    let with = |name, headers: &str, body: &str| {
        (name, put.to_owned(), format!("{headers}\r\n{body}{HIDDEN}"))
    };
    vec![
        with("two lengths", "Content-Length: 1\r\nContent-Length: 5\r\n", "x"),
        with("a list of lengths", "Content-Length: 1, 5\r\n", "x"),
        with("a signed length", "Content-Length: +1\r\n", "x"),
        with("a negative length", "Content-Length: -1\r\n", "x"),
        with("a hexadecimal length", "Content-Length: 0x1\r\n", "x"),
        with("a length of 2^64", "Content-Length: 18446744073709551616\r\n", "x"),
        with("a length with a blank inside", "Content-Length: 1 1\r\n", "x"),
        with("an unknown coding", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        with("chunked that is not last", "Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"),
        with("a blank before the colon", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        with("a chunk size that is none", "Transfer-Encoding: chunked\r\n", "zz\r\nx\r\n"),
        with("a signed chunk size", "Transfer-Encoding: chunked\r\n", "-1\r\nx\r\n"),
        with(
            "a chunk size of 2^68",
            "Transfer-Encoding: chunked\r\n",
            "100000000000000000\r\nx\r\n",
        ),
        with("a chunk that is too long", "Transfer-Encoding: chunked\r\n", "1\r\nxyz\r\n"),
        with("a folded header", "X-A: b\r\n Content-Length: 9\r\n", ""),
        with("a bare CR in a header", "X-A: b\rTransfer-Encoding: chunked\r\n", ""),
        with("NUL in a header", "X-A: b\0c\r\n", ""),
        with("a header without a colon", "nonsense\r\n", ""),
        with("a header without a name", ": value\r\n", ""),
        ("HTTP/0.9", "GET /status.php\r\n".to_owned(), "\r\n".to_owned()),
        ("HTTP/3.0", "GET /status.php HTTP/3.0\r\n".to_owned(), "\r\n".to_owned()),
        ("no version", "GET /status.php HTTP/\r\n".to_owned(), "\r\n".to_owned()),
        ("blanks in the target", "GET /a b c HTTP/1.1\r\n".to_owned(), "\r\n".to_owned()),
        ("NUL in the target", "GET /dav/files/admin/\0 HTTP/1.1\r\n".to_owned(), "\r\n".to_owned()),
        ("a method of symbols", "<>(){} / HTTP/1.1\r\n".to_owned(), "\r\n".to_owned()),
        ("TLS to a plain port", "\u{16}\u{3}\u{1}\u{2}\0".to_owned(), "\r\n".to_owned()),
    ]
}

/// Length and chunked together: hyper takes the chunks and drops the length (RFC 9112 section 6.3
/// allows it, or 400). Whoever reads chunks sees two requests; nobody may see the body of the
/// first as anything else.
fn both_lengths(server: &ocis_conformance::harness::Server, login: &str) -> Result<()> {
    let request = format!(
        "PUT /dav/files/admin/both HTTP/1.1\r\nHost: x\r\nAuthorization: {login}\r\n\
         Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    );
    let (answer, _) = exchange(server.address(), false, request.as_bytes(), SECOND)?;
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).unwrap_or_default();
    if status.starts_with('4') {
        return Ok(());
    }
    ensure!(status == "201", "{text}");
    let got = server.admin().get("/dav/files/admin/both")?;
    ensure!(got.body == b"abc", "the length won over the chunks: {}", got.text());
    Ok(())
}

/// A hundred clients that send their headers one byte at a time do not keep others waiting, and
/// are sent away.
pub(super) fn slow_headers(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    let before = server.anonymous_memory()?;
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut wire = raw_connection(server.address(), true, Duration::from_secs(5))?;
        wire.write_all(b"GET /status.php HTTP/1.1\r\nHost: localhost\r\nX-A: ")?;
        wire.flush()?;
        wire.socket().set_read_timeout(Some(Duration::from_millis(5)))?;
        slow.push(wire);
    }
    let start = Instant::now();
    let limit = Duration::from_secs(90);
    while !slow.is_empty() {
        ensure!(start.elapsed() < limit, "{} are still there after {limit:?}", slow.len());
        let honest = Instant::now();
        server.anonymous().get("/status.php")?.expect(&[200])?;
        ensure!(honest.elapsed() < SECOND, "an honest client waited {:?}", honest.elapsed());
        slow.retain_mut(|wire| {
            let mut buffer = [0; 1024];
            let alive = wire.write_all(b"a").and_then(|()| wire.flush()).is_ok();
            match wire.read(&mut buffer) {
                // An answer, or the end: both send the client away.
                Ok(0..) => false,
                Err(error) => {
                    let waits = matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    );
                    alive && waits
                }
            }
        });
        sleep(Duration::from_millis(100));
    }
    let growth = server.anonymous_memory()?.saturating_sub(before);
    println!(
        "       gone after {:.0} s, memory +{} KiB",
        start.elapsed().as_secs_f64(),
        growth / 1024
    );
    ensure!(growth < 32 << 20, "memory grew by {growth} bytes");
    Ok(())
}

/// Uploads that are cut leave nothing that anybody sees, and nothing on the disk for ever.
pub(super) fn half_bodies(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    let login = basic("admin", ADMIN_PASSWORD);
    server.admin().put("/dav/files/admin/kept", b"old")?.expect(&[201])?;
    let watch = MemoryWatch::of(server.pid());
    let before = server.anonymous_memory()?;
    for number in 0..50 {
        let name = if number % 2 == 0 { "kept" } else { "never" };
        let mut wire = raw_connection(server.address(), true, Duration::from_secs(5))?;
        let head = format!(
            "PUT /dav/files/admin/{name} HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: {login}\r\nContent-Length: 1000000\r\n\r\n"
        );
        wire.write_all(head.as_bytes())?;
        wire.write_all(&[b'n'; 500_000])?;
        wire.flush()?;
    }
    let mut admin = server.admin();
    admin.get("/dav/files/admin/never")?.expect(&[404])?;
    let kept = admin.get("/dav/files/admin/kept")?.expect(&[200])?;
    ensure!(kept.body == b"old", "half of an upload replaced a file");
    let growth = watch.most()?.saturating_sub(before);
    ensure!(growth < super::GROWTH, "memory grew by {growth} bytes");
    let start = Instant::now();
    while leftovers(server.launch().data().join("storage/users/uploads"))? > 0 {
        if start.elapsed() > Duration::from_secs(20) {
            bail!("bytes of cut uploads are still on the disk");
        }
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Files below a folder; none when it does not exist.
fn leftovers(folder: std::path::PathBuf) -> Result<usize> {
    let mut count = 0;
    let mut waiting = vec![folder];
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { waiting.push(path) } else { count += 1 }
        }
    }
    Ok(count)
}
