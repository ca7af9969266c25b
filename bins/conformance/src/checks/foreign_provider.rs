//! People whom a foreign OpenID provider signs in (`oidc-provider` of npm): with signed and with
//! opaque access tokens, as accounts that come into being by it, over WebDAV with curl and rclone,
//! until the provider ends the session.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use ocis_conformance::harness::{
    Client, Launch, Plan, Provider, Random, Server, TokenFormat, World, run,
};

const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn register(plan: &mut Plan) {
    plan.add("foreign-provider-jwt-accounts", accounts);
    plan.add("foreign-provider-jwt-rclone-curl", |world| {
        let (server, provider) = start(world, TokenFormat::Jwt)?;
        clients(&server, &provider)
    });
    plan.add("foreign-provider-opaque-rclone-curl", |world| {
        let (server, provider) = start(world, TokenFormat::Opaque)?;
        clients(&server, &provider)
    });
    plan.add("foreign-provider-jwt-logout", logout_of_signed);
    plan.add("foreign-provider-roles", roles);
    plan.add("foreign-provider-opaque-logout", logout_of_opaque);
    plan.add("foreign-provider-forged", forged);
    plan.add("foreign-provider-well-known", well_known);
}

/// A server that believes a provider, and makes accounts of whom it signs in.
fn start(world: &World, format: TokenFormat) -> Result<(Server, Provider)> {
    start_with(world, format, |launch| launch)
}

fn start_with(
    world: &World,
    format: TokenFormat,
    change: impl FnOnce(Launch) -> Launch,
) -> Result<(Server, Provider)> {
    let launch = world.launch()?;
    let provider = Provider::start(format, launch.value("OCIS_URL"))?;
    let launch = launch
        .env("OCIS_OIDC_ISSUER", &provider.issuer())
        .env("OCIS_EXCLUDE_RUN_SERVICES", "idp")
        .env("PROXY_AUTOPROVISION_ACCOUNTS", "true")
        .env("PROXY_OIDC_USERINFO_CACHE_TTL", "1s");
    let launch = match format {
        // The provider's userinfo takes no token that is meant for somebody else than itself.
        TokenFormat::Jwt => {
            launch.env("PROXY_OIDC_SKIP_USER_INFO", "true").env("PROXY_OIDC_AUDIENCES", "ocis,test")
        }
        TokenFormat::Opaque => launch.env("PROXY_OIDC_ACCESS_TOKEN_VERIFY_METHOD", "none"),
    };
    Ok((change(launch).start()?, provider))
}

fn signed_in(server: &Server, token: &str) -> Client {
    server.anonymous().bearer(token)
}

/// Names, mail address and groups are those of the claims, also after these have changed.
fn accounts(world: &World) -> Result<()> {
    let (server, provider) = start(world, TokenFormat::Jwt)?;
    let me = |token: &str| -> Result<Value> {
        let path = "/graph/v1.0/me?$expand=memberOf";
        signed_in(&server, token).get(path)?.expect(&[200])?.json()
    };
    let ada = me(&provider.sign_in("ada")?)?;
    ensure!(ada["onPremisesSamAccountName"] == "ada", "{ada}");
    ensure!(ada["displayName"] == "Ada Lovelace" && ada["mail"] == "ada@example.org", "{ada}");
    ensure!(groups(&ada) == ["analysts", "poets"], "{ada}");
    let grace = me(&provider.sign_in("grace")?)?;
    ensure!(groups(&grace) == ["analysts"] && grace["id"] != ada["id"], "{grace}");
    provider.set_people(&json!({"ada": {
        "name": "Augusta Ada King", "email": "ada@example.net", "groups": ["poets", "countesses"],
    }}))?;
    let changed = me(&provider.sign_in("ada")?)?;
    ensure!(changed["id"] == ada["id"], "another account: {changed}");
    ensure!(changed["displayName"] == "Augusta Ada King", "{changed}");
    ensure!(changed["mail"] == "ada@example.net", "{changed}");
    ensure!(groups(&changed) == ["countesses", "poets"], "{changed}");
    // The admin of the embedded directory is still there, by password.
    server.admin().propfind("/remote.php/webdav/", "0")?.expect(&[207])?;
    Ok(())
}

fn groups(user: &Value) -> Vec<&str> {
    let groups = user["memberOf"].as_array().into_iter().flatten();
    let mut names: Vec<_> = groups.filter_map(|group| group["displayName"].as_str()).collect();
    names.sort_unstable();
    names
}

