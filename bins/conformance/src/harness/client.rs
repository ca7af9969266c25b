//! A blocking HTTP/1.1 client of our own, so that a test sees exactly what goes over the wire.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::raw::{Wire, raw_connection};

const LIMIT: Duration = Duration::from_secs(60);

/// One user's connection to a server; kept open between requests as long as the server likes.
pub struct Client {
    address: SocketAddr,
    tls: bool,
    authorization: Option<String>,
    wire: Option<BufReader<Box<dyn Wire>>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client of {}", self.address)
    }
}

/// The value of `Authorization` (RFC 7617).
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names and values in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// All bytes, without the framing.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body as text, wrong bytes replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", self.text()))
    }

    /// Fails, showing the answer, unless the status is one of these.
    pub fn expect(self, statuses: &[u16]) -> Result<Self> {
        let mut text = self.text();
        text.truncate(text.char_indices().nth(2000).map_or(text.len(), |(end, _)| end));
        ensure!(
            statuses.contains(&self.status),
            "status {} instead of {statuses:?}: {text}",
            self.status
        );
        Ok(self)
    }
}

impl Client {
    /// Nobody in particular.
    pub fn anonymous(address: SocketAddr, tls: bool) -> Self {
        Self { address, tls, authorization: None, wire: None }
    }

    /// Basic authentication from now on.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.authorization = Some(basic(name, password));
        self
    }

    /// A bearer token from now on.
    pub fn bearer(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }

    /// GET.
    pub fn get(&mut self, path: &str) -> Result<Reply> {
        self.send("GET", path, &[], b"")
    }

    /// PUT of these bytes.
    pub fn put(&mut self, path: &str, body: &[u8]) -> Result<Reply> {
        self.send("PUT", path, &[], body)
    }

    /// PROPFIND of allprop with a depth.
    pub fn propfind(&mut self, path: &str, depth: &str) -> Result<Reply> {
        self.send("PROPFIND", path, &[("Depth", depth)], b"")
    }

    /// Sends a request whose path is already encoded, and reads the whole answer.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply> {
        let reused = self.wire.is_some();
        let mut kept = Vec::new();
        let first = self.stream(method, path, headers, &mut &*body, body.len() as u64, &mut kept);
        match first {
            // The server may close an idle connection at any time (RFC 9112 section 9.3.1).
            Err(error) if reused && error.is::<Hangup>() => {
                kept.clear();
                let (status, headers) =
                    self.stream(method, path, headers, &mut &*body, body.len() as u64, &mut kept)?;
                Ok(Reply { status, headers, body: kept })
            }
            other => other.map(|(status, headers)| Reply { status, headers, body: kept }),
        }
        .with_context(|| format!("{method} {path}"))
    }

    /// Sends `len` bytes out of `body` and writes the answer's body into `sink` as it comes.
    pub fn stream(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &mut dyn Read,
        len: u64,
        sink: &mut dyn Write,
    ) -> Result<(u16, Vec<(String, String)>)> {
        let outcome = self.try_stream(method, path, headers, (body, len), sink);
        if outcome.is_err() {
            self.wire = None;
        }
        let (status, answer, keep) = outcome?;
        if !keep {
            self.wire = None;
        }
        Ok((status, answer))
    }

    fn try_stream(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        (body, len): (&mut dyn Read, u64),
        sink: &mut dyn Write,
    ) -> Result<Answer> {
        let head = self.head(method, path, headers, len);
        let wire = match &mut self.wire {
            Some(wire) => wire,
            none => none.insert(BufReader::with_capacity(
                256 * 1024,
                raw_connection(self.address, self.tls, LIMIT)?,
            )),
        };
        send(wire.get_mut(), head.as_bytes(), body, len)?;
        receive(wire, method == "HEAD", sink)
    }

    fn head(&self, method: &str, path: &str, headers: &[(&str, &str)], len: u64) -> String {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        if let Some(authorization) = &self.authorization {
            head.push_str(&format!("Authorization: {authorization}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if len > 0 || method == "PUT" || method == "POST" {
            head.push_str(&format!("Content-Length: {len}\r\n"));
        }
        head.push_str("\r\n");
        head
    }
}

/// Status, headers, and whether the connection can be used again.
type Answer = (u16, Vec<(String, String)>, bool);

/// The server closed the connection before the answer began.
#[derive(Debug)]
struct Hangup;

impl std::fmt::Display for Hangup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the server closed the connection without an answer")
    }
}

