//! OPTIONS: what works here (RFC 4918 section 10.1). Answered to everybody: clients ask before
//! they sign in.

use http::{HeaderValue, StatusCode, header};

use crate::error::{Answer, Failure};
use crate::headers;
use crate::route::Route;
use crate::service::bare;
use crate::tus;

/// The methods that work on files and folders.
pub(crate) const ALLOW: &str = "OPTIONS, GET, HEAD, PUT, POST, DELETE, MKCOL, COPY, MOVE, \
    PROPFIND, PROPPATCH, LOCK, UNLOCK";
/// The methods that work on the trash.
pub(crate) const ALLOW_TRASH: &str = "OPTIONS, PROPFIND, MOVE, DELETE";
/// The methods that work on versions.
const ALLOW_META: &str = "OPTIONS, PROPFIND, GET, HEAD, COPY";
/// The methods that work where nothing is.
pub(crate) const ALLOW_NONE: &str = "OPTIONS";

/// Answers for a URL, without looking whether there is anything.
pub(crate) fn options(route: &Route) -> Answer {
    let allow = match route {
        Route::Node(_) => ALLOW,
        Route::Trash(_) => ALLOW_TRASH,
        Route::Meta(_) => ALLOW_META,
        Route::Fork | Route::Status => ALLOW_NONE,
        Route::Later => return Err(Failure::not_yet()),
        Route::Unknown => {
            return Err(ocis_core::Error::not_found("no such file or folder").into());
        }
    };
    let mut response = bare(StatusCode::NO_CONTENT);
    let answer = response.headers_mut();
    answer.insert(header::ALLOW, HeaderValue::from_static(allow));
    answer.insert(headers::DAV, HeaderValue::from_static(CLASSES));
    answer.insert(headers::MS_AUTHOR_VIA, HeaderValue::from_static("DAV"));
    if matches!(route, Route::Node(_)) {
        tus::describe(answer);
    }
    Ok(response)
}

/// The classes of RFC 4918 that are kept.
pub(crate) const CLASSES: &str = "1, 2";
