//! `POST` to a folder: an upload is begun, with or without its first bytes.

use http::{HeaderValue, StatusCode, header};
use ocis_core::data::{Body, UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_METADATA};
use ocis_core::path::SpacePath;
use ocis_core::port::{CreateSession, OpenUpload, Stat};
use ocis_core::{Error, ErrorKind};

use super::metadata::Metadata;
use super::{append, has_bytes, number, speaks};
use crate::error::{Answer, Failure};
use crate::headers::{self, date, mtime};
use crate::service::{Call, bare, value};
use crate::tree::Target;
use crate::verb::{guard, put};

/// Begins an upload of the file that the metadata name, below the folder of the URL. As in oCIS,
/// what is wrong with the request, its name or its folder is 412.
pub(crate) async fn create(folder: &Call, content: Body) -> Answer {
    let answer = begin(folder, content).await;
    let mut response = answer.unwrap_or_else(Failure::into_response);
    super::announce(response.headers_mut());
    Ok(response)
}

async fn begin(folder: &Call, content: Body) -> Answer {
    speaks(&folder.headers)?;
    let length = number(&folder.headers, &UPLOAD_LENGTH)?
        .ok_or_else(|| Failure::precondition("the header Upload-Length is missing"))?;
    let text = headers::text(&folder.headers, &UPLOAD_METADATA)?.unwrap_or_default();
    let metadata = Metadata::parse(text);
    let name = metadata
        .get("filename")
        .ok_or_else(|| Failure::precondition("the Upload-Metadata have no filename"))?;
    let target = below(&folder.target, name)?;
    let call = &Call { target, ..folder.clone() };
    // Sync clients say in the headers of a PUT what others say in the metadata.
    let said = |key, name| -> Answer<Option<&str>> {
        let header = headers::text(&call.headers, name)?.filter(|text| !text.is_empty());
        Ok(metadata.get(key).or(header))
    };
    let (mtime, checksum) =
        (said("mtime", &headers::X_OC_MTIME)?, said("checksum", &headers::OC_CHECKSUM)?);
    let is_timed = mtime.is_some();
    let upload = OpenUpload {
        target: call.target.reference(),
        length: Some(length),
        mtime: mtime.map(mtime::parse).transpose()?,
        checksum: checksum.map(str::parse).transpose()?,
        conditions: guard::check(call).await?,
    };
    let request = CreateSession { upload, metadata: metadata.0 };
    let begun = match call.server.parts.sessions.create(call.cx(), request).await {
        Ok(begun) => begun,
        Err(error) => return Err(refused(call, error).await),
    };
    let place = value(&format!("{}/data/{}", call.server.parts.options.url, begun.ticket));
    let mut response = match has_bytes(&call.headers) && length > 0 {
        true => {
            let data = &call.server.parts.data;
            append(data, (&begun.ticket, Some(0)), &call.headers, content)
                .await
                .unwrap_or_else(Failure::into_response)
        }
        false => bare(StatusCode::NO_CONTENT),
    };
    if response.status().is_success() {
        *response.status_mut() = StatusCode::CREATED;
    }
    let answer = response.headers_mut();
    answer.insert(header::LOCATION, place);
    if let Some(expires) = begun.session.expires {
        answer.insert(UPLOAD_EXPIRES, value(&date::format(expires)));
    }
    if is_timed && call.headers.contains_key(headers::X_OC_MTIME) {
        answer.insert(headers::X_OC_MTIME, HeaderValue::from_static("accepted"));
    }
    // Nothing is to come: the file is there.
    if length == 0 {
        let node = call.nodes().stat(call.cx(), Stat { target: call.target.reference() }).await?;
        put::describe(answer, &node);
    }
    Ok(response)
}

/// The file that a client names: most often a name, but a path below the folder is one too.
fn below(folder: &Target, name: &str) -> Answer<Target> {
    let wrong = |error: Error| Failure::from(error).status(StatusCode::PRECONDITION_FAILED);
    for part in name.split('/').filter(|part| !part.is_empty()) {
        ocis_core::name::check(part).map_err(wrong)?;
    }
    let path = SpacePath::parse(&format!("{}/{name}", folder.path)).map_err(wrong)?;
    if path == folder.path {
        return Err(Failure::precondition("the filename of the Upload-Metadata is no name"));
    }
    Ok(Target { path, ..folder.clone() })
}

/// A folder in the place of the file is 409; that there is none for it, 412.
async fn refused(call: &Call, error: Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => Failure::from(error).status(StatusCode::PRECONDITION_FAILED),
        ErrorKind::Conflict => {
            let target = call.target.reference();
            match call.nodes().stat(call.cx(), Stat { target }).await {
                Ok(node) if node.is_folder() => error.into(),
                _ => Failure::from(error).status(StatusCode::PRECONDITION_FAILED),
            }
        }
        _ => guard::explain(call, &call.target, error).await,
    }
}
