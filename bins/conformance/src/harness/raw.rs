//! Bytes on a socket, for what no well-behaved client would send.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::tls::trusting;

/// A plain or encrypted connection.
pub trait Wire: Read + Write + Send {
    /// The socket below, to set time limits or to close half of it.
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Wire for StreamOwned<ClientConnection, TcpStream> {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }
}

/// Opens a connection; reads and writes on it fail after `limit` without progress.
pub fn raw_connection(address: SocketAddr, tls: bool, limit: Duration) -> Result<Box<dyn Wire>> {
    let socket = TcpStream::connect_timeout(&address, limit)
        .with_context(|| format!("connecting to {address}"))?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(limit))?;
    socket.set_write_timeout(Some(limit))?;
    if !tls {
        return Ok(Box::new(socket));
    }
    let name = ServerName::try_from("localhost")?;
    let session = ClientConnection::new(trusting(), name)?;
    Ok(Box::new(StreamOwned::new(session, socket)))
}

/// Sends `bytes` (a server may hang up half-way) and reads until it closes, or is silent for
/// `limit`. Returns what it answered and how long it took to the last byte.
pub fn exchange(
    address: SocketAddr,
    tls: bool,
    bytes: &[u8],
    limit: Duration,
) -> Result<(Vec<u8>, Duration)> {
    let mut wire = raw_connection(address, tls, limit)?;
    let start = Instant::now();
    for piece in bytes.chunks(64 * 1024) {
        if wire.write_all(piece).is_err() {
            break;
        }
    }
    let _ = wire.flush();
    let mut answer = Vec::new();
    let mut last = start.elapsed();
    let mut buffer = [0; 16 * 1024];
    loop {
        match wire.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                answer.extend_from_slice(&buffer[..count]);
                last = start.elapsed();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    Ok((answer, last))
}
