//! Tickets that say which storage signed them, and the data plane that reads it from them.
//!
//! A ticket is opaque to everybody but its storage. The gateway puts the storage's id in front of
//! it, which is no secret and needs no signature: a ticket that is led to another storage is
//! refused there.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use ocis_core::data::{Body, HttpService, TICKET, full};
use ocis_core::id::StorageId;
use ocis_core::{Error, ErrorKind, Result};
use tower::{ServiceExt as _, service_fn};

use super::of_storage;
use crate::peers::Keyed;

/// Between the id of the storage, which cannot contain it, and the ticket.
const SEPARATOR: char = '!';

/// A ticket of `storage` in the form in which the gateway hands it out; an empty one (a folder's)
/// stays empty.
pub(super) fn label(storage: &StorageId, ticket: String) -> String {
    if ticket.is_empty() { ticket } else { format!("{storage}{SEPARATOR}{ticket}") }
}

/// The data plane of all storages.
pub fn data_gateway(storages: Keyed<HttpService>) -> HttpService {
    HttpService::new(service_fn(move |mut request: Request<Body>| {
        let storage = route(&storages, &mut request);
        async move {
            match storage {
                Ok(storage) => HttpService::clone(&storage).oneshot(request).await,
                Err(error) => Ok::<_, Infallible>(refuse(&error)),
            }
        }
    }))
}

/// The storage that signed the request's ticket, which becomes again what the storage signed.
fn route(storages: &Keyed<HttpService>, request: &mut Request<Body>) -> Result<Arc<HttpService>> {
    let unreadable = || Error::denied("the transfer ticket is missing or malformed");
    let headers = request.headers_mut();
    let labelled = headers.get(TICKET).and_then(|ticket| ticket.to_str().ok());
    let (storage, ticket) =
        labelled.and_then(|ticket| ticket.split_once(SEPARATOR)).ok_or_else(unreadable)?;
    let storage = StorageId::parse(storage)?;
    let mut ticket = HeaderValue::try_from(ticket).map_err(|_| unreadable())?;
    ticket.set_sensitive(true);
    headers.insert(TICKET, ticket);
    of_storage(storages, &storage)
}

fn refuse(error: &Error) -> Response<Body> {
    let status = match error.kind() {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    // An error of kind, message and context always has a JSON form.
    let mut response = Response::new(full(serde_json::to_vec(error).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
