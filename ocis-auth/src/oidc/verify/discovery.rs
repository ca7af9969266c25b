//! What a provider says about itself (OpenID Connect Discovery 1.0 section 4).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use ocis_core::time::Timestamp;
use ocis_core::{Cx, Error, Result};
use parking_lot::RwLock;
use serde::Deserialize;

use super::{Verifier, unreachable};

/// How long a provider that could not be asked is left alone, so that requests do not queue up for
/// it one time-out after the other.
pub(super) const PAUSE: Duration = Duration::from_secs(2);

/// The parts of the document that are of use here.
#[derive(Debug, Deserialize)]
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) jwks_uri: String,
    pub(super) userinfo_endpoint: Option<String>,
    /// AD FS signs access tokens under a name of their own (MS-OIDCE section 2.2.3.2).
    access_token_issuer: Option<String>,
    #[serde(skip)]
    pub(super) raw: Bytes,
}

impl Provider {
    pub(super) fn access_token_issuer(&self) -> &str {
        match self.access_token_issuer.as_deref() {
            None | Some("") => &self.issuer,
            Some(issuer) => issuer,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    provider: Option<(Arc<Provider>, Timestamp)>,
    failed: Option<Timestamp>,
}

/// The provider's document, fetched when it is first needed and again when it is old. While it
/// cannot be fetched again, the old one counts.
#[derive(Debug, Default)]
pub(super) struct Discovery {
    state: RwLock<State>,
    turns: Turns,
}

/// Who fetches: one at a time, and who waited for another's attempt makes none of their own. A
/// provider that does not answer would else hold up everybody one time-out after the other.
#[derive(Debug, Default)]
pub(super) struct Turns {
    attempts: AtomicU64,
    fetching: tokio::sync::Mutex<()>,
}

impl Turns {
    /// Waits for the turn; whether somebody else made an attempt meanwhile.
    pub(super) async fn wait(&self) -> (tokio::sync::MutexGuard<'_, ()>, bool) {
        let before = self.attempts.load(Ordering::Acquire);
        let turn = self.fetching.lock().await;
        (turn, self.attempts.load(Ordering::Acquire) != before)
    }

    /// An attempt was made.
    pub(super) fn made(&self) {
        self.attempts.fetch_add(1, Ordering::AcqRel);
    }
}

impl Discovery {
    pub(super) async fn get(&self, cx: &Cx, verifier: &Verifier) -> Result<Arc<Provider>> {
        let interval = verifier.options.refresh_interval;
        if let Some(provider) = self.fresh(cx.now, interval) {
            return Ok(provider);
        }
        let (_turn, attempted) = self.turns.wait().await;
        if let Some(provider) = self.fresh(cx.now, interval) {
            return Ok(provider);
        }
        let failed = self.state.read().failed;
        if attempted || failed.is_some_and(|failed| failed <= cx.now && cx.now < failed.plus(PAUSE))
        {
            let known = self.state.read().provider.as_ref().map(|(known, _)| Arc::clone(known));
            return known.ok_or_else(|| {
                unreachable(&verifier.options.issuer).with("tried", "a moment ago")
            });
        }
        let fetched = fetch(cx, verifier).await;
        self.turns.made();
        match fetched {
            Ok(provider) => {
                let provider = Arc::new(provider);
                let mut state = self.state.write();
                state.provider = Some((Arc::clone(&provider), cx.now));
                state.failed = None;
                Ok(provider)
            }
            Err(error) => {
                let mut state = self.state.write();
                state.failed = Some(cx.now);
                match &state.provider {
                    Some((provider, _)) => {
                        tracing::warn!(
                            ?error,
                            "the document of the OpenID provider stays as it was"
                        );
                        Ok(Arc::clone(provider))
                    }
                    None => Err(error),
                }
            }
        }
    }

    /// What is known, if it need not or cannot be fetched now.
    fn fresh(&self, now: Timestamp, interval: Duration) -> Option<Arc<Provider>> {
        let state = self.state.read();
        let (provider, at) = state.provider.as_ref()?;
        let paused = state.failed.is_some_and(|failed| now < failed.plus(PAUSE));
        (paused || now < at.plus(interval)).then(|| Arc::clone(provider))
    }
}

async fn fetch(cx: &Cx, verifier: &Verifier) -> Result<Provider> {
    let configured = verifier.options.issuer.trim_end_matches('/');
    let url = format!("{configured}/.well-known/openid-configuration");
    let response = verifier.send(cx, Request::get(&url)).await?;
    if response.status() != StatusCode::OK {
        return Err(unreachable(&url).with("status", response.status()));
    }
    let raw = response.into_body();
    let provider: Provider =
        serde_json::from_slice(&raw).map_err(|error| unreachable(&url).because(error))?;
    // Section 4.3: or one provider could speak for another.
    if provider.issuer.trim_end_matches('/') != configured {
        return Err(Error::unavailable("the OpenID provider calls itself by another name")
            .with("configured", configured)
            .with("issuer", &provider.issuer));
    }
    Ok(Provider { raw, ..provider })
}
