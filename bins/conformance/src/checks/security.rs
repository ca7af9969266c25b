//! What must not be possible, and what must not be seen.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use ocis_conformance::harness::{
    ADMIN_PASSWORD, Plan, Server, World, basic, encoded, personal_space, run,
};

pub(crate) fn register(plan: &mut Plan) {
    plan.add("security-unauthenticated", unauthenticated);
    plan.add("security-other-spaces", other_spaces);
    plan.add("security-guessing-is-slow", guessing);
    plan.add("security-file-modes", file_modes);
    plan.add("security-no-secret-in-logs", no_secret_in_logs);
    plan.add("security-basic-is-off-by-default", basic_off);
    plan.add("security-answers-do-not-tell-users", user_disclosure);
    plan.add("security-old-tls-is-refused", old_tls);
}

/// Every route that shows somebody's data asks who is there, for every method.
fn unauthenticated(world: &World) -> Result<()> {
    let server = world.shared()?;
    let space = encoded(&personal_space(&mut server.admin())?);
    let mut client = server.anonymous();
    let methods = [
        "GET",
        "HEAD",
        "PUT",
        "POST",
        "DELETE",
        "MKCOL",
        "COPY",
        "MOVE",
        "PROPFIND",
        "PROPPATCH",
        "LOCK",
        "UNLOCK",
        "REPORT",
    ];
    for tree in [
        "/remote.php/webdav/",
        "/webdav/",
        "/dav/files/admin/",
        "/remote.php/dav/files/admin/",
        &format!("/dav/spaces/{space}/"),
        &format!("/remote.php/dav/spaces/{space}/"),
    ] {
        for method in methods {
            let path = format!("{tree}x");
            let reply = client.send(method, &path, &[], b"")?.expect(&[401])?;
            let asks = reply.header("www-authenticate").is_some();
            ensure!(asks, "{method} {path}: no WWW-Authenticate");
        }
    }
    for path in [
        "/ocs/v1.php/cloud/user",
        "/ocs/v2.php/cloud/user",
        "/ocs/v1.php/cloud/users/admin",
        "/graph/v1.0/me",
        "/graph/v1.0/me/drives",
        "/graph/v1.0/users",
        "/graph/v1.0/drives",
        "/graph/v1beta1/drives",
        "/api/v0/settings/bundles-list",
        "/archiver?id=x",
        "/apps/files",
        "/DAV/files/admin/",
        "//dav/files/admin/",
        "/./dav/files/admin/",
        "/status.php/../dav/files/admin/",
        "/%64av/files/admin/",
    ] {
        let reply = client.get(path)?;
        let closed = [401, 404, 400, 403, 501].contains(&reply.status);
        ensure!(closed, "{path} answered {}: {}", reply.status, reply.text());
    }
    // Scripts in a browser are not asked for a password by a dialogue.
    let quiet = [("X-Requested-With", "XMLHttpRequest")];
    let reply = client.send("GET", "/dav/files/admin/", &quiet, b"")?.expect(&[401])?;
    ensure!(reply.header("www-authenticate").is_none(), "a script is asked for a password");
    // What clients need before they sign in.
    client.get("/status.php")?.expect(&[200])?;
    client.get("/ocs/v1.php/cloud/capabilities?format=json")?.expect(&[200])?;
    client.send("OPTIONS", "/dav/files/admin/", &[], b"")?.expect(&[200, 204])?;
    Ok(())
}

const LOCK: &[u8] = b"<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:exclusive/></d:lockscope>\
    <d:locktype><d:write/></d:locktype></d:lockinfo>";

