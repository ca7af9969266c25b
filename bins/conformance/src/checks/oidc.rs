//! The OpenID provider with clients from npm: openid-client, and oidc-client-ts in Chromium.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use ocis_conformance::harness::{Launch, Plan, World, free_port, run};

const OPENID: &str = include_str!("oidc/openid.mjs");
const BROWSER: &str = include_str!("oidc/browser.mjs");

/// A client that nobody knows from the start, so that people are asked.
const CLIENTS: &str = "clients:\n- id: other\n  name: Another app\n  \
    redirect_uris: [https://other.example/cb]\n";

pub(crate) fn register(plan: &mut Plan) {
    plan.add("oidc-openid-client", openid_client);
    plan.add("oidc-browser", browser);
}

fn openid_client(world: &World) -> Result<()> {
    let server = with_another_client(world.launch()?)?.start()?;
    script("openid.mjs", OPENID, |command, _| {
        command.env("ISSUER", server.launch().value("OCIS_URL"));
        Ok(())
    })
}

/// The page stands at the server's own address, as ownCloud Web does; so the script is a reverse
/// proxy in front of a server without TLS.
fn browser(world: &World) -> Result<()> {
    let issuer = format!("https://localhost:{}", free_port()?);
    let launch = with_another_client(world.launch()?.plain())?.env("OCIS_URL", &issuer);
    let server = launch.start()?;
    script("browser.mjs", BROWSER, |command, folder| {
        let (key, certificate) = (folder.join("key.pem"), folder.join("cert.pem"));
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
        openssl.args(["-subj", "/CN=localhost"]).arg("-keyout").arg(&key).arg("-out");
        run(openssl.arg(&certificate), Duration::from_secs(30))?.success("openssl")?;
        command
            .env("ISSUER", &issuer)
            .env("UPSTREAM", server.url())
            .env("KEY", key)
            .env("CERT", certificate);
        Ok(())
    })
}

fn with_another_client(launch: Launch) -> Result<Launch> {
    launch.write_config("clients.yaml", CLIENTS)?;
    let clients = launch.config("clients.yaml").display().to_string();
    Ok(launch.demo_users().env("IDP_IDENTIFIER_REGISTRATION_CONF", &clients))
}

fn script(
    name: &str,
    text: &str,
    prepare: impl FnOnce(&mut Command, &Path) -> Result<()>,
) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(name);
    fs::write(&path, text)?;
    symlink(node_modules()?, folder.path().join("node_modules"))?;
    let mut command = Command::new("node");
    command
        .arg(&path)
        .env("NODE_NO_WARNINGS", "1")
        // The certificate is self-signed; what is tested here is not TLS.
        .env("NODE_TLS_REJECT_UNAUTHORIZED", "0")
        .env("PERSON", "einstein")
        .env("PASSWORD", "relativity");
    prepare(&mut command, folder.path())?;
    let finished = run(&mut command, Duration::from_secs(180))?.success(name)?;
    ensure!(finished.stdout.trim_end() == "ok", "{name} broke off: {}", finished.said());
    Ok(())
}

/// Where `.ci/run` installs packages: beside one of the folders in `PATH`.
fn node_modules() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places =
        std::env::split_paths(&path).filter_map(|bin| Some(bin.parent()?.join("node_modules")));
    let mut whole = places.filter(|modules| modules.join("openid-client").is_dir());
    whole.next().context("the npm packages are not installed: see install_clients in .ci/run")
}