/// With `PROXY_ROLE_ASSIGNMENT_DRIVER=oidc` a claim gives the role: the first of the mapping that it
/// holds, with every new token, and whoever it gives none is not let in.
fn roles(world: &World) -> Result<()> {
    const PROXY: &str = "role_assignment:
  driver: oidc
  oidc_role_mapper:
    role_claim: roles
    role_mapping:
      - {role_name: admin, claim_value: chief}
      - {role_name: spaceadmin, claim_value: ocisSpaceAdmin}
      - {role_name: user, claim_value: ocisUser}
";
    let mut written = Ok(());
    let (server, provider) = start_with(world, TokenFormat::Jwt, |launch| {
        written = launch.init().and_then(|_| launch.write_config("proxy.yaml", PROXY));
        launch
    })?;
    written?;
    let person = |roles: Value| json!({"name": "Some Body", "email": "p@example.org", "groups": [], "roles": roles});
    let said = |ada: Value| {
        json!({
            "ada": person(ada), "grace": person(json!("ocisSpaceAdmin")), "norole": person(json!([])),
        })
    };
    provider.set_people(&said(json!(["ocisUser", "chief"])))?;
    let status = |token: &str, path: &str| -> Result<u16> {
        Ok(signed_in(&server, token).get(path)?.status)
    };
    let (all_users, all_drives) = ("/graph/v1.0/users", "/graph/v1.0/drives");
    let chief = provider.sign_in("ada")?;
    let got = status(&chief, all_users)?;
    ensure!(got == 200, "a chief is no administrator: {got}");
    let grace = provider.sign_in("grace")?;
    ensure!(status(&grace, all_drives)? == 200 && status(&grace, all_users)? == 403, "grace");
    let norole = provider.sign_in("norole")?;
    for path in [all_users, "/graph/v1.0/me", "/remote.php/webdav/"] {
        let status = status(&norole, path)?;
        ensure!(status == 403, "{path} without a role: {status}");
    }
    provider.set_people(&said(json!("ocisUser")))?;
    let user = provider.sign_in("ada")?;
    ensure!(status(&user, all_users)? == 403, "the role of yesterday");
    ensure!(status(&user, "/remote.php/webdav/")? != 403, "no role at all");
    // Who lost a right does not keep it in another browser.
    ensure!(status(&chief, all_users)? == 403, "the token of yesterday");
    provider.set_people(&said(json!(["chief"])))?;
    let again = provider.sign_in("ada")?;
    ensure!(status(&again, all_users)? == 200, "a chief again is no administrator");
    // Another way in has the role that the account has, and gives none.
    server.admin().get(all_users)?.expect(&[200])?;
    Ok(())
}

/// WebDAV with the token: our own client, curl, rclone.
fn clients(server: &Server, provider: &Provider) -> Result<()> {
    let token = provider.sign_in("ada")?;
    let mut ada = signed_in(server, &token);
    ada.propfind("/remote.php/webdav/", "1")?.expect(&[207])?;
    ada.put("/dav/files/ada/note.txt", b"by token")?.expect(&[201])?;
    let mut grace = signed_in(server, &provider.sign_in("grace")?);
    grace.get("/dav/files/grace/note.txt")?.expect(&[404])?;

    let mut curl = Command::new("curl");
    let url = format!("{}/remote.php/webdav/note.txt", server.url());
    curl.args(["-sk", "--fail", "--oauth2-bearer", &token, &url]);
    let read = run(&mut curl, LIMIT)?.success("curl")?;
    ensure!(read.stdout == "by token", "{}", read.said());

    let folder = tempfile::tempdir()?;
    let source = folder.path().join("source");
    std::fs::create_dir(&source)?;
    let mut random = Random::new(11);
    for number in 0..40 {
        let size = usize::try_from(random.below(50_000))?;
        std::fs::write(source.join(format!("file {number}.bin")), random.bytes(size))?;
    }
    let here = source.display().to_string();
    for arguments in [
        &["copy", here.as_str(), "ocis:by token"][..],
        &["check", "--download", here.as_str(), "ocis:by token"],
        &["purge", "ocis:by token"],
    ] {
        rclone(server, &token, folder.path(), arguments)?;
    }
    Ok(())
}

fn rclone(server: &Server, token: &str, home: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("rclone");
    command
        .args(arguments)
        .env("RCLONE_CONFIG_OCIS_TYPE", "webdav")
        .env("RCLONE_CONFIG_OCIS_VENDOR", "owncloud")
        .env("RCLONE_CONFIG_OCIS_URL", format!("{}/remote.php/webdav", server.url()))
        .env("RCLONE_CONFIG_OCIS_BEARER_TOKEN", token)
        .env("RCLONE_NO_CHECK_CERTIFICATE", "true")
        .env("RCLONE_CONFIG", "/dev/null")
        .env("RCLONE_RETRIES", "1")
        .env("HOME", home);
    run(&mut command, LIMIT)?.success("rclone").map(drop)
}

