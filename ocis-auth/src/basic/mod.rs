//! User name and password (HTTP basic authentication) as the port [`Authenticate`].
//!
//! Clients send the password with every request, and verifying one is slow on purpose. So what was
//! verified is remembered for some minutes (`remembered`), identical sign-ins that come at once
//! are verified once (`flight`), and who fails too often has to wait (`throttle`). What was
//! remembered is forgotten at once when the directory says that the account changed.

mod remembered;
mod throttle;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use ocis_core::port::{Authenticate, Credentials};
use ocis_core::time::Timestamp;
use ocis_core::user::User;
use ocis_core::{Cx, Error, Identity, Result};
use zeroize::Zeroizing;

use crate::flight::Flights;
use crate::passwords::Passwords;
use remembered::{Memory, Remembered};
use throttle::Throttle;

pub use throttle::Limit;

/// How [`Basic`] behaves.
#[derive(Debug, Clone)]
pub struct BasicOptions {
    /// The issuer named in identities: `OCIS_URL`.
    pub idp: Arc<str>,
    /// How long a verified password is remembered.
    pub remember: Duration,
    /// How many verified passwords are remembered.
    pub capacity: u64,
    /// The failures of one account from one address.
    pub per_account: Limit,
    /// The failures from one address, whatever the account.
    pub per_peer: Limit,
    /// How many addresses and accounts failures are counted for; beyond it the smallest counts are
    /// forgotten.
    pub counters: usize,
}

impl BasicOptions {
    /// The defaults: remembered for 5 minutes; after 5 failures of an account, or 50 of an address,
    /// a wait that begins with a second and doubles up to a minute.
    pub fn new(idp: impl Into<Arc<str>>) -> Self {
        let second = Duration::from_secs(1);
        Self {
            idp: idp.into(),
            remember: 300 * second,
            capacity: 10_000,
            per_account: Limit { free: 5, forgiven: 60 * second, first: second, most: 60 * second },
            per_peer: Limit { free: 50, forgiven: 6 * second, first: second, most: 60 * second },
            counters: 20_000,
        }
    }
}

/// The key under which credentials are remembered: a keyed hash that nobody without this process's
/// memory can compute, so that a remembered password cannot be guessed offline.
type Digest = [u8; 32];

/// Authenticates user names with passwords.
pub struct Basic {
    passwords: Arc<dyn Passwords>,
    idp: Arc<str>,
    secret: hmac::Key,
    memory: Memory,
    flights: Flights<Digest, Option<Arc<Identity>>>,
    throttle: Throttle,
}

impl Basic {
    /// Authenticates against `passwords`. [`ocis_core::ErrorKind::Internal`] when the system gives
    /// no random numbers.
    pub fn new(passwords: Arc<dyn Passwords>, options: BasicOptions) -> Result<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret).map_err(|error| {
            Error::internal("the system gives no random numbers").because(error)
        })?;
        Ok(Self {
            passwords,
            idp: options.idp,
            secret: hmac::Key::new(hmac::HMAC_SHA256, &*secret),
            memory: Memory::new(options.capacity, options.remember),
            flights: Flights::default(),
            throttle: Throttle::new(options.per_account, options.per_peer, options.counters),
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
        let account = || self.account(username);
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
        let account = self.account(attempt.username);
        // Whoever presents what was right a while ago is no guesser, and is not made to wait for
        // the failures of others behind the same address.
        if !attempt.known {
            self.throttle.begin(&account, &key, attempt.peer, now)?;
        }
        match self.passwords.check(attempt.username, attempt.password).await {
            Ok(Some(user)) => {
                self.throttle.succeeded(&account, attempt.peer);
                let identity = Arc::new(self.identity(user));
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

    fn identity(&self, user: User) -> Identity {
        Identity {
            id: user.id,
            idp: Arc::clone(&self.idp),
            username: user.username,
            display_name: user.display_name,
            mail: user.mail,
            groups: user.groups,
            role: user.role,
            scope: ocis_core::scope::Scope::Everything,
        }
    }

    /// What is remembered holds only for the address that it was verified for, so that a guesser
    /// elsewhere cannot profit from it.
    fn digest(&self, username: &str, password: &str, peer: Option<IpAddr>) -> Digest {
        let peer = peer.map_or(0, |peer| match peer {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits(),
        });
        let mut context = hmac::Context::with_key(&self.secret);
        context.update(&peer.to_le_bytes());
        // The length keeps `a` + `bc` and `ab` + `c` apart.
        context.update(&username.len().to_le_bytes());
        context.update(username.as_bytes());
        context.update(password.as_bytes());
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }

    /// What failures are counted under: no name is kept, however long.
    fn account(&self, username: &str) -> Digest {
        self.digest(&username.to_lowercase(), "", None)
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
