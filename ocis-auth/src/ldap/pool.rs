//! Connections: opened when they are needed, kept for the next request, and never more than so
//! many.
//!
//! A connection is used by one request at a time. It comes back only when its request ended as it
//! should; a request that is given up takes it along, so that nobody reads an answer that was meant
//! for somebody else.

use std::fmt;
use std::sync::Arc;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError};
use ocis_core::{Error, Result};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::fault;
use super::options::{LdapOptions, STARTTLS};
use super::tls;

/// Whose rights the requests on a connection have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignedIn {
    /// The account of the settings.
    AsService,
    /// Nobody yet: the connection is there to find out whether a password is right.
    ByRequest,
}

/// The connections to the first server that answers.
pub(super) struct Pool {
    options: Arc<LdapOptions>,
    signed_in: SignedIn,
    places: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

struct Connection {
    ldap: Ldap,
    /// Moves messages between `ldap` and the socket. Not a job of the supervisor: it is part of
    /// the connection and ends with it.
    driver: JoinHandle<()>,
    opened: Instant,
    used: Instant,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A connection in use.
pub(super) struct Lease<'a> {
    pool: &'a Pool,
    connection: Connection,
    /// Whether requests were made on it before, so that the server may have closed it since.
    pub(super) is_reused: bool,
    _place: SemaphorePermit<'a>,
}

impl Pool {
    pub(super) fn new(options: Arc<LdapOptions>, signed_in: SignedIn) -> Self {
        let places = Semaphore::new(options.limits.connections.max(1));
        Self { options, signed_in, places, idle: Mutex::default() }
    }

    /// A connection. [`ocis_core::ErrorKind::Unavailable`] when no server answers in time, or all
    /// connections stay in use.
    pub(super) async fn take(&self) -> Result<Lease<'_>> {
        let place = timeout(self.options.limits.operation, self.places.acquire())
            .await
            .map_err(|_| Error::unavailable("too many requests wait for the user directory"))?
            .map_err(|_| Error::unavailable("the server is stopping"))?;
        let (connection, is_reused) = match self.kept() {
            Some(connection) => (connection, true),
            None => (self.open().await?, false),
        };
        Ok(Lease { pool: self, connection, is_reused, _place: place })
    }

    /// The connection that was used last, so that those which are not needed grow old.
    fn kept(&self) -> Option<Connection> {
        let limits = &self.options.limits;
        let mut idle = self.idle.lock();
        idle.retain(|connection| {
            connection.used.elapsed() < limits.idle
                && connection.opened.elapsed() < limits.lifetime
                && !connection.driver.is_finished()
        });
        idle.pop()
    }

    async fn open(&self) -> Result<Connection> {
        let mut failed = None;
        for server in &self.options.servers {
            let opened = timeout(self.options.limits.connect, self.open_at(server)).await;
            let late = || Error::unavailable("the user directory does not answer");
            match opened.unwrap_or_else(|_| Err(late())) {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    tracing::debug!(%server, %error, "no connection to the directory");
                    failed = Some(error.with("server", server));
                }
            }
        }
        Err(failed.unwrap_or_else(|| Error::unavailable("there is no user directory")))
    }

    async fn open_at(&self, server: &str) -> Result<Connection> {
        let plain = server.strip_prefix(STARTTLS).map(|host| format!("ldap://{host}"));
        let settings = LdapConnSettings::new().set_starttls(plain.is_some());
        let is_secure = plain.is_some() || server.starts_with("ldaps:");
        let server = plain.as_deref().unwrap_or(server);
        let settings = match (is_secure, self.options.insecure) {
            (false, _) => settings,
            (true, true) => settings.set_no_tls_verify(true),
            (true, false) => {
                let options = Arc::clone(&self.options);
                let config =
                    tokio::task::spawn_blocking(move || tls::trusting(options.ca_cert.as_deref()))
                        .await
                        .map_err(|error| Error::internal("TLS cannot be used").because(error))??;
                settings.set_config(config)
            }
        };
        let (driver, mut ldap) =
            LdapConnAsync::with_settings(settings, server).await.map_err(fault::no_connection)?;
        let driver = tokio::spawn(async move {
            if let Err(error) = driver.drive().await {
                tracing::debug!(%error, "a connection to the directory ended");
            }
        });
        let now = Instant::now();
        let (dn, password) = (&self.options.bind_dn, self.options.bind_password.expose());
        // The connection owns the driver from here on, so that it ends also when this is given up.
        let handle = ldap.clone();
        let connection = Connection { ldap: handle, driver, opened: now, used: now };
        if self.signed_in == SignedIn::AsService && !dn.is_empty() {
            let answer = ldap.simple_bind(dn, password).await.map_err(fault::no_connection)?;
            answer.success().map_err(not_our_account)?;
        }
        Ok(connection)
    }
}

fn not_our_account(error: LdapError) -> Error {
    Error::unavailable("the user directory does not accept the account that this server uses")
        .because(error)
}

impl Lease<'_> {
    pub(super) fn ldap(&mut self) -> &mut Ldap {
        &mut self.connection.ldap
    }

    /// Keeps the connection for the next request.
    pub(super) fn give_back(mut self) {
        self.connection.used = Instant::now();
        self.pool.idle.lock().push(self.connection);
    }

    /// Puts a new connection in the place of one that the server has closed, as it then has the
    /// others.
    pub(super) async fn renew(&mut self) -> Result<()> {
        self.pool.idle.lock().clear();
        self.connection = self.pool.open().await?;
        self.is_reused = false;
        Ok(())
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("signed_in", &self.signed_in)
            .field("idle", &self.idle.lock().len())
            .finish_non_exhaustive()
    }
}
