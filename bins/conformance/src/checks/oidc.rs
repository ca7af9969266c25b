//! The OpenID provider with clients from npm: openid-client, and oidc-client-ts in Chromium.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use ocis_conformance::harness::{Launch, Plan, World, free_port, node_script, run};

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
    node_script("openid.mjs", OPENID, |command, _| {
        sign_in(command).env("ISSUER", server.launch().value("OCIS_URL"));
        Ok(())
    })
}

/// The page stands at the server's own address, as ownCloud Web does; so the script is a reverse
/// proxy in front of a server without TLS.
fn browser(world: &World) -> Result<()> {
    let issuer = format!("https://localhost:{}", free_port()?);
    let launch = with_another_client(world.launch()?.plain())?.env("OCIS_URL", &issuer);
    let server = launch.start()?;
    node_script("browser.mjs", BROWSER, |command, folder| {
        let (key, certificate) = (folder.join("key.pem"), folder.join("cert.pem"));
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
        openssl.args(["-subj", "/CN=localhost"]).arg("-keyout").arg(&key).arg("-out");
        run(openssl.arg(&certificate), Duration::from_secs(30))?.success("openssl")?;
        sign_in(command)
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

/// Whom the scripts sign in.
fn sign_in(command: &mut Command) -> &mut Command {
    command.env("PERSON", "einstein").env("PASSWORD", "relativity")
}
