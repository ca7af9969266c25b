//! A home directory of one's own, and a server in it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// The services of the user's document.
pub(crate) const SERVICES: [&str; 34] = [
    "app-provider",
    "app-registry",
    "auth-basic",
    "auth-machine",
    "auth-service",
    "clientlog",
    "eventhistory",
    "frontend",
    "gateway",
    "graph",
    "groups",
    "idm",
    "idp",
    "nats",
    "notifications",
    "ocdav",
    "ocm",
    "ocs",
    "postprocessing",
    "proxy",
    "search",
    "settings",
    "sharing",
    "sse",
    "storage-publiclink",
    "storage-shares",
    "storage-system",
    "storage-users",
    "thumbnails",
    "userlog",
    "users",
    "web",
    "webdav",
    "webfinger",
];

/// How long anything here may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A machine without any configuration.
pub(crate) struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.path().join(".ocis/config/ocis.yaml")
    }

    /// The binary with an environment in which nothing is set but that it takes free ports and
    /// tells which.
    pub(crate) fn ocis(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocis"));
        command.args(args).env_clear().env("HOME", self.path());
        command.env("OCIS_RUNTIME_PORT", "0").env("PROXY_HTTP_ADDR", "127.0.0.1:0");
        command.env("IDM_LDAPS_ADDR", "127.0.0.1:0").env("OCIS_LDAP_URI", "ldaps://localhost:0");
        command.env("OCIS_LOG_LEVEL", "debug");
        for service in SERVICES {
            let prefix = service.to_uppercase().replace('-', "_");
            command.env(format!("{prefix}_DEBUG_ADDR"), "127.0.0.1:0");
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        finish(&mut self.ocis(args), "")
    }

    /// Runs a command that asks the runtime at `port`.
    pub(crate) fn ask(&self, port: u16, args: &[&str]) -> Output {
        finish(self.ocis(args).env("OCIS_RUNTIME_PORT", port.to_string()), "")
    }

    /// Starts `ocis server` and waits until it is ready.
    pub(crate) fn serve(&self, variables: &[(&str, &str)]) -> Server {
        let mut command = self.ocis(&["server"]);
        Server::ready(command.envs(variables.iter().copied()))
    }
}

/// Runs `command` with `input` to its end.
pub(crate) fn finish(command: &mut Command, input: &str) -> Output {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // A command that fails early does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    /// What it has printed to the standard output.
    pub(crate) printed: String,
    /// The log lines until it was ready.
    log: Vec<Value>,
}

impl Server {
    /// Starts a server and waits until it says that it is ready.
    pub(crate) fn ready(command: &mut Command) -> Self {
        let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            // Reads on when nobody listens, so that the server is never held up.
            stderr.lines().map_while(Result::ok).for_each(|line| {
                let _ = sender.send(line);
            });
        });
        let mut log: Vec<Value> = Vec::new();
        while log.last().is_none_or(|line| line["message"] != "ready") {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => log.push(serde_json::from_str(&line).expect(&line)),
                Err(error) => panic!("not ready ({error}): {log:?}"),
            }
        }
        let mut printed = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let is_proxy =
            |line: &Value| line["message"] == "debug address" && line["service"] == "proxy";
        while log.iter().any(is_proxy) && !printed.contains("is ready at") {
            assert!(stdout.read_line(&mut printed).unwrap() > 0, "{printed}");
        }
        Self { child, printed, log }
    }

    fn address(&self, message: &str, service: &str) -> SocketAddr {
        let is_it = |line: &&Value| line["message"] == message && line["service"] == service;
        let line = self.log.iter().find(is_it).unwrap();
        line["address"].as_str().unwrap().parse().unwrap()
    }

    /// The port of the runtime.
    pub(crate) fn port(&self) -> u16 {
        self.address("the runtime answers", "ocis").port()
    }

    /// The debug address of a service.
    pub(crate) fn debug(&self, service: &str) -> SocketAddr {
        self.address("debug address", service)
    }

    /// What the control port tells: names, states, addresses.
    pub(crate) async fn services(&self) -> Vec<Value> {
        let answer = reqwest::get(format!("http://127.0.0.1:{}/services", self.port())).await;
        serde_json::from_str(&answer.unwrap().text().await.unwrap()).unwrap()
    }

    /// The address of the public listener.
    pub(crate) async fn public(&self) -> SocketAddr {
        let services = self.services().await;
        let proxy = services.iter().find(|service| service["name"] == "proxy").unwrap();
        proxy["listeners"][0].as_str().unwrap().parse().unwrap()
    }

    /// A request to the public listener as the account `admin`.
    pub(crate) async fn request(&self, method: &str, path: &str, password: &str) -> RequestBuilder {
        self.request_as(method, path, "admin", password).await
    }

    /// A request to the public listener as some account.
    pub(crate) async fn request_as(
        &self,
        method: &str,
        path: &str,
        name: &str,
        password: &str,
    ) -> RequestBuilder {
        let client = Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("https://{}{path}", self.public().await);
        client.request(method, url).basic_auth(name, Some(password))
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits until the server has ended.
    pub(crate) fn end(mut self, bound: Duration) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(since.elapsed() < bound, "the server does not end");
            std::thread::yield_now();
        }
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(self) {
        self.signal("TERM");
        assert!(self.end(PATIENCE).success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
