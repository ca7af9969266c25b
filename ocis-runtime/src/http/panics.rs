//! A panic while a request is answered becomes a 500, and the connection and all others live on.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use http::{Request, Response, StatusCode};
use ocis_core::data::Body;

use super::layer::Answer;
use super::request_id::RequestId;
use crate::late_http::plain;

/// Turns panics of `next` into answers. What a panicking request leaves behind is only what it
/// shared through locks, and `parking_lot` releases those.
pub(super) struct CatchPanic<S> {
    pub(super) next: S,
}

impl<S: Answer> Answer for CatchPanic<S> {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let id = request.extensions().get::<RequestId>().cloned();
        match AssertUnwindSafe(self.next.answer(request)).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => internal(&*panic, id),
        }
    }
}

fn internal(panic: &(dyn Any + Send), id: Option<RequestId>) -> Response<Body> {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let id = id.as_ref().map(|RequestId(id)| &**id);
    tracing::error!("request-id" = id, panic = text, "a request panicked");
    plain(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n")
}
