//! User name and password (HTTP basic authentication) as the port [`Authenticate`].
//!
//! Clients send the password with every request, and verifying one is slow on purpose. So what was
//! verified is remembered for some minutes (`remembered`), identical sign-ins that come at once
//! are verified once (`flight`), and who fails too often has to wait ([`crate::throttle`]). What was
//! remembered is forgotten at once when the directory says that the account changed.

mod remembered;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use ocis_core::port::{Authenticate, Credentials};
use ocis_core::time::Timestamp;
use ocis_core::{Cx, Error, Identity, Result};
use zeroize::Zeroizing;

use crate::digest::{self, Digest};
use crate::flight::Flights;
use crate::identity;
use crate::passwords::Passwords;
use crate::throttle::{self, Throttle};
use remembered::{Memory, Remembered};

/// How [`Basic`] behaves.
#[derive(Debug, Clone)]
pub struct BasicOptions {
    /// The issuer named in identities: `OCIS_URL`.
    pub idp: Arc<str>,
    /// How long a verified password is remembered.
    pub remember: Duration,
    /// How many verified passwords are remembered.
    pub capacity: u64,
    /// Counts failures; none for a throttle of its own with the default limits.
    pub throttle: Option<Arc<Throttle>>,
}

impl BasicOptions {
    /// The defaults: remembered for 5 minutes, a throttle of its own.
    pub fn new(idp: impl Into<Arc<str>>) -> Self {
        let remember = Duration::from_secs(300);
        Self { idp: idp.into(), remember, capacity: 10_000, throttle: None }
    }
}

/// Authenticates user names with passwords.
pub struct Basic {
    passwords: Arc<dyn Passwords>,
    idp: Arc<str>,
    secret: hmac::Key,
    memory: Memory,
    flights: Flights<Digest, Option<Arc<Identity>>>,
    throttle: Arc<Throttle>,
}

impl Basic {
    /// Authenticates against `passwords`. [`ocis_core::ErrorKind::Internal`] when the system gives
    /// no random numbers.
    pub fn new(passwords: Arc<dyn Passwords>, options: BasicOptions) -> Result<Self> {
        let throttle = match options.throttle {
            Some(throttle) => throttle,
            None => Arc::new(Throttle::new(throttle::Limits::default())?),
        };
        Ok(Self {
            passwords,
            idp: options.idp,
            secret: digest::random_key()?,
            memory: Memory::new(options.capacity, options.remember),
            flights: Flights::default(),
            throttle,
        })
    }

    async fn basic(
        &self,
        now: Timestamp,
        username: &str,
        password: &str,
        peer: Option<IpAddr>,
    ) -> Result<Arc<Identity>> {
        // Some directories take an empty password for a request to sign in anonymously.
        if username.is_empty() || password.is_empty() {
            return Err(refused());
        }
        let peer = peer.map(throttle::network);
        let key = self.digest(username, password, peer);
        let revision = self.passwords.revision(username);
        let account = || self.throttle.account(username);
        let known = match self.memory.get(&key, revision, now) {
            Remembered::Unknown => false,
            _ if !self.throttle.trusts(account, peer, now) => false,
            Remembered::Fresh(identity) => return Ok(identity),
            Remembered::Stale => true,
        };
        let check = async {
            let attempt = Attempt { username, password, peer, known };
            self.check(now, &attempt, revision, key).await
        };
        self.flights.join(key, check).await?.ok_or_else(refused)
    }

    /// Verifies a password for all who presented it at the same time.
    async fn check(
        &self,
        now: Timestamp,
        attempt: &Attempt<'_>,
        revision: u64,
        key: Digest,
    ) -> Result<Option<Arc<Identity>>> {
        let account = self.throttle.account(attempt.username);
        // Whoever presents what was right a while ago is no guesser, and is not made to wait for
        // the failures of others behind the same address.
        if !attempt.known {
            self.throttle.begin(&account, &key, attempt.peer, now)?;
        }
        match self.passwords.check(attempt.username, attempt.password).await {
            Ok(Some(user)) => {
                self.throttle.succeeded(&account, attempt.peer);
                let identity = Arc::new(identity::of(user, &self.idp));
                self.memory.insert(key, Arc::clone(&identity), revision, now);
                Ok(Some(identity))
            }
            Ok(None) => {
                self.memory.forget(&key);
                if !attempt.known {
                    self.throttle.failed(attempt.peer, now);
                }
                tracing::info!(user = attempt.username, peer = ?attempt.peer, "sign-in refused");
                Ok(None)
            }
            Err(error) => {
                if !attempt.known {
                    self.throttle.undo(&account, attempt.peer, now);
                }
                Err(error)
            }
        }
    }

    /// What is remembered holds only for the address that it was verified for, so that a guesser
    /// elsewhere cannot profit from it.
    fn digest(&self, username: &str, password: &str, peer: Option<IpAddr>) -> Digest {
        let peer = throttle::bits(peer).to_le_bytes();
        digest::of(&self.secret, [&peer, username.as_bytes(), password.as_bytes()])
    }
}

struct Attempt<'a> {
    username: &'a str,
    password: &'a str,
    peer: Option<IpAddr>,
    /// Whether exactly this was right before.
    known: bool,
}

#[async_trait]
impl Authenticate for Basic {
    async fn authenticate(&self, cx: &Cx, request: Credentials) -> Result<Arc<Identity>> {
        match request {
            Credentials::Basic { username, password, peer } => {
                let password = Zeroizing::new(password);
                self.basic(cx.now, &username, &password, peer).await
            }
            _ => Err(Error::unimplemented("only user name and password are understood here")),
        }
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic")
            .field("passwords", &self.passwords)
            .field("idp", &self.idp)
            .finish_non_exhaustive()
    }
}

/// The same for a wrong password, an unknown account and a disabled one.
fn refused() -> Error {
    Error::unauthenticated("user name or password is wrong")
}

#[cfg(test)]
mod tests;
