//! A service of somebody else behind the public listener (`proxy.additional_policies`): a server of
//! Python's standard library, which verifies the caller's token by itself.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use ocis_conformance::harness::{ADMIN_PASSWORD, Plan, World, free_port, run};

const SECRET: &str = "the secret of a test";

/// Answers with what it was asked and, in `claims`, what a right token says.
const BACKEND: &str = r#"
import base64, hashlib, hmac, http.server, json, sys
secret = sys.argv[2].encode()
def read(part): return base64.urlsafe_b64decode(part + '=' * (-len(part) % 4))
def claims(token):
    head, payload, signature = token.split('.')
    right = hmac.new(secret, f'{head}.{payload}'.encode(), hashlib.sha256).digest()
    if json.loads(read(head))['alg'] != 'HS256' or not hmac.compare_digest(right, read(signature)):
        return 'forged'
    return json.loads(read(payload))
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        size = 0
        if self.headers['Transfer-Encoding'] == 'chunked':
            while part := int(self.rfile.readline(), 16):
                size += len(self.rfile.read(part)); self.rfile.readline()
            self.rfile.readline()
        else:
            size = len(self.rfile.read(int(self.headers['Content-Length'] or 0)))
        token = self.headers['X-Access-Token']
        said = json.dumps({
            'path': self.path, 'method': self.command, 'size': size,
            'headers': {name.lower(): value for name, value in self.headers.items()},
            'claims': claims(token) if token else None,
        }).encode()
        self.send_response(202)
        self.send_header('Content-Length', str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    do_GET = do_POST
    def log_message(self, *ignored): pass
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
"#;

pub(crate) fn register(plan: &mut Plan) {
    plan.add("backend-of-others", backend);
}

/// The server of Python; dropped, it is killed.
struct Backend {
    child: Child,
    port: u16,
}

impl Backend {
    fn start() -> Result<Self> {
        let port = free_port()?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "python3", "-c", BACKEND])
            .args([&port.to_string(), SECRET])
            .stdin(Stdio::null())
            .spawn()
            .context("python3")?;
        let backend = Self { child, port };
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(start.elapsed() < Duration::from_secs(20), "the backend does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(backend)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// curl reaches it under the address of the server; it learns who calls, and no password.
fn backend(world: &World) -> Result<()> {
    let backend = Backend::start()?;
    let launch = world.launch()?.demo_users().env("OCIS_JWT_SECRET", SECRET);
    launch.init()?;
    launch.write_config(
        "proxy.yaml",
        &format!(
            "additional_policies:
  - name: ocis
    routes:
      - {{endpoint: /ext/, backend: 'http://127.0.0.1:{port}'}}
      - {{endpoint: /open/, backend: 'http://127.0.0.1:{port}/base', unprotected: true}}
      - {{endpoint: '^/numbers/[0-9]+$', type: regex, method: GET, backend: 'http://127.0.0.1:{port}'}}
      - {{endpoint: /mine, service: com.owncloud.graph.graph}}
",
            port = backend.port
        ),
    )?;
    let server = launch.start()?;
    let curl = |arguments: &[&str], path: &str| -> Result<(String, Value)> {
        let mut command = Command::new("curl");
        command.args(["-sk", "--max-time", "20", "--path-as-is", "-w", "\n%{http_code}"]);
        command.args(arguments).arg(format!("{}{path}", server.url()));
        let said = run(&mut command, Duration::from_secs(30))?.success("curl")?.stdout;
        let (body, status) = said.rsplit_once('\n').context("no status")?;
        Ok((status.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null)))
    };
    let marie = ["-u", "marie:radioactivity", "-H", "X-Access-Token: mine"];
    let (status, seen) = curl(&marie, "/ext/a%20b?x=1")?;
    ensure!(status == "202" && seen["path"] == "/ext/a%20b?x=1", "{status} {seen}");
    let claims = &seen["claims"];
    ensure!(claims["user"]["username"] == "marie" && claims["aud"] == "reva", "{seen}");
    ensure!(claims["user"]["id"]["idp"] == server.url().as_str(), "{seen}");
    ensure!(claims["scope"]["user"]["role"] == 1, "{seen}");
    ensure!(seen["headers"]["authorization"].is_null(), "the password: {seen}");
    ensure!(!seen.to_string().contains(ADMIN_PASSWORD), "{seen}");
    ensure!(seen["headers"]["x-forwarded-proto"] == "https", "{seen}");

    let folder = tempfile::tempdir()?;
    let large = folder.path().join("large");
    std::fs::write(&large, vec![b'x'; 3 << 20])?;
    let upload = format!("@{}", large.display());
    for chunked in [&[][..], &["-H", "Transfer-Encoding: chunked"]] {
        let arguments = [&marie[..], &["--data-binary", upload.as_str()], chunked].concat();
        let (status, seen) = curl(&arguments, "/ext/large")?;
        ensure!(status == "202" && seen["size"] == 3 << 20, "{status} {seen}");
    }
    ensure!(curl(&[], "/ext/a")?.0 == "401" && curl(&[], "/numbers/7")?.0 == "401", "nobody");
    ensure!(curl(&marie, "/numbers/7")?.0 == "202", "by expression");
    ensure!(curl(&marie, "/numbers/seven")?.0 != "202", "by no expression");
    let (status, seen) = curl(&["-H", "X-Access-Token: forged"], "/open/b")?;
    ensure!(status == "202" && seen["path"] == "/base/open/b", "{status} {seen}");
    ensure!(seen["claims"].is_null(), "a header of the client's: {seen}");
    for path in ["/open/../ext/a", "/open/%2e%2e/ext/a"] {
        ensure!(curl(&[], path)?.0 == "400", "{path}");
    }
    drop(backend);
    ensure!(curl(&marie, "/ext/a")?.0 == "502", "it is away");
    ensure!(curl(&marie, "/graph/v1.0/me")?.0 == "200", "everything else");
    Ok(())
}
