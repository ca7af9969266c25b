//! An OpenID provider that we did not write: `oidc-provider` (npm) under node, which dies with its
//! handle. Its script also plays the person with a browser who signs in there.

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use super::{Client, free_port};

const SCRIPT: &str = include_str!("provider/provider.mjs");
const READY: Duration = Duration::from_secs(60);

/// How the provider writes access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFormat {
    /// Signed, with all claims in them.
    Jwt,
    /// Random; only the provider knows what they mean.
    Opaque,
}

/// A running provider; dropped, it is killed.
#[derive(Debug)]
pub struct Provider {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Provider {
    /// Starts the provider and waits until it answers. `server` is the URL of the server that it
    /// tells when a session has ended.
    pub fn start(format: TokenFormat, server: &str) -> Result<Self> {
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        let script = folder.path().join("provider.mjs");
        std::fs::write(&script, SCRIPT)?;
        let output = File::create(folder.path().join("log"))?;
        let format = match format {
            TokenFormat::Jwt => "jwt",
            TokenFormat::Opaque => "opaque",
        };
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "node"])
            .arg(&script)
            .args([&port.to_string(), &format!("{server}/backchannel_logout"), format])
            .env("OCIS_CONFORMANCE_NODE", packages())
            // The server's certificate is its own.
            .env("NODE_TLS_REJECT_UNAUTHORIZED", "0")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("starting node")?;
        let mut provider = Self { child, port, folder };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if start.elapsed() > READY || provider.child.try_wait()?.is_some() {
                bail!(
                    "the OpenID provider is not ready; is npm's oidc-provider installed in \
                     OCIS_CONFORMANCE_NODE? It said:\n{}",
                    provider.log()
                );
            }
            sleep(Duration::from_millis(20));
        }
        Ok(provider)
    }

    /// The issuer, as it stands in tokens.
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// An access token of somebody who signs in now, in a session of their own.
    pub fn sign_in(&self, name: &str) -> Result<String> {
        let tokens = self.ask("GET", &format!("/test/sign-in?name={name}"), b"")?;
        let token = tokens.get("access_token").and_then(Value::as_str);
        token.map(str::to_owned).with_context(|| format!("no access token: {tokens}"))
    }

    /// Ends the last session of somebody at the provider.
    pub fn sign_out(&self, name: &str) -> Result<()> {
        self.ask("GET", &format!("/test/sign-out?name={name}"), b"").map(drop)
    }

    /// Replaces what the provider knows of people, by name.
    pub fn set_people(&self, people: &Value) -> Result<()> {
        self.ask("PUT", "/test/people", people.to_string().as_bytes()).map(drop)
    }

    /// Everything it said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Result<Value> {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let reply = Client::anonymous(address, false).send(method, path, &[], body)?;
        reply.expect(&[200]).with_context(|| self.log())?.json()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder whose `node_modules` holds what the scripts need.
fn packages() -> PathBuf {
    std::env::var_os("OCIS_CONFORMANCE_NODE").map_or_else(PathBuf::new, PathBuf::from)
}
