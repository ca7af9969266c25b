//! `/cloud/user/signing-key`: the key with which the caller's client signs URLs. A service of its
//! own, as in oCIS.

use std::convert::Infallible;
use std::sync::Arc;

use http::Method;
use http::request::Parts;
use ocis_core::Cx;
use ocis_core::data::HttpService;
use ocis_core::port::{OwnSigningKey, SigningKey, SigningKeys};
use serde::Serialize;

use crate::error::Failure;
use crate::route::enveloped;

/// The endpoint.
#[derive(Debug)]
pub struct SigningKeyEndpoint;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Shown<'a> {
    user: &'a str,
    signing_key: &'a str,
}

impl SigningKeyEndpoint {
    /// The endpoint as an HTTP service. It takes the whole path of a request, and the caller from
    /// the request's extension [`Cx`].
    #[allow(clippy::new_ret_no_self, reason = "what is wanted of the endpoint is the service")]
    pub fn new(keys: Arc<dyn SigningKeys>) -> HttpService {
        HttpService::new(tower::service_fn(move |request: http::Request<_>| {
            let (keys, (head, _)) = (Arc::clone(&keys), request.into_parts());
            async move {
                let envelope = enveloped(&head).0;
                Ok::<_, Infallible>(match own(&*keys, &head).await {
                    Ok(SigningKey { user, key }) => {
                        envelope.success(&Shown { user: user.as_str(), signing_key: key.expose() })
                    }
                    Err(failure) => envelope.failure(&failure),
                })
            }
        }))
    }
}

async fn own(keys: &dyn SigningKeys, head: &Parts) -> Result<SigningKey, Failure> {
    if enveloped(head).1 != Some("cloud/user/signing-key") {
        return Err(Failure::NoRoute);
    }
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return Err(Failure::Method);
    }
    let cx = head.extensions.get::<Cx>().ok_or(Failure::NoContext)?;
    Ok(keys.own(cx, OwnSigningKey {}).await?)
}
