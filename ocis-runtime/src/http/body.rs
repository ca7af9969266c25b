//! Bodies between hyper and the services: what comes in must make progress, and what goes out
//! keeps its request counted as running.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use ocis_core::data::Body;
use ocis_core::{Error, ErrorKind};
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep};

use super::activity::{Activity, Running};

/// Where a request body goes that nobody read to its end. It must outlive the answer: dropped before,
/// it ends the whole stream of HTTP/2 with `CANCEL`, and the client loses an early refusal.
pub(super) type Left = Arc<Mutex<Option<Incoming>>>;

/// A request body that fails when the client sends nothing for `limit` while somebody wants to
/// read. The time in which nobody reads does not count.
pub(super) struct RequestBody {
    incoming: Option<Incoming>,
    left: Left,
    pub(super) limit: Duration,
    /// Set when the client sent nothing for too long, so that the answer can be 408 whatever the
    /// reader of the body makes of its failure.
    pub(super) stalled: Arc<AtomicBool>,
    pub(super) activity: Arc<Activity>,
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    ended: bool,
}

impl RequestBody {
    pub(super) fn new(
        incoming: Incoming,
        limit: Duration,
        activity: Arc<Activity>,
        left: Left,
    ) -> Self {
        Self {
            incoming: Some(incoming),
            left,
            limit,
            stalled: Arc::default(),
            activity,
            timer: None,
            waiting: false,
            ended: false,
        }
    }

    fn is_read(&self) -> bool {
        self.ended || self.incoming.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn stalls(&mut self, cx: &mut Context<'_>) -> bool {
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if !self.waiting {
            self.waiting = true;
            timer.as_mut().reset(Instant::now() + limit);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        let polled = Pin::new(incoming).poll_frame(cx);
        if polled.is_pending() {
            if !this.stalls(cx) {
                return Poll::Pending;
            }
            this.stalled.store(true, Ordering::Relaxed);
            let message = "the client stopped sending the request body";
            return Poll::Ready(Some(Err(Error::new(ErrorKind::DeadlineExceeded, message))));
        }
        this.waiting = false;
        polled.map(|next| match next {
            Some(Ok(frame)) => Some(Ok(frame)),
            Some(Err(error)) => Some(Err(Error::invalid(
                "the request body is incomplete or malformed",
            )
            .because(error))),
            None => {
                this.ended = true;
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map(http_body::Body::size_hint).unwrap_or_default()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.is_read() {
            self.activity.body_left();
            *self.left.lock() = self.incoming.take();
        }
    }
}

/// A response body; its request counts as running until it is sent or given up.
pub(super) struct ResponseBody {
    pub(super) body: Body,
    pub(super) _running: Running,
    pub(super) _left: Left,
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
