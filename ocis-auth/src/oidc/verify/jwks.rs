//! The keys with which a provider signs (RFC 7517).

use std::sync::Arc;

use http::{Request, StatusCode};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use ocis_core::time::Timestamp;
use ocis_core::{Cx, Result};
use parking_lot::RwLock;
use serde::Deserialize;

use super::discovery::{PAUSE, Provider, Turns};
use super::jwt::{Header, is_asymmetric};
use super::{Verifier, refused, unreachable};

/// How many keys of a provider are looked at.
const MAX_KEYS: usize = 64;

/// A key that can verify.
pub(super) struct Key {
    id: Option<String>,
    /// What it was made for; none when the provider does not say.
    algorithm: Option<Algorithm>,
    pub(super) key: DecodingKey,
}

impl Key {
    /// Reads a key; none when it is for something else (encryption, secrets shared by both sides),
    /// or of a kind that is not known here.
    fn of(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        if common.public_key_use.as_ref().is_some_and(|used| *used != PublicKeyUse::Signature) {
            return None;
        }
        let algorithm = match &common.key_algorithm {
            None => None,
            Some(named) => {
                Some(named.to_string().parse().ok().filter(|named| is_asymmetric(*named))?)
            }
        };
        let key = DecodingKey::from_jwk(jwk).ok()?;
        let shared = key.family() == jsonwebtoken::AlgorithmFamily::Hmac;
        (!shared).then(|| Self { id: common.key_id.clone(), algorithm, key })
    }

    /// Whether the key may verify what the header says: its id, if both have one, and the algorithm
    /// that it was made for. A public key as the secret of HS256 is no key at all.
    fn fits(&self, header: &Header) -> bool {
        let same_id = match (&header.kid, &self.id) {
            (Some(wanted), Some(id)) => wanted == id,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let algorithm = header.algorithm;
        same_id
            && self.algorithm.is_none_or(|made_for| made_for == algorithm)
            && self.key.family().algorithms().contains(&algorithm)
    }
}

/// As the provider sends them. A key that cannot be read must not hide the others.
#[derive(Deserialize)]
struct Sent {
    keys: Vec<serde_json::Value>,
}

#[derive(Default)]
struct State {
    keys: Arc<Vec<Arc<Key>>>,
    fetched: Option<Timestamp>,
    /// The last attempt, whether it succeeded or not.
    tried: Option<Timestamp>,
}

/// The provider's keys, fetched when the first token comes, when they are old, and (not too often)
/// when a token names one that is not known.
#[derive(Default)]
pub(super) struct Keys {
    state: RwLock<State>,
    turns: Turns,
}

impl Keys {
    /// The keys that may verify a token; at least one.
    pub(super) async fn for_token(
        &self,
        cx: &Cx,
        verifier: &Verifier,
        provider: &Provider,
        header: &Header,
    ) -> Result<Vec<Arc<Key>>> {
        if let Some(keys) = self.known(cx.now, verifier, header) {
            return found(keys);
        }
        let (_turn, attempted) = self.turns.wait().await;
        if let Some(keys) = self.known(cx.now, verifier, header) {
            return found(keys);
        }
        if attempted {
            let state = self.state.read();
            return match state.fetched {
                Some(_) => found(fitting(&state.keys, header)),
                None => Err(unreachable(&provider.jwks_uri).with("tried", "a moment ago")),
            };
        }
        let fetched = fetch(cx, verifier, &provider.jwks_uri).await;
        self.turns.made();
        let mut state = self.state.write();
        state.tried = Some(cx.now);
        match fetched {
            Ok(keys) => {
                state.keys = Arc::new(keys);
                state.fetched = Some(cx.now);
            }
            Err(error) if state.fetched.is_none() => return Err(error),
            Err(error) => {
                tracing::warn!(?error, "the keys of the OpenID provider stay as they were")
            }
        }
        found(fitting(&state.keys, header))
    }

    /// The answer, if it needs no fetching: then the list may be empty.
    fn known(&self, now: Timestamp, verifier: &Verifier, header: &Header) -> Option<Vec<Arc<Key>>> {
        let options = &verifier.options;
        let state = self.state.read();
        let fetched = state.fetched?;
        let tried = state.tried.unwrap_or(fetched);
        let keys = fitting(&state.keys, header);
        let wanted = match keys.is_empty() {
            true => options.refresh_unknown && now >= tried.plus(options.refresh_limit),
            false => now >= fetched.plus(options.refresh_interval) && now >= tried.plus(PAUSE),
        };
        (!wanted).then_some(keys)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("count", &self.state.read().keys.len()).finish_non_exhaustive()
    }
}

fn fitting(keys: &[Arc<Key>], header: &Header) -> Vec<Arc<Key>> {
    keys.iter().filter(|key| key.fits(header)).cloned().collect()
}

fn found(keys: Vec<Arc<Key>>) -> Result<Vec<Arc<Key>>> {
    match keys.is_empty() {
        true => Err(refused("no key of the provider fits")),
        false => Ok(keys),
    }
}

async fn fetch(cx: &Cx, verifier: &Verifier, url: &str) -> Result<Vec<Arc<Key>>> {
    let response = verifier.send(cx, Request::get(url)).await?;
    if response.status() != StatusCode::OK {
        return Err(unreachable(url).with("status", response.status()));
    }
    let sent: Sent =
        serde_json::from_slice(response.body()).map_err(|error| unreachable(url).because(error))?;
    let read = |key: serde_json::Value| serde_json::from_value::<Jwk>(key).ok();
    let keys = sent.keys.into_iter().take(MAX_KEYS).filter_map(read);
    Ok(keys.filter_map(|jwk| Key::of(&jwk)).map(Arc::new).collect())
}
