//! App tokens and signed URLs, with clients that we did not write: ownCloud's sync client, curl, and
//! a signature made by Python's standard library as ownCloud's web client makes it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use ocis_conformance::harness::{Launch, Plan, Server, World, free_port, run};

pub(crate) fn register(plan: &mut Plan) {
    plan.add("credentials-app-token", app_token);
    plan.add("credentials-app-token-over-http", over_http);
    plan.add("credentials-app-token-guessing", guessing);
    plan.add("credentials-app-token-of-ocis", of_ocis);
    plan.add("credentials-signed-url", signed_url);
}

/// App tokens on, passwords off.
fn with_tokens(world: &World) -> Result<Launch> {
    Ok(world
        .launch()?
        .demo_users()
        .env("OCIS_ADD_RUN_SERVICES", "auth-app")
        .env("AUTH_APP_DEBUG_ADDR", &format!("127.0.0.1:{}", free_port()?))
        .env("PROXY_ENABLE_APP_AUTH", "true")
        .env("PROXY_ENABLE_BASIC_AUTH", "false"))
}

/// `ocis auth-app create` beside the running server.
fn create(server: &Server, user: &str, expiration: &str) -> Result<String> {
    let (user, expiration) = (format!("--user-name={user}"), format!("--expiration={expiration}"));
    let arguments = ["auth-app", "create", &user, &expiration];
    let said = server.launch().run(&arguments)?.success("ocis auth-app create")?.stdout;
    let token = said.lines().find_map(|line| line.strip_prefix(" token: "));
    Ok(token.with_context(|| format!("no token in {said}"))?.to_owned())
}

