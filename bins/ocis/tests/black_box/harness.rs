//! A home directory of one's own, and a server in it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

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
    /// The port of the runtime of this home.
    pub(crate) port: u16,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), port: free_port() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.path().join(".ocis/config/ocis.yaml")
    }

    /// The binary with an environment in which nothing is set but free ports.
    pub(crate) fn ocis(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocis"));
        command.args(args).env_clear().env("HOME", self.path());
        command.env("OCIS_RUNTIME_PORT", self.port.to_string());
        command.env("PROXY_HTTP_ADDR", "127.0.0.1:0");
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

    /// Starts `ocis server` and waits until it is ready.
    pub(crate) fn serve(&self, variables: &[(&str, &str)]) -> Server {
        let mut command = self.ocis(&["server"]);
        command.envs(variables.iter().copied());
        Server::ready(&mut command)
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

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    /// What it has printed to the standard output.
    pub(crate) printed: String,
}

impl Server {
    /// Starts a server and waits until it says that it is ready.
    pub(crate) fn ready(command: &mut Command) -> Self {
        let mut server = Self::started(command);
        server.wait_for("is ready at");
        server
    }

    /// Starts a server.
    pub(crate) fn started(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines, printed: String::new() }
    }

    fn wait_for(&mut self, part: &str) {
        while !self.printed.contains(part) {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.printed += &format!("{line}\n"),
                Err(error) => panic!("no {part:?} ({error}) in {:?}", self.printed),
            }
        }
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

/// What the control port tells: names, states, addresses.
pub(crate) async fn services(port: u16) -> Vec<Value> {
    let answer = reqwest::get(format!("http://127.0.0.1:{port}/services")).await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// The debug address of a service.
pub(crate) fn debug_address(services: &[Value], name: &str) -> SocketAddr {
    let service = services.iter().find(|service| service["name"] == name).unwrap();
    service["debug"].as_str().unwrap().parse().unwrap()
}

/// The URL of the public listener.
pub(crate) async fn public_url(port: u16) -> String {
    format!("https://{}", listener(&services(port).await))
}

/// The address of the public listener.
pub(crate) fn public_address(port: u16) -> SocketAddr {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    listener(&tokio.block_on(services(port)))
}

fn listener(services: &[Value]) -> SocketAddr {
    let proxy = services.iter().find(|service| service["name"] == "proxy").unwrap();
    proxy["listeners"][0].as_str().unwrap().parse().unwrap()
}

/// A client that trusts any certificate.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap()
}
