//! The listener of LDAP over TLS: accepts within limits and hands each connection to the directory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ocis_auth::directory::ldap::LdapServer;
use ocis_core::{Error, Result};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use crate::http::back_off;
use crate::service::Stop;

/// Connections at a time; more wait in the system's queue. Parts of a server keep a few open each.
const CONNECTIONS: usize = 256;
/// Until a TLS handshake is done.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// From being asked to stop to cutting what is still under way.
const GRACE: Duration = Duration::from_secs(5);

/// Serves `server` on `socket` until `stop`.
pub(crate) async fn serve(
    socket: TcpListener,
    tls: &ServerConfig,
    server: Arc<LdapServer>,
    stop: Stop,
) -> Result<()> {
    let mut tls = tls.clone();
    // There is one protocol on this port, whatever name a client has for it.
    tls.alpn_protocols.clear();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let closed = |error| Error::internal("the listener of LDAP is lost").because(error);
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let slot = Arc::clone(&slots).acquire_owned();
        let slot = tokio::select! {
            () = stop.cancelled() => break,
            slot = slot => slot.map_err(closed)?,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = socket.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                back_off(&error).await;
                continue;
            }
        };
        let connection = one(stream, peer, acceptor.clone(), Arc::clone(&server), stop.clone());
        connections.spawn(async move {
            connection.await;
            drop(slot);
        });
    }
    drop(socket);
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, drained).await.is_err() {
        connections.shutdown().await;
    }
    Ok(())
}

async fn one(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    server: Arc<LdapServer>,
    stop: Stop,
) {
    // Small answers must not wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => server.serve(stream, Some(peer.ip()), stop).await,
        Ok(Err(error)) => debug!(%error, %peer, "no TLS with an LDAP client"),
        Err(_) => debug!(%peer, "an LDAP client took too long for TLS"),
    }
}
