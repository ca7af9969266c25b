//! `/status.php`: which server this is, for clients that have not signed in yet.

use http::{HeaderValue, Method, Response, StatusCode, header};
use ocis_core::data::full;
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

use crate::error::{Answer, Failure};
use crate::service::{DavOptions, bare};

/// The fields in the order of oCIS.
#[derive(Serialize)]
struct Status<'a> {
    installed: bool,
    maintenance: bool,
    #[serde(rename = "needsDbUpgrade")]
    needs_db_upgrade: bool,
    version: &'a str,
    versionstring: &'a str,
    edition: &'a str,
    productname: &'a str,
    product: &'a str,
    productversion: &'a str,
}

/// Answers for any method that reads.
pub(crate) fn status(options: &DavOptions, method: &Method) -> Answer {
    match *method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => {
            let mut response = bare(StatusCode::NO_CONTENT);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(ALLOW));
            return Ok(response);
        }
        _ => return Err(Failure::not_allowed(ALLOW, "the status can only be read")),
    }
    let status = Status {
        installed: true,
        maintenance: false,
        needs_db_upgrade: false,
        version: &options.version,
        versionstring: &options.version_string,
        edition: &options.edition,
        productname: &options.product,
        product: &options.product,
        productversion: &options.product_version,
    };
    let mut json = Vec::with_capacity(512);
    let mut writer =
        serde_json::Serializer::with_formatter(&mut json, PrettyFormatter::with_indent(b"    "));
    status.serialize(&mut writer).map_err(|error| {
        ocis_core::Error::internal("the status cannot be written").because(error)
    })?;
    let mut response = Response::new(full(json));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

const ALLOW: &str = "OPTIONS, GET, HEAD";
