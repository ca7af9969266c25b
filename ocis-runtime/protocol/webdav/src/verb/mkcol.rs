//! MKCOL: a new folder.

use http::StatusCode;
use ocis_core::ErrorKind;
use ocis_core::data::Body;
use ocis_core::port::CreateFolder;

use crate::error::{Answer, Failure};
use crate::service::{Call, bare};
use crate::verb::{body, get, guard, options};

/// Makes a folder. A body would say what to put into it, which nobody has ever defined (RFC 4918
/// section 9.3).
pub(crate) async fn mkcol(call: &Call, content: Body) -> Answer {
    body::none(content).await?;
    let exists =
        || Failure::not_allowed(options::ALLOW, "The resource you tried to create already exists");
    if call.target.is_space() {
        return Err(exists());
    }
    let conditions = guard::check(call).await?;
    let request = CreateFolder { target: call.target.reference(), conditions };
    match call.nodes().create_folder(call.cx(), request).await {
        Ok(node) => {
            let mut response = bare(StatusCode::CREATED);
            get::identify(response.headers_mut(), &node.info);
            Ok(response)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(exists()),
        Err(error) => Err(guard::explain(call, &call.target, error).await),
    }
}