/// The status that curl gets for a URL below the server's.
fn curl(server: &Server, arguments: &[&str], path: &str) -> Result<String> {
    let mut command = Command::new("curl");
    command.args(["-sk", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}"]);
    command.args(arguments).arg(format!("{}{path}", server.url()));
    Ok(run(&mut command, Duration::from_secs(30))?.success("curl")?.stdout)
}

/// The sync client signs in with a token that the command line made; it ends with a restart of
/// nothing but its own time, and passwords stay off.
fn app_token(world: &World) -> Result<()> {
    let mut server = with_tokens(world)?.start()?;
    let token = create(&server, "einstein", "1h")?;
    let place = tempfile::tempdir()?;
    let (files, exclude) = (place.path().join("files"), place.path().join("exclude"));
    fs::create_dir_all(&files)?;
    fs::write(&exclude, "*.part\n")?;
    fs::write(files.join("theory.txt"), "relative")?;
    let mut command = Command::new("owncloudcmd");
    command
        .args(["--non-interactive", "--trust", "-u", "einstein", "-p", &token, "--exclude"])
        .args([&exclude, &files])
        .arg(server.url())
        .env("HOME", place.path())
        .env("QT_QPA_PLATFORM", "offscreen");
    run(&mut command, Duration::from_secs(120))?.success("owncloudcmd")?;
    let got = server.user("einstein", &token).get("/dav/files/einstein/theory.txt")?;
    ensure!(got.status == 200 && got.body == b"relative", "not synced: {}", got.status);
    let with = |secret: &str| format!("einstein:{secret}");
    ensure!(curl(&server, &["-u", &with("relativity")], "/graph/v1.0/me")? == "401", "a password");
    server.terminate(Duration::from_secs(20))?;
    server.restart()?;
    ensure!(curl(&server, &["-u", &with(&token)], "/graph/v1.0/me")? == "200", "after a restart");
    ensure!(curl(&server, &["-u", &format!("marie:{token}")], "/graph/v1.0/me")? == "401", "marie");
    Ok(())
}

/// `/auth-app/tokens`: made, listed, used and revoked with curl; for others only where that is
/// switched on.
fn over_http(world: &World) -> Result<()> {
    let server = with_tokens(world)?.env("PROXY_ENABLE_BASIC_AUTH", "true").start()?;
    let mut marie = server.user("marie", "radioactivity");
    let made = marie.send("POST", "/auth-app/tokens?expiry=1h&label=my+phone", &[], b"")?;
    let made: Value = serde_json::from_slice(&made.expect(&[200, 201])?.body)?;
    let token = made["token"].as_str().context("no token")?.to_owned();
    ensure!(made["label"] == "my phone" && made["expiration_date"].is_string(), "{made}");
    let with = format!("marie:{token}");
    ensure!(curl(&server, &["-u", &with], "/graph/v1.0/me")? == "200", "the token");
    let listed: Value = serde_json::from_slice(&marie.get("/auth-app/tokens")?.body)?;
    let hash = listed[0]["token"].as_str().context("no hash")?.to_owned();
    ensure!(hash.starts_with("$argon2id$") && !listed.to_string().contains(&token), "{listed}");
    let foreign = "/auth-app/tokens?expiry=1h&userName=einstein";
    marie.send("POST", foreign, &[], b"")?.expect(&[403])?;
    server.admin().send("POST", foreign, &[], b"")?.expect(&[403])?;
    marie.send("POST", "/auth-app/tokens?expiry=ever", &[], b"")?.expect(&[400])?;
    marie.send("DELETE", "/auth-app/tokens", &[], b"")?.expect(&[400])?;
    let one = format!("/auth-app/tokens?token={}", hash.replace('+', "%2B"));
    server.admin().send("DELETE", &one, &[], b"")?.expect(&[404])?;
    marie.send("DELETE", &one, &[], b"")?.expect(&[200])?;
    ensure!(curl(&server, &["-u", &with], "/graph/v1.0/me")? == "401", "revoked");
    server.anonymous().get("/auth-app/tokens")?.expect(&[401])?;
    Ok(())
}

/// A token that a real oCIS gave out, as its file has it, goes on to be good until its owner revokes
/// it, which also counts after a restart.
fn of_ocis(world: &World) -> Result<()> {
    const TOKEN: &str = "k3Q9x1Z7m5B0w8R2";
    const HASH: &str = "$2a$11$abcdefghijklmnopqrstuuOYV6t8qp0xvXKw1ctlKDhmMu4BQcBPy";
    const EINSTEIN: &str = "4c510ada-c86b-4815-8820-42cdf82c3d51";
    let launch = with_tokens(world)?.env("PROXY_ENABLE_BASIC_AUTH", "true");
    let key =
        format!("idp:\"https://localhost:9200\" opaque_id:\"{EINSTEIN}\" type:USER_TYPE_PRIMARY");
    let file = json!({ key: { HASH: {
        "password": HASH, "label": "Generated via CLI", "expiration": {"seconds": 4_000_000_000_u64},
        "ctime": {"seconds": 1_700_000_000}, "utime": {"seconds": 1_700_000_000},
        "user": {"idp": "https://localhost:9200", "opaque_id": EINSTEIN, "type": 1},
    }}});
    fs::create_dir_all(launch.data())?;
    let place = launch.data().join("appauth.json");
    let file = file.to_string();
    fs::write(&place, &file)?;
    let mut server = launch.start()?;
    let with = format!("einstein:{TOKEN}");
    let me = |server: &Server, who: &str| curl(server, &["-u", who], "/graph/v1.0/me");
    ensure!(me(&server, &with)? == "200", "a token of oCIS");
    ensure!(me(&server, &with.replace("k3Q9", "k3Q4"))? == "401", "another token");
    ensure!(me(&server, &with.replace("einstein", "marie"))? == "401", "somebody else");
    let mut einstein = server.user("einstein", "relativity");
    let listed: Value = serde_json::from_slice(&einstein.get("/auth-app/tokens")?.body)?;
    ensure!(listed[0]["token"] == HASH && listed[0]["label"] == "Generated via CLI", "{listed}");
    let one = format!("/auth-app/tokens?token={HASH}");
    einstein.send("DELETE", &one, &[], b"")?.expect(&[200])?;
    ensure!(me(&server, &with)? == "401", "revoked");
    server.terminate(Duration::from_secs(20))?;
    server.restart()?;
    ensure!(me(&server, &with)? == "401", "revoked, and back after a restart");
    ensure!(fs::read_to_string(&place)? == file, "the file of oCIS was changed");
    Ok(())
}

/// Guesses are limited, whatever headers claim about where they come from, and alike for accounts
/// that there are and that there are not.
fn guessing(world: &World) -> Result<()> {
    let server = with_tokens(world)?.start()?;
    for name in ["admin", "nobody"] {
        let mut statuses = Vec::new();
        for number in 0..7 {
            let guess = format!("{name}:ocis_{number:036}");
            let forged = format!("X-Forwarded-For: 198.51.100.{number}");
            statuses.push(curl(&server, &["-u", &guess, "-H", &forged], "/graph/v1.0/me")?);
        }
        ensure!(statuses[..5].iter().all(|status| status == "401"), "{name}: {statuses:?}");
        ensure!(statuses[5..].iter().all(|status| status == "429"), "{name}: {statuses:?}");
    }
    Ok(())
}

/// What ownCloud's web client does with the signing key.
const SIGN: &str = r#"
import hashlib, sys, time, urllib.parse
url, name, key, verb = sys.argv[1:]
date = time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime())
query = [('OC-Credential', name), ('OC-Date', date), ('OC-Expires', '600'), ('OC-Verb', verb)]
url += ('&' if '?' in url else '?') + urllib.parse.urlencode(query)
signature = hashlib.pbkdf2_hmac('sha512', url.encode(), key.encode(), 10000, 32).hex()
print(url + '&' + urllib.parse.urlencode(
    [('OC-Algo', 'PBKDF2/10000-SHA512'), ('OC-Signature', signature)]))
