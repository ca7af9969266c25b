//! Signed URLs: a link that its maker signed with a key of the account, for programs that cannot
//! send credentials, such as a media player (`OC-Signature` and so on, as ownCloud's web client
//! makes them).
//!
//! A signature is PBKDF2 with 10,000 rounds over the URL, slow on purpose of whoever invented it.
//! So verifying waits for its turn (`crate::turns`), what was verified is remembered until the URL
//! or the key ends, and failures count on the same throttle as wrong passwords. An account that there is
//! not, and one that has no key, are refused after the same work (CVE-2023-49105: ownCloud 10 took
//! an empty key).

mod keys;
mod url;

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::{hmac, pbkdf2};
use ocis_core::config::Secret;
use ocis_core::id::UserId;
use ocis_core::port::{Authenticate, Credentials, FindUser, Users};
use ocis_core::time::Timestamp;
use ocis_core::user::User;
use ocis_core::{Cx, Error, ErrorKind, Identity, Result};

pub use self::keys::SigningKeys;
use self::keys::own_account;
use self::url::SignedUrl;
use crate::digest::{self, Digest};
use crate::identity;
use crate::throttle::{self, Throttle};
use crate::turns::Turns;

/// The rounds of PBKDF2 (`OC-Algo=PBKDF2/10000-SHA512`).
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);
/// The most verifications at once.
const MOST_AT_ONCE: usize = 2;
/// How many may wait for a turn.
const QUEUE: usize = 64;
/// How many verified URLs are remembered.
const REMEMBERED: u64 = 10_000;

/// Authenticates signed URLs.
pub struct SignedUrls {
    keys: Arc<SigningKeys>,
    users: Arc<dyn Users>,
    throttle: Arc<Throttle>,
    idp: Arc<str>,
    secret: hmac::Key,
    memory: moka::sync::Cache<Digest, Verified>,
    turns: Turns,
    /// The key that stands for those that there are not.
    decoy: Secret,
}

/// A URL whose signature was right.
#[derive(Clone)]
struct Verified {
    user: UserId,
    /// When the URL or the key that signed it ends, whatever comes first.
    until: Timestamp,
}

impl SignedUrls {
    /// Verifies with `keys` for accounts in `users`, which are those of the issuer `idp`. Failures
    /// are counted by `throttle`. [`ErrorKind::Internal`] when the system gives no random numbers.
    pub fn new(
        keys: Arc<SigningKeys>,
        users: Arc<dyn Users>,
        throttle: Arc<Throttle>,
        idp: impl Into<Arc<str>>,
    ) -> Result<Self> {
        Ok(Self {
            keys,
            users,
            throttle,
            idp: idp.into(),
            secret: digest::random_key()?,
            memory: moka::sync::Cache::new(REMEMBERED),
            turns: Turns::new(MOST_AT_ONCE, QUEUE),
            decoy: keys::random()?,
        })
    }

    async fn sign_in(
        &self,
        cx: &Cx,
        method: &str,
        url: &str,
        peer: Option<IpAddr>,
    ) -> Result<Arc<Identity>> {
        // Nothing of this depends on a secret, so it costs no attempt.
        let signed = SignedUrl::parse(url)
            .filter(|signed| signed.is_good(cx.now))
            .filter(|signed| signed.method.eq_ignore_ascii_case(method))
            .ok_or_else(refused)?;
        let own = own_account(cx);
        let digest = digest::of(&self.secret, [url.as_bytes()]);
        if let Some(verified) = self.memory.get(&digest)
            && cx.now < verified.until
        {
            let user = self.user(&own, FindUser::Id(verified.user)).await?;
            return user.map(|user| self.identity(user)).ok_or_else(refused);
        }
        let account = self.throttle.account(&signed.username);
        let peer = peer.map(throttle::network);
        self.throttle.begin(&account, &digest, peer, cx.now)?;
        let until = signed.until;
        match self.check(&own, signed).await {
            Ok(Some((user, end))) => {
                self.throttle.succeeded(&account, peer);
                let verified = Verified { user: user.id.clone(), until: until.min(end) };
                self.memory.insert(digest, verified);
                Ok(self.identity(user))
            }
            Ok(None) => {
                self.throttle.failed(peer, cx.now);
                tracing::info!(?peer, "signed URL refused");
                Err(refused())
            }
            Err(error) => {
                self.throttle.undo(&account, peer, cx.now);
                Err(error)
            }
        }
    }

    /// The account that signed, and when its key ends. Does the same work whether or not there are
    /// such an account and such a key.
    async fn check(&self, cx: &Cx, signed: SignedUrl) -> Result<Option<(User, Timestamp)>> {
        let user = self.user(cx, FindUser::Username(signed.username)).await?;
        let key = match &user {
            Some(user) => self.keys.of(cx, &user.id).await?,
            None => None,
        };
        let secret = key.as_ref().map_or(&self.decoy, |key| &key.key).clone();
        let (signature, texts) = (signed.signature, signed.texts);
        let work = move || Ok(is_signed(&texts, &secret, &signature));
        let right = self.turns.take(work).await?;
        let end = key.map(|key| self.keys.end(&key));
        Ok(user.zip(end).filter(|_| right))
    }

    /// An account that may sign in.
    async fn user(&self, cx: &Cx, which: FindUser) -> Result<Option<User>> {
        match self.users.find(cx, which).await {
            Ok(user) => Ok(Some(user).filter(|user| user.enabled)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn identity(&self, user: User) -> Arc<Identity> {
        Arc::new(identity::of(user, &self.idp))
    }
}

/// Whether `signature` is that of one of the texts, compared in constant time.
fn is_signed(texts: &[String], key: &Secret, signature: &[u8; 32]) -> bool {
    let (algorithm, salt) = (pbkdf2::PBKDF2_HMAC_SHA512, key.expose().as_bytes());
    texts
        .iter()
        .any(|text| pbkdf2::verify(algorithm, ROUNDS, salt, text.as_bytes(), signature).is_ok())
}

#[async_trait]
impl Authenticate for SignedUrls {
    async fn authenticate(&self, cx: &Cx, request: Credentials) -> Result<Arc<Identity>> {
        match request {
            Credentials::SignedUrl { method, url, peer } => {
                self.sign_in(cx, &method, &url, peer).await
            }
            _ => Err(Error::unimplemented("only signed URLs are understood here")),
        }
    }
}

impl fmt::Debug for SignedUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedUrls").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// The same whatever is wrong.
fn refused() -> Error {
    Error::unauthenticated("the signature of the URL is wrong, or the URL has expired")
}

#[cfg(test)]
mod tests;
