//! What no client sends: each piece gets a 4xx within a second, the server's memory stays flat, and
//! the next honest request is served.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use ocis_conformance::harness::{MemoryWatch, Plan, Server, World};

mod headers;
mod names;
mod sockets;
mod xml;

const SECOND: Duration = Duration::from_secs(1);
/// Anonymous memory that may come and go while one of these lists is served: connections, TLS and
/// the largest body that is read at all.
const GROWTH: u64 = 48 << 20;
const FOLDER: &str = "/dav/files/admin/hostile";

pub(crate) fn register(plan: &mut Plan) {
    plan.add("hostile-xml", |world| all(world, &xml::cases()));
    plan.add("hostile-headers", |world| all(world, &headers::cases()));
    plan.add("hostile-names", |world| all(world, &names::cases()));
    plan.add("hostile-destinations", |world| all(world, &names::destinations()));
    plan.add("hostile-smuggling", sockets::smuggling);
    plan.add("hostile-slow-headers", sockets::slow_headers);
    plan.add("hostile-half-bodies", sockets::half_bodies);
}

/// One request and the statuses that may answer it.
#[derive(Debug, Clone)]
struct Case {
    what: String,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    allowed: Allowed,
}

/// Which answers are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allowed {
    /// The client's fault, said so.
    Refused,
    /// As refused, or with this code, which a specification has for it.
    RefusedOr(u16),
    /// A specification wants it ignored, or it is odd but legal; still never a server's error.
    NoServerError,
}

impl Case {
    fn new(what: impl Into<String>, method: &'static str) -> Self {
        Self {
            what: what.into(),
            method,
            path: format!("{FOLDER}/file"),
            headers: Vec::new(),
            body: Vec::new(),
            allowed: Allowed::Refused,
        }
    }

    fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn tolerated(mut self) -> Self {
        self.allowed = Allowed::NoServerError;
        self
    }

    fn or(mut self, status: u16) -> Self {
        self.allowed = Allowed::RefusedOr(status);
        self
    }

    fn run(&self, server: &Server) -> Result<()> {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let own_login = self.headers.iter().any(|(name, _)| *name == "Authorization");
        let mut client = if own_login { server.anonymous() } else { server.admin() };
        // The handshake is not what is measured.
        client.get("/status.php")?.expect(&[200])?;
        let start = Instant::now();
        let outcome = client.send(self.method, &self.path, &headers, &self.body);
        let took = start.elapsed();
        let reply = match outcome {
            Ok(reply) => reply,
            // Hanging up on what cannot be read is a refusal too.
            Err(_) if self.allowed == Allowed::Refused && self.is_large() => return Ok(()),
            Err(error) => return Err(error),
        };
        let text: String = reply.text().chars().take(300).collect();
        match self.allowed {
            Allowed::RefusedOr(status) if status == reply.status => {}
            Allowed::Refused | Allowed::RefusedOr(_) => {
                ensure!((400..500).contains(&reply.status), "status {}: {text}", reply.status);
            }
            Allowed::NoServerError => {
                ensure!(reply.status < 500, "status {}: {text}", reply.status);
            }
        }
        ensure!(!reply.text().contains("root:x:"), "a file of the machine came back");
        ensure!(reply.body.len() < 1 << 20, "an answer of {} bytes", reply.body.len());
        ensure!(took < SECOND, "took {took:?}");
        Ok(())
    }

    /// More than a socket's buffers hold, so that a refusal before the end may be lost.
    fn is_large(&self) -> bool {
        let headers: usize = self.headers.iter().map(|(_, value)| value.len()).sum();
        self.path.len() + headers + self.body.len() > 32 * 1024
    }
}

/// Runs all cases on one server, and tells every one that failed.
fn all(world: &World, cases: &[Case]) -> Result<()> {
    let server = world.launch()?.start()?;
    let mut admin = server.admin();
    admin.send("MKCOL", FOLDER, &[], b"")?.expect(&[201])?;
    admin.put(&format!("{FOLDER}/file"), b"0123456789")?.expect(&[201])?;
    let before = server.anonymous_memory()?;
    let watch = MemoryWatch::of(server.pid());
    let mut wrong = Vec::new();
    for case in cases {
        if let Err(error) = case.run(&server) {
            wrong.push(format!("{}: {error:#}", case.what));
        }
    }
    let growth = watch.most()?.saturating_sub(before);
    ensure!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    let file = server.admin().get(&format!("{FOLDER}/file"))?.expect(&[200])?;
    ensure!(file.body == b"0123456789", "the file was changed: {}", file.text());
    ensure!(growth < GROWTH, "memory grew by {} KiB", growth / 1024);
    let log = server.log();
    ensure!(
        !log.contains("panicked"),
        "{}",
        log.lines().find(|l| l.contains("panic")).context("")?
    );
    println!("       {} cases, memory +{} KiB", cases.len(), growth / 1024);
    Ok(())
}