impl std::error::Error for Hangup {}

/// A server that refuses early may stop reading; its answer is still to be read.
fn send(wire: &mut Box<dyn Wire>, head: &[u8], body: &mut dyn Read, len: u64) -> Result<()> {
    let mut buffer = vec![0; usize::try_from(len.clamp(1, 256 * 1024)).unwrap_or(1)];
    if wire.write_all(head).is_err() {
        return Ok(());
    }
    let mut left = len;
    while left > 0 {
        let count = body.read(&mut buffer).context("reading the body to send")?;
        ensure!(count > 0, "the body to send is too short by {left} bytes");
        if wire.write_all(&buffer[..count]).is_err() {
            return Ok(());
        }
        left -= count as u64;
    }
    let _ = wire.flush();
    Ok(())
}

fn receive(
    wire: &mut BufReader<Box<dyn Wire>>,
    head_only: bool,
    sink: &mut dyn Write,
) -> Result<Answer> {
    let (status, headers) = loop {
        let (status, headers) = head(wire)?;
        if status >= 200 {
            break (status, headers);
        }
    };
    let closes = find(&headers, "connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
    let chunked = find(&headers, "transfer-encoding").is_some_and(|v| v.contains("chunked"));
    let length = find(&headers, "content-length").map(str::parse::<u64>).transpose()?;
    if head_only || status == 204 || status == 304 {
        return Ok((status, headers, !closes));
    }
    match length {
        _ if chunked => {
            while let Some(count) = chunk_size(wire)? {
                copy(wire, count, sink)?;
                line(wire)?;
            }
        }
        Some(count) => copy(wire, count, sink)?,
        None => {
            std::io::copy(wire, sink)?;
            return Ok((status, headers, false));
        }
    }
    Ok((status, headers, !closes))
}

fn head(wire: &mut impl BufRead) -> Result<(u16, Vec<(String, String)>)> {
    let first = match line(wire) {
        Ok(text) if !text.is_empty() => text,
        Ok(_) | Err(_) => return Err(Hangup.into()),
    };
    let status = first.split(' ').nth(1).unwrap_or_default();
    let status = status.parse().with_context(|| format!("not a status line: {first}"))?;
    let mut headers = Vec::new();
    loop {
        let text = line(wire)?;
        if text.is_empty() {
            return Ok((status, headers));
        }
        let Some((name, value)) = text.split_once(':') else { bail!("not a header: {text}") };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

/// The next chunk's size; `None` after the last one, with the trailers read.
fn chunk_size(wire: &mut impl BufRead) -> Result<Option<u64>> {
    let text = line(wire)?;
    let digits = text.split(';').next().unwrap_or_default().trim();
    let size = u64::from_str_radix(digits, 16).with_context(|| format!("not a size: {text}"))?;
    if size > 0 {
        return Ok(Some(size));
    }
    while !line(wire)?.is_empty() {}
    Ok(None)
}

fn copy(wire: &mut impl BufRead, mut count: u64, sink: &mut dyn Write) -> Result<()> {
    while count > 0 {
        let ready = wire.fill_buf()?;
        ensure!(!ready.is_empty(), "the answer is too short by {count} bytes");
        let take = ready.len().min(usize::try_from(count).unwrap_or(usize::MAX));
        sink.write_all(&ready[..take])?;
        wire.consume(take);
        count -= take as u64;
    }
    Ok(())
}

fn line(wire: &mut impl BufRead) -> Result<String> {
    let mut bytes = Vec::new();
    wire.read_until(b'\n', &mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
