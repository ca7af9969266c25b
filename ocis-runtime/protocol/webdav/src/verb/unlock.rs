//! UNLOCK (RFC 4918 section 9.11).

use http::StatusCode;
use ocis_core::ErrorKind;
use ocis_core::port::Unlock;

use crate::error::{Answer, Condition, Failure};
use crate::headers;
use crate::service::{Call, bare};
use crate::verb::guard;

/// Gives back the lock that the header `Lock-Token` names.
pub(crate) async fn unlock(call: &Call) -> Answer {
    let token = headers::lock_token(&call.headers)?
        .ok_or_else(|| Failure::bad_request("the header Lock-Token must name the lock"))?;
    guard::check(call).await?;
    let request = Unlock { target: call.target.reference(), token };
    match call.nodes().unlock(call.cx(), request).await {
        Ok(()) => Ok(bare(StatusCode::NO_CONTENT)),
        Err(error) if error.kind() == ErrorKind::Conflict => {
            Err(Failure::from(error).with(Condition::Named("lock-token-matches-request-uri")))
        }
        Err(error) => Err(error.into()),
    }
}
