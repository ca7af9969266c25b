//! An S3 server that we did not write: `moto_server` (PyPI), which dies with its handle. It keeps
//! everything in memory and checks no signatures.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::{Launch, free_port};

const READY: Duration = Duration::from_secs(60);

/// A running S3 server; dropped, it is killed.
#[derive(Debug)]
pub struct Buckets {
    child: Child,
    port: u16,
    made: Cell<usize>,
    folder: TempDir,
}

impl Buckets {
    /// Starts the server and waits until it answers.
    pub fn start() -> Result<Self> {
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        let output = File::create(folder.path().join("log"))?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "moto_server", "-H", "127.0.0.1", "-p"])
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("starting moto_server (PyPI: moto[server,s3])")?;
        let mut server = Self { child, port, made: Cell::new(0), folder };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if start.elapsed() > READY || server.child.try_wait()?.is_some() {
                bail!("moto_server is not ready; is it installed? It said:\n{}", server.log());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn ask(&self, request: &str) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(READY))?;
        let head = "HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(format!("{request} {head}").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.contains(" 200 "), "{request}: {answer}");
        Ok(answer)
    }

    /// How many objects there are in a bucket, up to 1,000.
    pub fn objects(&self, bucket: &str) -> Result<usize> {
        let answer = self.ask(&format!("GET /{bucket}?list-type=2"))?;
        Ok(answer.matches("<Key>").count())
    }

    /// A server with its contents in a new bucket.
    pub fn launch(&self, launch: Launch) -> Result<Launch> {
        self.made.set(self.made.get() + 1);
        let bucket = format!("blobs-{}", self.made.get());
        self.ask(&format!("PUT /{bucket}"))?;
        Ok(launch
            .env("STORAGE_USERS_DRIVER", "s3ng")
            .env("STORAGE_USERS_S3NG_ENDPOINT", &format!("http://127.0.0.1:{}", self.port))
            .env("STORAGE_USERS_S3NG_REGION", "us-east-1")
            .env("STORAGE_USERS_S3NG_BUCKET", &bucket)
            .env("STORAGE_USERS_S3NG_ACCESS_KEY", "access")
            .env("STORAGE_USERS_S3NG_SECRET_KEY", "secret"))
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
