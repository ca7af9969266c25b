//! What a layer in front of a service is: something that answers, mostly by asking what lies
//! behind it.
//!
//! `tower::Service` wants each layer's future to have a name or a box; here a layer is one
//! `async fn`, a whole stack is one future, and only its outer end is boxed into an
//! [`HttpService`].

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use ocis_core::Result;
use ocis_core::data::{Body, HttpService};
use tower::{ServiceExt as _, service_fn};

/// Something that answers requests.
pub(crate) trait Answer: Send + Sync + 'static {
    /// The answer; there always is one.
    fn answer(&self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send;
}

impl Answer for HttpService {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        match self.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Layers that are put around a service, from the inside out.
pub(crate) struct Stack<S>(S);

impl<S: Answer> Stack<S> {
    /// The innermost service.
    pub(crate) fn around(service: S) -> Self {
        Self(service)
    }

    /// Puts a layer around what is there.
    pub(crate) fn push<L: Answer>(self, layer: impl FnOnce(S) -> L) -> Stack<L> {
        Stack(layer(self.0))
    }

    /// Puts a layer around what is there that may refuse its settings.
    pub(crate) fn try_push<L: Answer>(
        self,
        layer: impl FnOnce(S) -> Result<L>,
    ) -> Result<Stack<L>> {
        Ok(Stack(layer(self.0)?))
    }

    /// The whole as one service.
    pub(crate) fn boxed(self) -> HttpService {
        let stack = Arc::new(self.0);
        HttpService::new(service_fn(move |request| {
            let stack = Arc::clone(&stack);
            async move { Ok::<_, Infallible>(stack.answer(request).await) }
        }))
    }
}
