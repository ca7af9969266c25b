//! The step that looks for viruses: a client of ClamAV's `clamd`, over its `INSTREAM` command.
//!
//! The content is sent in pieces, each behind its length in four bytes, big endian; a length of zero
//! ends it. The answer is `stream: OK`, `stream: <name> FOUND`, or `<what> ERROR`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use ocis_core::upload::Scan;
use ocis_core::{Cx, Error, Result};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::step::{Done, Incoming, Outcome, Step};
use crate::blob::Content;

/// An answer of clamd is a short line.
const ANSWER: u64 = 4096;

/// Where clamd listens (`ANTIVIRUS_CLAMAV_SOCKET`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Socket {
    /// `tcp://<host>:<port>`.
    Tcp(String),
    /// A path, or `unix://<path>`.
    Unix(PathBuf),
}

impl FromStr for Socket {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once("://") {
            None if !text.is_empty() => Ok(Self::Unix(text.into())),
            Some(("unix", path)) if !path.is_empty() => Ok(Self::Unix(path.into())),
            Some(("tcp", address)) if address.contains(':') => Ok(Self::Tcp(address.into())),
            _ => Err(Error::invalid("clamd is at a path or at tcp://<host>:<port>")),
        }
    }
}

/// Lets clamd look at every content.
#[derive(Debug, Clone)]
pub struct VirusScan {
    /// Where it listens.
    pub socket: Socket,
    /// What becomes of a content with a virus: continue, delete or abort
    /// (`ANTIVIRUS_INFECTED_FILE_HANDLING`).
    pub infected: Outcome,
    /// How long one scan may take.
    pub timeout: Duration,
    /// Longer contents are not scanned and go on (`ANTIVIRUS_MAX_SCAN_SIZE`).
    pub max_size: Option<u64>,
}

impl VirusScan {
    /// Asks the clamd at `socket`; deletes what is infected, waits five minutes at most, and scans
    /// contents of every length.
    pub fn new(socket: Socket) -> Self {
        let timeout = Duration::from_secs(300);
        Self { socket, infected: Outcome::Delete, timeout, max_size: None }
    }

    async fn scan(&self, content: Content) -> Result<Option<String>> {
        match &self.socket {
            Socket::Tcp(address) => {
                ask(TcpStream::connect(address).await.map_err(unreachable)?, content).await
            }
            Socket::Unix(path) => {
                ask(UnixStream::connect(path).await.map_err(unreachable)?, content).await
            }
        }
    }
}

#[async_trait]
impl Step for VirusScan {
    fn name(&self) -> &str {
        "virusscan"
    }

    async fn run(&self, cx: &Cx, content: &Incoming) -> Result<Done> {
        if self.max_size.is_some_and(|limit| content.size > limit) {
            return Ok(Outcome::Continue.into());
        }
        let found = timeout(self.timeout, self.scan(content.read()))
            .await
            .map_err(|_| Error::unavailable("the virus scanner takes too long"))??;
        let outcome = if found.is_some() { self.infected } else { Outcome::Continue };
        let scan = Scan { time: cx.now, found: found.unwrap_or_default() };
        Ok(Done { scan: Some(scan), ..outcome.into() })
    }
}

/// The name of the virus in `content`, none when it is clean.
async fn ask(
    mut clamd: impl AsyncRead + AsyncWrite + Unpin,
    mut content: Content,
) -> Result<Option<String>> {
    let mut sent = clamd.write_all(b"zINSTREAM\0").await;
    while let Some(piece) = content.next().await {
        let piece = piece?;
        let length = u32::try_from(piece.len())
            .map_err(|error| Error::internal("a piece is too long").because(error))?;
        if sent.is_ok() {
            sent = clamd.write_all(&length.to_be_bytes()).await;
        }
        if sent.is_ok() {
            sent = clamd.write_all(&piece).await;
        }
        // It may have seen enough; then it says so.
        if sent.is_err() {
            break;
        }
    }
    if sent.is_ok() {
        sent = clamd.write_all(&[0; 4]).await;
    }
    let mut answer = Vec::new();
    let read = clamd.take(ANSWER).read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    match verdict(answer.trim_end_matches(['\0', '\n'])) {
        Some(verdict) => verdict,
        None => {
            sent.and_then(|()| read.map(drop)).map_err(unreachable)?;
            Err(Error::unavailable("the virus scanner broke off"))
        }
    }
}

