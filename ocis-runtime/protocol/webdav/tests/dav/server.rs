//! The service over plain hyper on 127.0.0.1, with the memory behind it and einstein signed in.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use ocis_core::data::{HttpService, full};
use ocis_core::id::UserId;
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, Error, Identity};
use ocis_webdav::{Dav, DavOptions, DavParts};
use tower::ServiceExt as _;

use crate::bin::Bin;
use crate::memory::{Memory, USER};

/// A server that stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

/// Einstein's context.
pub(crate) fn cx() -> Cx {
    let identity = Identity {
        id: UserId::parse(USER).unwrap(),
        idp: "https://localhost:9200".into(),
        username: "einstein".into(),
        display_name: "Albert Einstein".into(),
        mail: String::new(),
        groups: Vec::new(),
        role: UserRole::User,
        scope: ocis_core::scope::Scope::Everything,
    };
    Cx::new(Caller::User(Arc::new(identity)), SystemClock.now())
}

/// The service over a memory.
pub(crate) fn dav(memory: &Memory, options: DavOptions) -> HttpService {
    let memory = memory.clone();
    let bin = Arc::new(Bin(memory.clone()));
    Dav::new(DavParts {
        trash: bin.clone(),
        versions: bin,
        data: memory.data(),
        nodes: Arc::new(memory.clone()),
        spaces: Arc::new(memory.clone()),
        uploads: Arc::new(memory.clone()),
        sessions: Arc::new(memory.clone()),
        users: Arc::new(memory),
        options,
    })
}

impl Server {
    /// Starts on a free port.
    pub(crate) async fn start() -> Self {
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
    pub(crate) fn space_path(&self) -> String {
        format!("/dav/spaces/storage${USER}/")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where most tests work.
pub(crate) const HOME: &str = "/remote.php/webdav";

/// Sends requests as einstein, without a socket.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// The storage.
    pub(crate) memory: Memory,
    service: HttpService,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: String,
}

impl Reply {
    /// Reads a whole answer.
    pub(crate) async fn read(response: http::Response<ocis_core::data::Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// The text of a header; empty when it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Client {
    /// A client of a new server that lists whole trees.
    pub(crate) fn new() -> Self {
        Self::with(DavOptions { allow_depth_infinity: true, ..DavOptions::default() })
    }

    /// A client of a new server with these options.
    pub(crate) fn with(options: DavOptions) -> Self {
        let memory = Memory::new(cx().now);
        let service = dav(&memory, options);
        Self { memory, service }
    }

    /// Sends a request; a path that does not begin with `/remote.php`, `/dav` or `/status` is one
    /// of einstein's files.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<bytes::Bytes>,
    ) -> Reply {
        let mut request = Request::new(full(body));
        request.extensions_mut().insert(cx());
        self.raw(method, path, headers, request).await
    }

    /// The same without anybody signed in.
    pub(crate) async fn anonymous(&self, method: &str, path: &str) -> Reply {
        self.raw(method, path, &[], Request::new(ocis_core::data::empty())).await
    }

    /// Sends a request that was made elsewhere.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        mut request: Request<ocis_core::data::Body>,
    ) -> Reply {
        let known = ["/remote.php", "/dav", "/status"].iter().any(|start| path.starts_with(start));
        let path = if known { path.to_owned() } else { format!("{HOME}{path}") };
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = path.parse().unwrap();
        request.headers_mut().insert("host", HeaderValue::from_static("localhost:9200"));
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Reply::read(self.service.clone().oneshot(request).await.unwrap()).await
    }

    /// Sends a PROPFIND and takes the body as it comes: the status, the pieces, and whether it broke
    /// off.
    pub(crate) async fn listing(&self, path: &str, depth: &'static str) -> (u16, Vec<usize>, bool) {
        let mut request = Request::new(ocis_core::data::empty());
        *request.method_mut() = "PROPFIND".parse().unwrap();
        *request.uri_mut() = format!("{HOME}{path}").parse().unwrap();
        request.headers_mut().insert("depth", HeaderValue::from_static(depth));
        request.extensions_mut().insert(cx());
        let mut response = self.service.clone().oneshot(request).await.unwrap();
        let mut pieces = Vec::new();
        while let Some(frame) = response.body_mut().frame().await {
            match frame {
                Ok(frame) => pieces.push(frame.data_ref().unwrap().len()),
                Err(_) => return (response.status().as_u16(), pieces, true),
            }
        }
        (response.status().as_u16(), pieces, false)
    }

    /// Fetches a file.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "").await
    }

    /// Puts a file that must be new.
    pub(crate) async fn put(&self, path: &str, content: &str) -> Reply {
        let reply = self.send("PUT", path, &[], content.to_owned()).await;
        assert_eq!(reply.status, 201, "{path}: {}", reply.body);
        reply
    }

    /// Makes a folder that must be new.
    pub(crate) async fn mkcol(&self, path: &str) {
        assert_eq!(self.send("MKCOL", path, &[], "").await.status, 201, "{path}");
    }

    /// The status of a request without body.
    pub(crate) async fn status(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
        self.send(method, path, headers, "").await.status
    }
}
