//! A service of somebody else behind the edge: what it gets to see, and what comes back.

use bytes::Bytes;
use futures::channel::mpsc;
use futures::{SinkExt as _, StreamExt as _};
use http::header::AUTHORIZATION;
use http_body::Frame;
use http_body_util::StreamBody;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use ocis_auth::token::TokenVerifier;
use ocis_core::config::Secret;
use ocis_core::data::{empty, full};
use ocis_core::user::UserRole;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use super::super::fixture::{ADMIN, World, now};
use super::super::{GivenMatch, GivenRoute};
use super::*;

fn secret() -> Secret {
    Secret::new("of a test")
}

/// Answers with what it was asked; below `/echo` with the body as it comes.
async fn seen(request: Request<Incoming>) -> Result<Response<Body>> {
    let (head, body) = request.into_parts();
    if head.uri.path().ends_with("/echo") {
        let broken = |error| Error::internal("echo").because(error);
        return Ok(Response::new(body.map_err(broken).boxed_unsync()));
    }
    let mut text = format!("{} {}\n", head.method, head.uri);
    for (name, value) in &head.headers {
        text.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    let mut response = Response::new(full(text));
    *response.status_mut() = StatusCode::CREATED;
    for (name, value) in [("connection", "x-mine"), ("x-mine", "1"), ("x-yours", "2")] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// The URL of a service that runs until the test ends.
async fn backend() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = hyper::service::service_fn(seen);
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    url
}

/// An edge with the routes `/ext/` and, for nobody in particular, `/open/` to `url`.
fn edge(url: &str) -> HttpService {
    let options = BackendOptions { https: true, ..BackendOptions::default() };
    let backends = Backends::new(Minter::new(&secret()).unwrap(), options);
    let route = |prefix: &str, public: bool| GivenRoute {
        method: None,
        matches: GivenMatch::Prefix(prefix.to_owned()),
        public,
        service: "backend",
        backend: Some(backends.service(Target::new(url, false).unwrap())),
    };
    let given_routes = vec![route("/ext/", false), route("/open/", true)];
    World { given_routes, ..World::default() }.edge(true)
}

fn request(path: &str) -> http::request::Builder {
    Request::builder()
        .uri(path)
        .header(HOST, "cloud.example.org")
        .header("x-access-token", "mine")
        .header("x-forwarded-for", "192.0.2.1")
        .header("connection", "close, x-private")
        .header("x-private", "1")
        .header("x-other", "1")
        .extension(Peer("2001:db8::7".parse().unwrap()))
        .extension(crate::http::PeerAddr { address: "[2001:db8::7]:1".parse().unwrap(), tls: true })
}

async fn send(edge: &HttpService, request: Request<Body>) -> (Response<()>, String) {
    let (head, body) = edge.clone().oneshot(request).await.unwrap().into_parts();
    let text = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(head, ()), String::from_utf8(text.into()).unwrap())
}

#[tokio::test]
async fn it_is_told_who_calls_and_gets_no_credentials() {
    let edge = edge(&format!("{}/base?key=1", backend().await));
    let asked = request("/ext/a%20b?x=1").header(AUTHORIZATION, ADMIN).body(empty()).unwrap();
    let (head, text) = send(&edge, asked).await;
    assert_eq!(head.status(), 201, "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "GET /base/ext/a%20b?key=1&x=1");
    let values = |name: &str| -> Vec<&str> {
        let pairs = lines.iter().filter_map(|line| line.split_once(": "));
        pairs.filter(|(known, _)| *known == name).map(|(_, value)| value).collect()
    };
    let tokens = values("x-access-token");
    assert_eq!(tokens.len(), 1, "{text}");
    let verifier = TokenVerifier::new(&secret()).unwrap();
    let identity = verifier.verify(tokens[0], now()).unwrap();
    assert_eq!((identity.username.as_str(), identity.role), ("admin", UserRole::User));
    assert_eq!(values("host"), ["cloud.example.org"]);
    assert_eq!(values("x-forwarded-host"), ["cloud.example.org"]);
    assert_eq!(values("x-forwarded-for"), ["2001:db8::7"]);
    assert_eq!(values("x-forwarded-proto"), ["https"]);
    assert_eq!(values("x-other"), ["1"]);
    for name in ["authorization", "x-private", "content-length", "transfer-encoding"] {
        assert!(values(name).is_empty(), "{name} in {text}");
    }
    assert_eq!(head.headers()["x-yours"], "2");
    assert!(!head.headers().contains_key("x-mine") && !head.headers().contains_key("connection"));
}

#[tokio::test]
async fn who_does_not_sign_in_gets_to_what_is_open_and_no_further() {
    let edge = edge(&backend().await);
    let (head, _) = send(&edge, request("/ext/a").body(empty()).unwrap()).await;
    assert_eq!(head.status(), 401);
    let own = "Bearer of the backend";
    let open = request("/open/a").header(AUTHORIZATION, own).body(empty()).unwrap();
    let (head, text) = send(&edge, open).await;
    assert_eq!(head.status(), 201);
    assert!(text.contains("authorization: Bearer of the backend\n"), "{text}");
    assert!(!text.contains("x-access-token"), "{text}");
    for path in ["/open/../ext/a", "/open/%2e%2E/ext/a", "/open/./a", "/open/..\\ext/a"] {
        let request = request("/").body(empty()).unwrap();
        let (mut head, body) = request.into_parts();
        let Ok(uri) = path.parse() else { continue };
        head.uri = uri;
        let (head, text) = send(&edge, Request::from_parts(head, body)).await;
        assert_eq!(head.status(), 400, "{path}: {text}");
    }
}

#[tokio::test]
async fn bodies_pass_by_in_both_directions() {
    let edge = edge(&backend().await);
    let (mut sender, chunks) = mpsc::channel::<Bytes>(1);
    let body = StreamBody::new(chunks.map(|chunk| Ok(Frame::data(chunk)))).boxed_unsync();
    let request =
        request("/ext/echo").method("POST").header(AUTHORIZATION, ADMIN).body(body).unwrap();
    sender.send(Bytes::from_static(b"one")).await.unwrap();
    let mut answer = edge.oneshot(request).await.unwrap().into_body();
    // The second part is not sent before the first one has come back.
    let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "one");
    sender.send(Bytes::from_static(b"two")).await.unwrap();
    drop(sender);
    assert_eq!(answer.collect().await.unwrap().to_bytes(), "two");
}

#[tokio::test]
async fn one_that_is_away_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (head, text) = send(&edge(&url), request("/open/a").body(empty()).unwrap()).await;
    assert_eq!(head.status(), 502);
    assert!(!text.contains("127.0.0.1"), "{text}");
}

#[test]
fn a_backend_is_an_address() {
    for wrong in ["", "localhost:9204", "ftp://localhost", "/path", "http://"] {
        assert!(Target::new(wrong, false).is_err(), "{wrong}");
    }
    let folder = tempfile::tempdir().unwrap();
    let ca_cert = Some(folder.path().join("none.pem"));
    let options = BackendOptions { ca_cert, ..BackendOptions::default() };
    let told = Backends::new(Minter::new(&secret()).unwrap(), options).prepare().unwrap_err();
    assert!(told.to_string().contains("PROXY_HTTPS_CACERT"), "{told}");
}