/// Reads an answer; none when it is not whole.
fn verdict(answer: &str) -> Option<Result<Option<String>>> {
    if answer == "stream: OK" {
        return Some(Ok(None));
    }
    if let Some(found) =
        answer.strip_prefix("stream: ").and_then(|text| text.strip_suffix(" FOUND"))
    {
        return Some(Ok(Some(found.to_owned())));
    }
    let text = answer.strip_suffix(" ERROR")?.to_owned();
    Some(Err(Error::unavailable("the virus scanner refused the content").with("answer", text)))
}

fn unreachable(error: std::io::Error) -> Error {
    Error::unavailable("the virus scanner cannot be reached").because(error)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// Answers like clamd; gives the content that it got.
    async fn clamd(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Vec<u8> {
        let mut command = [0; 10];
        stream.read_exact(&mut command).await.unwrap();
        assert_eq!(&command, b"zINSTREAM\0");
        let mut content = Vec::new();
        loop {
            let length = stream.read_u32().await.unwrap() as usize;
            if length == 0 {
                break;
            }
            let start = content.len();
            content.resize(start + length, 0);
            stream.read_exact(&mut content[start..]).await.unwrap();
        }
        let has_virus = content.windows(5).any(|part| part == b"virus");
        let answer: &[u8] = match has_virus {
            true => b"stream: Test.Virus FOUND\0",
            false => b"stream: OK\0",
        };
        stream.write_all(answer).await.unwrap();
        content
    }

    async fn talk(content: &'static [u8], size: usize) -> (Result<Option<String>>, Vec<u8>) {
        let (ours, theirs) = tokio::io::duplex(1000);
        let pieces = content.chunks(size).map(|piece| Ok(Bytes::from_static(piece)));
        tokio::join!(ask(ours, futures::stream::iter(pieces).boxed()), clamd(theirs))
    }

    #[tokio::test]
    async fn clamd_gets_every_byte_and_is_understood() {
        for size in [1, 3, 100] {
            let (verdict, got) = talk(b"all is well", size).await;
            assert_eq!((verdict.unwrap(), &got[..]), (None, &b"all is well"[..]));
            let (verdict, _) = talk(b"here is a virus", size).await;
            assert_eq!(verdict.unwrap().as_deref(), Some("Test.Virus"));
        }
    }

    #[tokio::test]
    async fn a_scanner_that_refuses_or_breaks_off_says_nothing_of_the_content() {
        for answer in ["INSTREAM size limit exceeded. ERROR\0", "stream: OK but", "", "stream: "] {
            let (ours, mut theirs) = tokio::io::duplex(64);
            let answered = async move {
                theirs.write_all(answer.as_bytes()).await.unwrap();
                drop(theirs);
            };
            let pieces = (0..100).map(|_| Ok(Bytes::from_static(b"content")));
            let asked = ask(ours, futures::stream::iter(pieces).boxed());
            let (verdict, ()) = tokio::join!(asked, answered);
            let kind = verdict.unwrap_err().kind();
            assert_eq!(kind, ocis_core::ErrorKind::Unavailable, "{answer}");
        }
    }

    #[test]
    fn sockets_are_read_as_ocis_reads_them() {
        let unix = Socket::Unix("/run/clamav/clamd.ctl".into());
        assert_eq!("/run/clamav/clamd.ctl".parse::<Socket>().unwrap(), unix);
        assert_eq!("unix:///run/clamav/clamd.ctl".parse::<Socket>().unwrap(), unix);
        let tcp = Socket::Tcp("127.0.0.1:3310".into());
        assert_eq!("tcp://127.0.0.1:3310".parse::<Socket>().unwrap(), tcp);
        for text in ["", "tcp://", "unix://", "http://127.0.0.1:1"] {
            assert!(text.parse::<Socket>().is_err(), "{text}");
        }
    }
}
