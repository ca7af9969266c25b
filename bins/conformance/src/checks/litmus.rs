//! litmus, the WebDAV test suite of the neon library: all five suites on each tree that shows a
//! personal space. A warning fails as a failure does.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use ocis_conformance::harness::{ADMIN_PASSWORD, Plan, Server, World, personal_space, run};

/// `http::Uri` drops a fragment before any server of this kind sees it, so the request of this
/// test is a plain DELETE for hyper; curl and browsers never send one.
const UNSEEN: &str = "delete_fragment";
const SUITES: [&str; 5] = ["basic", "copymove", "props", "locks", "http"];

/// One check a URL; plain HTTP, and once with TLS.
pub(crate) fn register(plan: &mut Plan) {
    plan.add("litmus-webdav", |world| plain(world, |_| Ok("/remote.php/webdav".to_owned())));
    plan.add("litmus-files", |world| plain(world, |_| Ok("/dav/files/admin".to_owned())));
    plan.add("litmus-spaces", |world| {
        plain(world, |server| Ok(format!("/dav/spaces/{}", personal_space(&mut server.admin())?)))
    });
    plan.add("litmus-tls", |world| {
        let server = world.shared()?;
        litmus(&server, "/remote.php/dav/files/admin")
    });
}

fn plain(world: &World, path: fn(&Server) -> Result<String>) -> Result<()> {
    let server = world.launch()?.plain().start()?;
    litmus(&server, &path(&server)?)
}

fn litmus(server: &Server, path: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("{}{path}/", server.url());
    let mut command = Command::new("litmus");
    command.args(["-k", &url, "admin", ADMIN_PASSWORD]).current_dir(folder.path());
    let finished = run(&mut command, Duration::from_secs(120))?;
    let complaints: Vec<&str> = finished.stdout.lines().filter(|line| is_bad(line)).collect();
    ensure!(complaints.is_empty(), "on {url}:\n{}", complaints.join("\n"));
    for suite in SUITES {
        let begin = format!("<- summary for `{suite}': of ");
        let Some(line) = finished.stdout.lines().find(|line| line.starts_with(&begin)) else {
            bail!("suite {suite} did not end on {url}: {}", finished.said());
        };
        ensure!(line.contains(" 0 failed"), "{line}");
    }
    Ok(())
}

/// Lines look like ` 5. put_get............... FAIL (reason)` or `    ...... WARNING: reason`;
/// the latter stands before the line of its test's result.
fn is_bad(line: &str) -> bool {
    let bad = line.contains("FAIL") || line.contains("WARNING") || line.contains("SKIPPED");
    // litmus itself leaves its raw-socket test out over TLS; the plain runs have it.
    bad && !line.contains(UNSEEN) && !line.contains("skipping for SSL server")
}
