//! Bearer tokens of an OpenID provider as the port [`Authenticate`].
//!
//! A token is verified once and then remembered until it expires, by a keyed hash of all of it; the
//! account behind it is looked at again every second, so that one that was disabled is out soon.
//! Identical tokens that come at once are verified once. While the provider cannot be asked, what is
//! remembered goes on to be good.

mod account;
mod ended;
mod provision;
mod remembered;
mod role;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use ocis_core::port::{Authenticate, Credentials, KeyValue};
use ocis_core::{Cx, Error, ErrorKind, Identity, Result};
use zeroize::Zeroizing;

pub use self::account::{AccountKey, Accounts, Mapping};
pub use self::provision::{AutoProvision, ProvisionClaims};
pub use self::role::{RoleFromClaims, RoleMapping};

use self::ended::Ended;
use self::remembered::{Memory, Remembered};
use super::verify::{LogoutToken, Verified, Verifier};
use crate::flight::Flights;

/// What a token is remembered by: a keyed hash that nobody without this process's memory can
/// compute.
type Digest = [u8; 32];

/// How [`Bearer`] behaves.
#[derive(Debug, Clone)]
pub struct BearerOptions {
    /// How long a token is remembered that does not say when it expires, and one that only the
    /// provider can judge.
    pub remember: Duration,
    /// How many tokens are remembered.
    pub capacity: u64,
    /// How long an account is believed to be as it was.
    pub account: Duration,
    /// How long a token that was refused is refused without being looked at again.
    pub refuse: Duration,
}

impl Default for BearerOptions {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self { remember: 10 * second, capacity: 100_000, account: second, refuse: 5 * second }
    }
}

/// Authenticates bearer tokens.
pub struct Bearer {
    verifier: Verifier,
    accounts: Accounts,
    secret: hmac::Key,
    memory: Memory,
    flights: Flights<Digest, Arc<Identity>>,
    ended: Ended,
    options: BearerOptions,
}

impl Bearer {
    /// Authenticates with tokens that `verifier` accepts, as the accounts that `accounts` finds.
    /// [`ErrorKind::Internal`] when the system gives no random numbers.
    pub fn new(verifier: Verifier, accounts: Accounts, options: BearerOptions) -> Result<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret).map_err(|error| {
            Error::internal("the system gives no random numbers").because(error)
        })?;
        Ok(Self {
            verifier,
            accounts,
            secret: hmac::Key::new(hmac::HMAC_SHA256, &*secret),
            memory: Memory::new(&options),
            flights: Flights::default(),
            ended: Ended::default(),
            options,
        })
    }

    /// Remembers in `documents` which sessions the provider ended; without this, until the process
    /// ends.
    #[must_use]
    pub fn remembering_in(mut self, documents: Arc<dyn KeyValue>) -> Self {
        self.ended = Ended::kept_in(documents);
        self
    }

    /// The verifier of the tokens.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Ends the sessions that a logout token of the provider names: their tokens are refused from
    /// now on, also after a restart. Doing it again with the same token changes nothing. Errors as
    /// those of [`Verifier::logout_token`], and [`ErrorKind::Unavailable`] when it cannot be made
    /// durable.
    pub async fn log_out(&self, cx: &Cx, token: &str) -> Result<LogoutToken> {
        let ended = self.verifier.logout_token(cx, token).await?;
        self.ended.end(cx, &ended).await?;
        tracing::info!(subject = ended.subject, "session ended by the OpenID provider");
        Ok(ended)
    }

    async fn bearer(&self, cx: &Cx, token: &str) -> Result<Arc<Identity>> {
        let mut key = [0; 32];
        key.copy_from_slice(hmac::sign(&self.secret, token.as_bytes()).as_ref());
        let remembered = self.memory.get(&key, cx.now);
        match &remembered {
            Remembered::Refused => return Err(refused()),
            Remembered::Known(known) if self.ended.covers(&known.session) => {
                self.memory.forget(&key);
            }
            Remembered::Known(known) => {
                if let Some(identity) = known.fresh(cx.now, self.options.account) {
                    return Ok(identity);
                }
                return self.again(cx, key, Arc::clone(known)).await;
            }
            Remembered::Unknown => {}
        }
        self.flights.join(key, self.first(cx, key, token)).await
    }

    /// A token that is not remembered.
    async fn first(&self, cx: &Cx, key: Digest, token: &str) -> Result<Arc<Identity>> {
        self.ended.load(cx).await?;
        let verified = match self.verifier.access_token(cx, token).await {
            Err(error) if error.kind() == ErrorKind::Unauthenticated => {
                self.memory.refuse(key, cx.now);
                tracing::info!(%error, "bearer token refused");
                return Err(refused());
            }
            verified => verified?,
        };
        let session = ended::Session::of(&verified, cx.now);
        if self.ended.covers(&session) {
            return Err(refused());
        }
        let Verified { claims, expires, is_signed } = verified;
        let identity = self.accounts.signed_in(cx, &claims).await?;
        // What only the provider can judge is judged by it again soon.
        let until = match expires {
            Some(expires) if is_signed => expires,
            _ => cx.now.plus(self.options.remember),
        };
        self.memory.insert(key, claims, session, Arc::clone(&identity), until, cx.now);
        Ok(identity)
    }

    /// A token that is remembered, whose account was not looked at for a moment.
    async fn again(
        &self,
        cx: &Cx,
        key: Digest,
        known: Arc<remembered::Known>,
    ) -> Result<Arc<Identity>> {
        match self.accounts.find(cx, &known.claims).await {
            Ok(identity) => Ok(known.renew(identity, cx.now)),
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                // The directory is away for a moment: what is known goes on, but not for ever.
                known.fresh(cx.now, self.options.remember).ok_or(error)
            }
            Err(error) => {
                self.memory.forget(&key);
                Err(error)
            }
        }
    }
}

#[async_trait]
impl Authenticate for Bearer {
    async fn authenticate(&self, cx: &Cx, request: Credentials) -> Result<Arc<Identity>> {
        match request {
            Credentials::Bearer { token } => self.bearer(cx, token.expose()).await,
            _ => Err(Error::unimplemented("only bearer tokens are understood here")),
        }
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer")
            .field("verifier", &self.verifier)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// The same whatever is wrong with a token.
fn refused() -> Error {
    Error::unauthenticated("the token is not valid")
}