/// Somebody else's space is not there: by name, by id, as a source and as a target.
fn other_spaces(world: &World) -> Result<()> {
    let server = world.shared()?;
    let mut admin = server.admin();
    let mut einstein = server.user("einstein", "relativity");
    einstein.put("/dav/files/einstein/mine", b"secret")?.expect(&[201, 204])?;
    let space = encoded(&personal_space(&mut einstein)?);
    let mut marie = server.user("marie", "radioactivity");
    marie.put("/dav/files/marie/own", b"x")?.expect(&[201, 204])?;
    for client in [&mut marie, &mut admin] {
        for tree in [
            "/dav/files/einstein".to_owned(),
            "/remote.php/dav/files/einstein".to_owned(),
            format!("/dav/spaces/{space}"),
        ] {
            for (method, name) in [
                ("GET", "mine"),
                ("PROPFIND", ""),
                ("PROPFIND", "mine"),
                ("DELETE", "mine"),
                ("LOCK", "mine"),
            ] {
                let body = if method == "LOCK" { LOCK } else { b"" };
                let reply = client.send(method, &format!("{tree}/{name}"), &[], body)?;
                ensure!(
                    [403, 404].contains(&reply.status),
                    "{method} {tree}/{name}: {} {}",
                    reply.status,
                    reply.text()
                );
                ensure!(!reply.text().contains("secret"), "{method} {tree}/{name} shows it");
            }
            client.put(&format!("{tree}/new"), b"x")?.expect(&[403, 404, 409])?;
            client.send("MKCOL", &format!("{tree}/new"), &[], b"")?.expect(&[403, 404, 409])?;
        }
        client.get("/dav/files/einstein/mine")?.expect(&[404])?;
    }
    for target in [format!("/dav/spaces/{space}/stolen"), "/dav/files/einstein/stolen".to_owned()] {
        for method in ["COPY", "MOVE"] {
            let to = [("Destination", target.as_str())];
            let reply = marie.send(method, "/dav/files/marie/own", &to, b"")?;
            ensure!((400..600).contains(&reply.status), "{method} to {target}: {}", reply.status);
        }
    }
    einstein.get("/dav/files/einstein/stolen")?.expect(&[404])?;
    ensure!(einstein.get("/dav/files/einstein/mine")?.body == b"secret", "changed by others");
    let drives = marie.get("/graph/v1.0/me/drives")?.expect(&[200])?.text();
    ensure!(!drives.contains("relativity") && !drives.contains("Einstein"), "{drives}");
    Ok(())
}

/// After some wrong passwords the guesser waits; the right one from elsewhere is served at once.
fn guessing(world: &World) -> Result<()> {
    let server = world.launch()?.demo_users().start()?;
    let start = Instant::now();
    let mut slowed = false;
    let mut last = Duration::ZERO;
    for number in 0..40 {
        let attempt = Instant::now();
        let reply = server.user("admin", &format!("wrong {number}")).get("/graph/v1.0/me")?;
        ensure!([401, 429].contains(&reply.status), "status {}", reply.status);
        last = attempt.elapsed();
        slowed |= reply.status == 429 || last > Duration::from_millis(900);
        if slowed {
            break;
        }
    }
    ensure!(slowed, "40 wrong passwords within {:?}, the last in {last:?}", start.elapsed());
    let elsewhere = |user: &str, password: &str| -> Result<String> {
        let mut command = Command::new("curl");
        command.args(["-sk", "--interface", "127.0.0.77", "-o", "/dev/null", "-w", "%{http_code}"]);
        command.args(["-u", &format!("{user}:{password}"), "--max-time", "5"]);
        let port = server.address().port();
        command.arg(format!("https://127.0.0.1:{port}/graph/v1.0/me"));
        Ok(run(&mut command, Duration::from_secs(10))?.stdout)
    };
    let start = Instant::now();
    ensure!(elsewhere("admin", ADMIN_PASSWORD)? == "200", "the right password from elsewhere");
    ensure!(elsewhere("einstein", "relativity")? == "200", "another user from elsewhere");
    ensure!(start.elapsed() < Duration::from_secs(4), "others waited {:?}", start.elapsed());
    Ok(())
}

/// Secrets are the owner's alone; nothing of ours is for others to write.
fn file_modes(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    server.admin().put("/dav/files/admin/file", b"x")?.expect(&[201])?;
    let data = server.launch().data();
    for (path, mode) in [
        ("config", 0o700),
        ("config/ocis.yaml", 0o600),
        ("proxy/server.key", 0o600),
        ("idm", 0o700),
        ("storage/users", 0o700),
        ("idm/ldap.key", 0o600),
        // A certificate is told to everybody who connects.
        ("idm/ldap.crt", 0o644),
    ] {
        let path = data.join(path);
        let is = mode_of(&path)?;
        ensure!(is == mode, "{} has mode {is:o} instead of {mode:o}", path.display());
    }
    let certificate = data.join("idm/ldap.crt");
    for path in below(&data.join("idm"))?.into_iter().filter(|path| *path != certificate) {
        let is = mode_of(&path)?;
        ensure!(is & 0o077 == 0, "{} has mode {is:o}", path.display());
    }
    for path in below(&data)? {
        // The server is at work: what it made for a moment may be gone.
        let Ok(is) = mode_of(&path) else { continue };
        ensure!(is & 0o002 == 0, "{} has mode {is:o}: anybody may write", path.display());
    }
    Ok(())
}

fn mode_of(path: &Path) -> Result<u32> {
    let about = std::fs::symlink_metadata(path).with_context(|| path.display().to_string())?;
    // A link's own mode says nothing.
    Ok(if about.is_symlink() { 0 } else { about.permissions().mode() & 0o7777 })
}

fn below(root: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() && !path.is_symlink() {
            for entry in std::fs::read_dir(&path)? {
                waiting.push(entry?.path());
            }
        }
        all.push(path);
    }
    Ok(all)
}