"#;

fn signed_url(world: &World) -> Result<()> {
    let server = world.launch()?.demo_users().start()?;
    let mut marie = server.user("marie", "radioactivity");
    marie.put("/dav/files/marie/r%20a$dium.txt", b"glows")?.expect(&[201])?;
    let answer = marie.get("/ocs/v1.php/cloud/user/signing-key?format=json")?.expect(&[200])?;
    let answer: Value = serde_json::from_slice(&answer.body)?;
    let key = answer["ocs"]["data"]["signing-key"].as_str().context("no key")?.to_owned();
    ensure!(key.len() == 128, "the key has {} characters", key.len());
    let sign = |path: &str, name: &str, key: &str, verb: &str| -> Result<String> {
        let url = format!("{}{path}", server.url());
        let mut command = Command::new("python3");
        command.args(["-c", SIGN, &url, name, key, verb]);
        let signed = run(&mut command, Duration::from_secs(20))?.success("python3")?.stdout;
        Ok(signed.trim().trim_start_matches(&server.url()).to_owned())
    };
    let file = "/remote.php/dav/files/marie/r%20a$dium.txt";
    let right = sign(file, "marie", &key, "GET")?;
    for _ in 0..2 {
        let mut command = Command::new("curl");
        command.args(["-sk", "--max-time", "20"]).arg(format!("{}{right}", server.url()));
        let got = run(&mut command, Duration::from_secs(30))?.success("curl")?.stdout;
        ensure!(got == "glows", "{got}");
    }
    ensure!(curl(&server, &["--http2"], &right)? == "200", "over HTTP/2");
    let status = |path: &str| curl(&server, &[], path);
    ensure!(status(&right.replace("dium", "dius"))? == "401", "another file");
    ensure!(status(&right.replace("=marie", "=einstein"))? == "401", "another user");
    ensure!(status(&right.replace("=600", "=6000"))? == "401", "a longer time");
    ensure!(curl(&server, &["-X", "DELETE"], &right)? == "401", "another method");
    let delete = sign(file, "marie", &key, "DELETE")?;
    ensure!(curl(&server, &["-X", "DELETE"], &delete)? == "401", "a method that is not allowed");
    // CVE-2023-49105.
    ensure!(status(&sign(file, "moss", "", "GET")?)? == "401", "an account without a key");
    let off = world.launch()?.demo_users().env("PROXY_ENABLE_PRESIGNEDURLS", "false").start()?;
    ensure!(curl(&off, &[], &right)? == "401", "switched off");
    Ok(())
}
