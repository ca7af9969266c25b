//! The service over plain hyper on 127.0.0.1, with the memory behind it and einstein signed in.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use ocis_core::data::HttpService;
use ocis_core::id::UserId;
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, Error, Identity};
use ocis_webdav::{Dav, DavOptions, DavParts};
use tower::ServiceExt as _;

use crate::memory::{Memory, USER};

/// A server that stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

/// Einstein's context.
pub fn cx() -> Cx {
    let identity = Identity {
        id: UserId::parse(USER).unwrap(),
        idp: "https://localhost:9200".into(),
        username: "einstein".into(),
        display_name: "Albert Einstein".into(),
        mail: String::new(),
        groups: Vec::new(),
        role: UserRole::User,
    };
    Cx::new(Caller::User(Arc::new(identity)), SystemClock.now())
}

/// The service over a memory.
pub fn dav(memory: &Memory, options: DavOptions) -> HttpService {
    let memory = memory.clone();
    Dav::new(DavParts {
        data: memory.data(),
        nodes: Arc::new(memory.clone()),
        spaces: Arc::new(memory.clone()),
        uploads: Arc::new(memory.clone()),
        users: Arc::new(memory),
        options,
    })
}

impl Server {
    /// Starts on a free port.
    pub async fn start() -> Self {
        let options = DavOptions { allow_depth_infinity: true, ..DavOptions::default() };
        let service = dav(&Memory::new(SystemClock.now()), options);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = service.clone();
                let answer = hyper::service::service_fn(move |mut request: http::Request<_>| {
                    request.extensions_mut().insert(cx());
                    let request = request.map(|body: hyper::body::Incoming| {
                        body.map_err(|error| Error::internal("broken").because(error))
                            .boxed_unsync()
                    });
                    service.clone().oneshot(request)
                });
                tokio::spawn(async move {
                    let builder =
                        hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        Self { address, task }
    }

    /// The URL of the space.
    pub fn space_path(&self) -> String {
        format!("/dav/spaces/storage${USER}/")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
