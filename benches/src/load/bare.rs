//! The other server: hyper and rustls, and answers that are ready before the request comes.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use ocis_conformance::harness::Server;
use rustls::pki_types::PrivateKeyDer;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::work::Work;

/// What `ocis` answered to one work.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    method: String,
    /// Of the request; tells a large PUT from a small one, and a GET by its path.
    path: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// The bare server's process.
#[derive(Debug)]
pub(crate) struct Bare {
    child: Child,
    address: SocketAddr,
    _answers: tempfile::NamedTempFile,
}

impl Bare {
    /// Asks `ocis` once for each work, and starts a server that answers the same.
    pub(crate) fn start(server: &Server, works: &[Work]) -> Result<Self> {
        let mut admin = server.admin();
        let mut answers = Vec::new();
        for work in works {
            let path = work.path(0, 0, work.payload);
            let reply = admin.send(work.method, &path, work.headers(), &work.body)?;
            let reply = reply.expect(&[200, 201, 204, 207])?;
            let framing = ["content-length", "transfer-encoding", "connection", "date"];
            let headers = reply.headers.into_iter().filter(|(name, _)| {
                !framing.iter().any(|framing| name.eq_ignore_ascii_case(framing))
            });
            answers.push(Answer {
                method: work.method.to_owned(),
                path,
                status: reply.status,
                headers: headers.collect(),
                body: reply.body,
            });
        }
        let file = tempfile::NamedTempFile::new()?;
        serde_json::to_writer(file.as_file(), &answers)?;
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(std::env::current_exe()?)
            .arg("--bare")
            .arg(file.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("stdout")?).read_line(&mut line)?;
        let address = line.trim().parse().context("the bare server did not start")?;
        Ok(Self { child, address, _answers: file })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Listens on a free port, prints it, and serves until it is killed.
pub(crate) fn serve(answers: &Path) -> Result<()> {
    let answers: Vec<Answer> = serde_json::from_slice(&std::fs::read(answers)?)?;
    let ready: Vec<Ready> = answers.into_iter().map(Ready::new).collect::<Result<_>>()?;
    let ready = Arc::new(ready);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let acceptor = TlsAcceptor::from(Arc::new(certificate()?));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (acceptor, ready) = (acceptor.clone(), Arc::clone(&ready));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(move |request| answer(Arc::clone(&ready), request));
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}

/// An answer that only has to be cloned.
struct Ready {
    method: String,
    path: String,
    response: Response<Full<Bytes>>,
}

impl Ready {
    fn new(answer: Answer) -> Result<Self> {
        let mut response = Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            response = response.header(name, value);
        }
        let response = response.body(Full::new(Bytes::from(answer.body)))?;
        Ok(Self { method: answer.method, path: answer.path, response })
    }
}

async fn answer(all: Arc<Vec<Ready>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    let (head, mut body) = request.into_parts();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    let fits = |ready: &&Ready| {
        ready.method == head.method.as_str()
            && (ready.path == head.uri.path() || ready.method == "PUT")
    };
    let found = all.iter().find(fits).context("nobody asked for this before")?;
    Ok(found.response.clone())
}

/// As `ocis` makes its own: ECDSA P-256, self-signed.
fn certificate() -> Result<rustls::ServerConfig> {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivateKeyDer::try_from(pair.signing_key.serialize_der())
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key)?)
}