/// At the most talkative level, with clients that put secrets where they should and should not.
fn no_secret_in_logs(world: &World) -> Result<()> {
    let mut server = world.launch()?.demo_users().env("OCIS_LOG_LEVEL", "trace").start()?;
    let login = basic("admin", ADMIN_PASSWORD).replace("Basic ", "");
    let mut admin = server.admin();
    admin.put("/dav/files/admin/private-file-name", b"x")?.expect(&[201])?;
    admin.get("/graph/v1.0/me?token=query-secret-9")?;
    server.user("admin", "wrong-secret-10").get("/graph/v1.0/me")?.expect(&[401])?;
    server.user("einstein", "relativity").get("/graph/v1.0/me")?.expect(&[200])?;
    let bearer = [("Authorization", "Bearer header-secret-11")];
    server.anonymous().send("GET", "/graph/v1.0/me", &bearer, b"")?.expect(&[401])?;
    server.terminate(Duration::from_secs(20))?;
    let log = server.log();
    ensure!(log.lines().count() > 5, "nothing is logged at level trace");
    let yaml = std::fs::read_to_string(server.launch().config("ocis.yaml"))?;
    let yaml: serde_yaml::Value = serde_yaml::from_str(&yaml)?;
    let mut secrets = vec![login];
    secrets.extend(
        ["wrong-secret-10", "relativity", "header-secret-11", "query-secret-9"].map(str::to_owned),
    );
    collect_secrets(&yaml, &mut secrets);
    // The self-initialised start prints it, once, for people.
    secrets.retain(|secret| secret != ADMIN_PASSWORD);
    for secret in &secrets {
        let line = log.lines().find(|line| line.contains(secret.as_str()));
        ensure!(line.is_none(), "a secret is in the log: {}", line.unwrap_or_default());
    }
    ensure!(log.matches(ADMIN_PASSWORD).count() <= 1, "the admin's password is in the log");
    Ok(())
}

/// Everything in ocis.yaml whose key says that it is secret.
fn collect_secrets(value: &serde_yaml::Value, into: &mut Vec<String>) {
    let Some(mapping) = value.as_mapping() else { return };
    for (key, inner) in mapping {
        let key = key.as_str().unwrap_or_default();
        match inner.as_str() {
            Some(text) if ["secret", "password", "api_key"].iter().any(|p| key.contains(p)) => {
                into.push(text.to_owned());
            }
            _ => collect_secrets(inner, into),
        }
    }
}

/// After `ocis init`, basic authentication is off unless somebody asks for it.
fn basic_off(world: &World) -> Result<()> {
    let launch = world.launch()?.without("PROXY_ENABLE_BASIC_AUTH");
    launch.init()?;
    let server = launch.start()?;
    let reply = server.admin().get("/graph/v1.0/me")?.expect(&[401])?;
    let asks = reply.header("www-authenticate").unwrap_or_default().to_owned();
    ensure!(!asks.starts_with("Basic"), "offers {asks}");
    Ok(())
}

/// A wrong password and a user that is not there look and last the same.
fn user_disclosure(world: &World) -> Result<()> {
    let server = world.launch()?.demo_users().start()?;
    let ask = |user: &str| -> Result<(u16, Vec<u8>, Duration)> {
        let start = Instant::now();
        let reply = server.user(user, "wrong").get("/graph/v1.0/me")?;
        Ok((reply.status, reply.body, start.elapsed()))
    };
    // One each: more would be slowed down for another reason.
    let (known, unknown) = (ask("einstein")?, ask("nobody")?);
    ensure!(known.0 == 401 && unknown.0 == 401, "{} and {}", known.0, unknown.0);
    let ids = |body: &[u8]| String::from_utf8_lossy(body).len();
    ensure!(ids(&known.1).abs_diff(ids(&unknown.1)) <= 4, "the bodies differ");
    let (longer, shorter) = (known.2.max(unknown.2), known.2.min(unknown.2));
    ensure!(longer < shorter * 4 + Duration::from_millis(20), "{:?} and {:?}", known.2, unknown.2);
    Ok(())
}

fn old_tls(world: &World) -> Result<()> {
    let server = world.shared()?;
    for version in ["-tls1", "-tls1_1"] {
        ensure!(!handshake(&server, version)?, "{version} was accepted");
    }
    for version in ["-tls1_2", "-tls1_3"] {
        ensure!(handshake(&server, version)?, "{version} was refused");
    }
    Ok(())
}

fn handshake(server: &Server, version: &str) -> Result<bool> {
    let mut command = Command::new("openssl");
    let address = format!("localhost:{}", server.address().port());
    // Security level 0 lets the client offer what it would refuse itself.
    command.args(["s_client", "-connect", &address, version, "-cipher", "ALL:@SECLEVEL=0"]);
    let finished = run(&mut command, Duration::from_secs(10))?;
    Ok(finished.stdout.contains("BEGIN CERTIFICATE"))
}
