//! DELETE: into the trash.

use http::StatusCode;
use ocis_core::data::Body;
use ocis_core::port::Delete;

use crate::error::{Answer, Failure};
use crate::headers::{self, Depth};
use crate::service::{Call, bare};
use crate::verb::{body, guard, options};

/// Deletes a file, or a folder with all that is in it.
pub(crate) async fn delete(call: &Call, content: Body) -> Answer {
    body::none(content).await?;
    if headers::depth(&call.headers, Depth::Infinity)? != Depth::Infinity {
        return Err(Failure::bad_request("a folder is deleted with all that is in it"));
    }
    if call.target.is_space() {
        return Err(Failure::not_allowed(options::ALLOW, "a space cannot be deleted by WebDAV"));
    }
    let conditions = guard::check(call).await?;
    let request = Delete { target: call.target.reference(), conditions };
    match call.nodes().delete(call.cx(), request).await {
        Ok(()) => Ok(bare(StatusCode::NO_CONTENT)),
        Err(error) => Err(guard::explain(call, &call.target, error).await),
    }
}
