//! The keys with which accounts sign URLs: one for each account, made when the account asks for it,
//! kept in a document, good for some hours.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ocis_core::checksum::hex;
use ocis_core::config::Secret;
use ocis_core::id::UserId;
use ocis_core::port::{
    DocumentCondition, DocumentKey, KeyValue, OwnSigningKey, PutDocument, SigningKey,
    SigningKeys as Port,
};
use ocis_core::time::Timestamp;
use ocis_core::{Caller, Cx, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The namespace of the documents; oCIS keeps these keys in a cache.
const SPACE: &str = "signing-keys";
/// The random bytes of a key, as in oCIS.
const KEY_BYTES: usize = 64;
/// How often a key is made again when somebody else made one meanwhile.
const TRIES: usize = 3;
/// How many keys are remembered.
const REMEMBERED: u64 = 10_000;

/// A key as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) key: Secret,
    made: Timestamp,
}

/// The keys of all accounts. Makes them (the port [`Port`]), and knows them for
/// [`super::SignedUrls`].
pub struct SigningKeys {
    store: Arc<dyn KeyValue>,
    life: Duration,
    known: moka::sync::Cache<UserId, Arc<Kept>>,
}

impl SigningKeys {
    /// Keys in `store` that are good for `life` (`OCS_PRESIGNEDURL_SIGNING_KEYS_STORE_TTL`).
    pub fn new(store: Arc<dyn KeyValue>, life: Duration) -> Self {
        Self { store, life, known: moka::sync::Cache::new(REMEMBERED) }
    }

    /// When a key is good no longer.
    pub(super) fn end(&self, key: &Kept) -> Timestamp {
        key.made.plus(self.life)
    }

    /// The key of an account, if it has one that is good.
    pub(super) async fn of(&self, cx: &Cx, user: &UserId) -> Result<Option<Arc<Kept>>> {
        let kept = match self.known.get(user) {
            Some(kept) => Some(kept),
            None => self.read(cx, user).await?.0,
        };
        Ok(kept.filter(|kept| self.is_good(kept, cx.now)))
    }

    /// Anybody could sign with an empty key.
    fn is_good(&self, kept: &Kept, now: Timestamp) -> bool {
        now < self.end(kept) && !kept.key.is_empty()
    }

    async fn read(&self, cx: &Cx, user: &UserId) -> Result<(Option<Arc<Kept>>, DocumentCondition)> {
        let Some(document) = self.store.get(&own_account(cx), place(user)).await? else {
            return Ok((None, DocumentCondition::Absent));
        };
        let kept: Kept = serde_json::from_slice(&document.content)
            .map_err(|error| Error::internal("a signing key is broken").because(error))?;
        let kept = Arc::new(kept);
        self.known.insert(user.clone(), Arc::clone(&kept));
        Ok((Some(kept), DocumentCondition::Is(document.etag)))
    }

    async fn own_or_new(&self, cx: &Cx, user: &UserId) -> Result<Secret> {
        if let Some(kept) = self.of(cx, user).await? {
            return Ok(kept.key.clone());
        }
        for _ in 0..TRIES {
            let (kept, condition) = self.read(cx, user).await?;
            if let Some(kept) = kept.filter(|kept| self.is_good(kept, cx.now)) {
                return Ok(kept.key.clone());
            }
            let kept = Kept { key: random()?, made: cx.now };
            let content = serde_json::to_vec(&kept)
                .map_err(|error| Error::internal("a key cannot be written").because(error))?;
            let request = PutDocument { key: place(user), content, condition };
            match self.store.put(&own_account(cx), request).await {
                Ok(_) => {
                    let key = kept.key.clone();
                    self.known.insert(user.clone(), Arc::new(kept));
                    return Ok(key);
                }
                Err(error) if error.kind() == ErrorKind::PreconditionFailed => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::unavailable("the signing key is being made by others, try again"))
    }
}

#[async_trait]
impl Port for SigningKeys {
    async fn own(&self, cx: &Cx, _: OwnSigningKey) -> Result<SigningKey> {
        let user = cx.caller.identity()?.id.clone();
        let key = self.own_or_new(cx, &user).await?;
        Ok(SigningKey { user, key })
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("life", &self.life).finish_non_exhaustive()
    }
}

/// A key in the form of oCIS: hexadecimal, and that text is what signs.
pub(super) fn random() -> Result<Secret> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut *bytes)
        .map_err(|error| Error::internal("the system gives no random numbers").because(error))?;
    Ok(Secret::new(hex(&*bytes)))
}

pub(super) fn place(user: &UserId) -> DocumentKey {
    DocumentKey { space: SPACE.into(), path: format!("{user}.json") }
}

/// This part of the server asks on its own account, for somebody.
pub(super) fn own_account(cx: &Cx) -> Cx {
    Cx { caller: Caller::Service("ocs".into()), ..cx.clone() }
}
