//! `/api/v0/settings`: what accounts chose, which roles they have, and what these allow.
//!
//! Everything is a `POST` with JSON, as oCIS's protocol buffers write it. The routes stand in
//! `route`, each with a function that reads a request, asks a port and writes the answer; the errors
//! in `error`.

mod assignments;
mod bundles;
mod error;
mod german;
mod permissions;
mod route;
mod values;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use ocis_core::data::HttpService;
use ocis_core::port::{Roles, Settings as SettingsPort};

/// What the endpoints are made of.
#[derive(Clone)]
pub struct SettingsParts {
    /// The roles of accounts.
    pub roles: Arc<dyn Roles>,
    /// What accounts chose.
    pub settings: Arc<dyn SettingsPort>,
    /// The language of who has not chosen one, `OCIS_DEFAULT_LANGUAGE`; empty means `en`, as in
    /// oCIS.
    pub language: String,
}

/// The endpoints below `/api/v0/settings`.
#[derive(Debug)]
pub struct Settings;

impl Settings {
    /// The endpoints as an HTTP service. It takes the whole path of a request, and the caller from
    /// the request's extension [`ocis_core::Cx`].
    #[allow(clippy::new_ret_no_self, reason = "what is wanted of the endpoints is the service")]
    pub fn new(mut parts: SettingsParts) -> HttpService {
        if parts.language.is_empty() {
            parts.language = "en".into();
        }
        let parts = Arc::new(parts);
        HttpService::new(tower::service_fn(move |request| {
            let parts = Arc::clone(&parts);
            async move { Ok::<_, Infallible>(route::answer(&parts, request).await) }
        }))
    }
}

impl fmt::Debug for SettingsParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsParts").field("language", &self.language).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
