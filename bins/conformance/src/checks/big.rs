//! A file larger than memory would like, up and down over TLS, while the server's memory stays
//! flat. The client makes and checks the bytes as they pass.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use ocis_conformance::harness::{MemoryWatch, Pattern, PatternCheck, Plan, World};

const GIB: u64 = 1 << 30;
const GROWTH: u64 = 64 << 20;

pub(crate) fn register(plan: &mut Plan) {
    plan.add("big-file-5-gib", |world| up_and_down(world, 5 * GIB + 12_345));
    plan.add("big-many-parallel", many_parallel);
}

fn up_and_down(world: &World, size: u64) -> Result<()> {
    let server = world.launch()?.start()?;
    // What the first requests allocate once is no growth.
    server.admin().put("/dav/files/admin/small", &[1; 100_000])?.expect(&[201])?;
    server.admin().get("/dav/files/admin/small")?.expect(&[200])?;
    let before = server.anonymous_memory()?;
    let watch = MemoryWatch::of(server.pid());
    let path = "/dav/files/admin/big";
    let start = Instant::now();
    let mut answer = Vec::new();
    let (status, _) =
        server.admin().stream("PUT", path, &[], &mut Pattern::new(size), size, &mut answer)?;
    ensure!(status == 201, "PUT: {status} {}", String::from_utf8_lossy(&answer));
    let up = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut check = PatternCheck::default();
    let (status, _) = server.admin().stream("GET", path, &[], &mut &b""[..], 0, &mut check)?;
    ensure!(status == 200, "GET: {status}");
    let down = start.elapsed().as_secs_f64();
    let (received, wrong) = check.outcome();
    ensure!(received == size && wrong.is_none(), "{received} bytes, first wrong at {wrong:?}");
    let growth = watch.most()?.saturating_sub(before);
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let speed = |seconds: f64| size as f64 / 1e6 / seconds;
    println!(
        "       {size} bytes: up {:.0} MB/s, down {:.0} MB/s, memory +{} KiB",
        speed(up),
        speed(down),
        growth / 1024
    );
    ensure!(growth < GROWTH, "anonymous memory grew by {growth} bytes");
    let part = server.admin().send("GET", path, &[("Range", "bytes=5368709120-")], b"")?;
    ensure!(
        part.status == 206 && part.body.len() == 12_345,
        "the end of the file: {}",
        part.status
    );
    server.admin().send("DELETE", path, &[], b"")?.expect(&[204])?;
    Ok(())
}

/// Twenty downloads and uploads at once, of clients that read slowly, are no twenty buffers of
/// a file.
fn many_parallel(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    let size = 64 << 20;
    let put = |name: usize| -> Result<()> {
        let path = format!("/dav/files/admin/{name}");
        let mut answer = Vec::new();
        let mut body = Pattern::new(size);
        let (status, _) = server.admin().stream("PUT", &path, &[], &mut body, size, &mut answer)?;
        ensure!(status == 201, "PUT: {status}");
        let mut check = PatternCheck::default();
        server.admin().stream("GET", &path, &[], &mut &b""[..], 0, &mut check)?;
        ensure!(check.outcome() == (size, None), "{:?}", check.outcome());
        Ok(())
    };
    put(0)?;
    let before = server.anonymous_memory()?;
    let watch = MemoryWatch::of(server.pid());
    std::thread::scope(|threads| {
        let all: Vec<_> = (1..=20).map(|name| threads.spawn(move || put(name))).collect();
        all.into_iter().try_for_each(|thread| thread.join().ok().context("panicked")?)
    })?;
    let growth = watch.most()?.saturating_sub(before);
    println!("       memory +{} KiB", growth / 1024);
    ensure!(growth < 2 * GROWTH, "anonymous memory grew by {growth} bytes");
    Ok(())
}