/// The provider says that a session has ended: its token is refused at once, others are not.
fn logout_of_signed(world: &World) -> Result<()> {
    let (mut server, provider) = start(world, TokenFormat::Jwt)?;
    let status = |token: &str| -> Result<u16> {
        Ok(signed_in(&server, token).propfind("/remote.php/webdav/", "0")?.status)
    };
    let (other, mine) = (provider.sign_in("ada")?, provider.sign_in("ada")?);
    ensure!(status(&other)? == 207 && status(&mine)? == 207, "the tokens are not good");
    provider.sign_out("ada")?;
    until(|| Ok(status(&mine)? == 401)).with_context(|| provider.log())?;
    ensure!(status(&other)? == 207, "a session that went on is refused");
    server.terminate(LIMIT)?;
    server.restart()?;
    let root = "/remote.php/webdav/";
    let status = signed_in(&server, &mine).propfind(root, "0")?.status;
    ensure!(status == 401, "a restart brings a session back that the provider ended: {status}");
    signed_in(&server, &other).propfind(root, "0")?.expect(&[207])?;
    Ok(())
}

/// Of opaque tokens only the provider knows that they have ended; it is asked again soon. While it
/// is away, what was good a moment ago goes on and the rest is no wrong token.
fn logout_of_opaque(world: &World) -> Result<()> {
    let (server, provider) = start_with(world, TokenFormat::Opaque, |launch| {
        launch.env("PROXY_OIDC_USERINFO_CACHE_TTL", "3s")
    })?;
    let status = |token: &str| -> Result<u16> {
        Ok(signed_in(&server, token).propfind("/remote.php/webdav/", "0")?.status)
    };
    let ada = provider.sign_in("ada")?;
    ensure!(status(&ada)? == 207, "the token is not good");
    provider.sign_out("ada")?;
    until(|| Ok(status(&ada)? == 401)).with_context(|| provider.log())?;
    let (seen, unseen) = (provider.sign_in("grace")?, provider.sign_in("grace")?);
    ensure!(status(&seen)? == 207, "the token is not good");
    drop(provider);
    ensure!(status(&seen)? == 207, "a remembered token is refused while the provider is away");
    ensure!(status(&unseen)? == 503, "a new token while the provider is away");
    Ok(())
}

fn until(mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !holds()? {
        ensure!(start.elapsed() < Duration::from_secs(20), "it did not come to that in 20 s");
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Tokens of nobody, of another provider, changed ones and doubled headers prove nobody.
fn forged(world: &World) -> Result<()> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

    let (server, provider) = start(world, TokenFormat::Jwt)?;
    let stranger = Provider::start(TokenFormat::Jwt, &server.url())?;
    let token = provider.sign_in("ada")?;
    signed_in(&server, &token).get("/graph/v1.0/me")?.expect(&[200])?;
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { anyhow::bail!("no JWT: {token}") };
    let mut claims: Value = serde_json::from_slice(&BASE64.decode(payload)?)?;
    claims["preferred_username"] = "admin".into();
    let admin = BASE64.encode(claims.to_string());
    let with =
        |alg: &str| BASE64.encode(json!({"alg": alg, "kid": "rs", "typ": "JWT"}).to_string());
    let refused = [
        stranger.sign_in("ada")?,
        format!("{header}.{admin}.{signature}"),
        format!("{}.{admin}.", with("none")),
        format!("{}.{admin}.{signature}", with("HS256")),
        format!("{header}.{payload}."),
        token[..token.len() - 2].to_owned(),
        format!("{header}.{payload}"),
        "x".repeat(15_000),
    ];
    for token in &refused {
        let reply = signed_in(&server, token).get("/graph/v1.0/me")?;
        ensure!(reply.status == 401, "{} for {token}", reply.status);
        let challenge = reply.header("www-authenticate").unwrap_or_default();
        ensure!(challenge.starts_with("Bearer realm="), "{challenge}");
    }
    let doubled = format!("Bearer {token}");
    let twice = [("Authorization", doubled.as_str()), ("Authorization", doubled.as_str())];
    let reply = server.anonymous().send("GET", "/graph/v1.0/me", &twice, b"")?;
    ensure!(reply.status == 401, "two headers: {}", reply.status);
    let posed = [("X-Access-Token", token.as_str()), ("X-Forwarded-User", "admin")];
    let reply = server.anonymous().send("GET", "/graph/v1.0/me", &posed, b"")?;
    ensure!(reply.status == 401, "headers of the inside: {}", reply.status);
    let form = format!("logout_token={token}");
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let reply = server.anonymous().send("POST", "/backchannel_logout", &kind, form.as_bytes())?;
    ensure!(reply.status == 400, "an access token as logout token: {}", reply.status);
    signed_in(&server, &token).get("/graph/v1.0/me")?.expect(&[200])?;
    Ok(())
}

/// Clients that know only this server find the provider.
fn well_known(world: &World) -> Result<()> {
    let (server, provider) = start_with(world, TokenFormat::Jwt, |launch| {
        launch.env("PROXY_OIDC_REWRITE_WELLKNOWN", "true")
    })?;
    let reply = server.anonymous().get("/.well-known/openid-configuration")?.expect(&[200])?;
    ensure!(reply.json()?["issuer"] == provider.issuer().as_str(), "{}", reply.text());
    Ok(())
}
