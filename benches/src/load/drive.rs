//! Connections that ask again as soon as they are answered, and what they saw.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use ocis_conformance::harness::trusting;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

use crate::work::{Work, authorization};

/// One run's outcome.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Of every request, sorted.
    latencies: Vec<Duration>,
    took: Duration,
    /// Processor time that the server used.
    server: Duration,
    /// Processor time that this program used.
    client: Duration,
}

impl Sample {
    /// Requests a second.
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// The latency that this share of the requests did not exceed, in milliseconds.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index below the length"
    )]
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let at = ((self.latencies.len().saturating_sub(1)) as f64 * share) as usize;
        self.latencies.get(at).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
    }

    /// Microseconds of processor time a request, of the server and of this program.
    #[allow(clippy::cast_precision_loss, reason = "an average")]
    pub(crate) fn cost(&self) -> (f64, f64) {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / self.latencies.len().max(1) as f64;
        (each(self.server), each(self.client))
    }
}

/// Runs works.
pub(crate) struct Drive {
    runtime: Runtime,
    connections: usize,
    time: Duration,
    authorization: String,
    runs: AtomicU64,
}

impl Drive {
    /// So many connections, each run so long.
    pub(crate) fn new(connections: usize, time: Duration) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let authorization = authorization();
        Ok(Self { runtime, connections, time, authorization, runs: AtomicU64::new(1) })
    }

    /// A few requests whose outcome nobody looks at.
    pub(crate) fn warm(&self, work: &Work, address: SocketAddr) -> Result<()> {
        self.collect(work, address, Duration::from_millis(300)).map(drop)
    }

    /// One run against the server of that process.
    pub(crate) fn run(&self, work: &Work, address: SocketAddr, pid: u32) -> Result<Sample> {
        let (server, client) = (processor_time(pid)?, processor_time(std::process::id())?);
        let start = Instant::now();
        let mut latencies = self.collect(work, address, self.time)?;
        let took = start.elapsed();
        latencies.sort_unstable();
        Ok(Sample {
            latencies,
            took,
            server: processor_time(pid)?.saturating_sub(server),
            client: processor_time(std::process::id())?.saturating_sub(client),
        })
    }

    fn collect(&self, work: &Work, address: SocketAddr, time: Duration) -> Result<Vec<Duration>> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let end = Instant::now() + time;
        let work = Arc::new(work.clone());
        self.runtime.block_on(async {
            let tasks: Vec<_> = (0..self.connections)
                .map(|connection| {
                    let ask = Ask {
                        work: Arc::clone(&work),
                        authorization: self.authorization.clone(),
                        run,
                        connection,
                    };
                    tokio::spawn(ask.repeat(address, end))
                })
                .collect();
            let mut all = Vec::new();
            for task in tasks {
                all.append(&mut task.await??);
            }
            Ok(all)
        })
    }
}

/// One connection's requests.
struct Ask {
    work: Arc<Work>,
    authorization: String,
    run: u64,
    connection: usize,
}

impl Ask {
    async fn repeat(self, address: SocketAddr, end: Instant) -> Result<Vec<Duration>> {
        let mut sender = connect(address).await?;
        let mut latencies = Vec::with_capacity(100_000);
        while Instant::now() < end {
            let request = self.request(latencies.len() as u64)?;
            let start = Instant::now();
            sender.ready().await?;
            let response = sender.send_request(request).await?;
            let status = response.status();
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                frame?;
            }
            latencies.push(start.elapsed());
            let good = [StatusCode::OK, StatusCode::CREATED, StatusCode::MULTI_STATUS];
            ensure!(good.contains(&status), "{}: {status}", self.work.name);
        }
        Ok(latencies)
    }

    fn request(&self, number: u64) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.work.method)
            .uri(self.work.path(self.run, self.connection, number))
            .header("host", "localhost")
            .header("authorization", &self.authorization);
        for (name, value) in self.work.headers() {
            request = request.header(*name, *value);
        }
        Ok(request.body(Full::new(self.work.body.clone()))?)
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost")?;
    let stream = TlsConnector::from(trusting()).connect(name, stream).await?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// User and system time of a process until now (`/proc/<pid>/stat`, fields 14 and 15).
fn processor_time(pid: u32) -> Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the name, in brackets, and may hold blanks.
    let rest = text.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u64>)
        .sum::<Result<u64, _>>()
        .context("/proc/pid/stat")?;
    // The kernel counts in hundredths of a second for every program (USER_HZ).
    Ok(Duration::from_millis(ticks * 10))
}
