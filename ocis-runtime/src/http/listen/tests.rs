//! Binding, stopping, and both versions of HTTP over TLS.

use http::Request as HttpRequest;
use ocis_core::time::Timestamp;
use reqwest::{Certificate, Client};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::edge::fixture::World;
use crate::http::{PublicSettings, public, tls};

/// A served edge.
pub(in crate::http) struct Served {
    pub(in crate::http) address: SocketAddr,
    stop: CancellationToken,
    done: tokio::task::JoinHandle<()>,
}

pub(in crate::http) async fn served(
    world: &World,
    tls: Option<Arc<rustls::ServerConfig>>,
    limits: Limits,
) -> Served {
    let listener = bind("127.0.0.1:0", "X").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let settings = PublicSettings::for_url("https://cloud.example.org");
    let service = public("proxy", world.edge(true), settings).unwrap();
    let done = tokio::spawn(serve(listener, tls, service, limits, stop.clone()));
    Served { address, stop, done }
}

#[tokio::test]
async fn errors_of_binding_name_the_address_and_the_setting() {
    let first = bind("127.0.0.1:0", "X").await.unwrap();
    let address = first.local_addr().unwrap().to_string();
    let error = bind(&address, "PROXY_HTTP_ADDR").await.unwrap_err();
    assert!(error.message().contains(&address), "{error}");
    assert!(error.message().contains("set PROXY_HTTP_ADDR"), "{error}");
    for bad in ["nonsense", "127.0.0.1:99999", "203.0.113.7:0", ""] {
        let error = bind(bad, "PROXY_HTTP_ADDR").await.unwrap_err();
        assert!(error.message().contains("PROXY_HTTP_ADDR"), "{error}");
    }
    assert!(bind(":0", "X").await.unwrap().local_addr().unwrap().ip().is_unspecified());
}

#[tokio::test]
async fn accepted_sockets_do_not_wait_for_acknowledgements() {
    let listener = bind("127.0.0.1:0", "X").await.unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _, _) = accept(&listener, &Arc::new(Semaphore::new(1))).await.unwrap();
    assert!(stream.nodelay().unwrap());
}

#[tokio::test(start_paused = true)]
async fn without_descriptors_accepting_pauses_and_other_failures_cost_nothing() {
    let begin = Instant::now();
    back_off(&io::Error::from(rustix::io::Errno::CONNABORTED)).await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
    back_off(&io::Error::from(rustix::io::Errno::MFILE)).await;
    assert!(begin.elapsed() >= Duration::from_millis(500));
}

#[tokio::test]
async fn both_versions_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("c"), folder.path().join("k"));
    let now = Timestamp::from_unix(1_790_000_000, 0).unwrap();
    let config = tls::load_or_make(&certificate, &key, &["localhost".into()], now).unwrap();
    let served = served(&World::default(), Some(config), Limits::default()).await;
    let root = Certificate::from_pem(&std::fs::read(&certificate).unwrap()).unwrap();
    let client = || {
        let one = SocketAddr::from(([127, 0, 0, 1], served.address.port()));
        Client::builder().tls_certs_only([root.clone()]).resolve("localhost", one)
    };
    let url = format!("https://localhost:{}/status.php", served.address.port());
    let first = client().http1_only().build().unwrap().get(&url).send().await.unwrap();
    assert_eq!((first.version(), first.status()), (Version::HTTP_11, StatusCode::OK));
    let second = client().build().unwrap().get(&url).send().await.unwrap();
    assert_eq!((second.version(), second.status()), (Version::HTTP_2, StatusCode::OK));
    for name in ["strict-transport-security", "x-request-id", "content-security-policy"] {
        assert!(second.headers().contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn a_running_request_finishes_and_then_the_server_ends() {
    let world = World::default();
    let served = served(&world, None, Limits::default()).await;
    let url = format!("http://{}/status/wait", served.address);
    let answer =
        tokio::spawn(async move { reqwest::get(url).await.unwrap().text().await.unwrap() });
    world.running.notified().await;
    // An idle connection does not hold the end up.
    let mut idle = TcpStream::connect(served.address).await.unwrap();
    served.stop.cancel();
    let mut nothing = Vec::new();
    assert_eq!(idle.read_to_end(&mut nothing).await.unwrap_or(0), 0);
    assert!(!served.done.is_finished());
    world.leave.notify_one();
    assert!(answer.await.unwrap().starts_with("Anonymous"));
    served.done.await.unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut() {
    let world = World::default();
    let limits = Limits { grace: Duration::from_millis(20), ..Limits::default() };
    let served = served(&world, None, limits).await;
    let url = format!("http://{}/status/wait", served.address);
    let answer = tokio::spawn(reqwest::get(url));
    world.running.notified().await;
    served.stop.cancel();
    served.done.await.unwrap();
    assert!(answer.await.unwrap().is_err());
}

#[tokio::test]
async fn no_more_connections_than_allowed_are_served_at_a_time() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let served = served(&World::default(), None, limits).await;
    let head = b"GET /status.php HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut buffer = [0_u8; 12];
    let mut first = TcpStream::connect(served.address).await.unwrap();
    first.write_all(head).await.unwrap();
    first.read_exact(&mut buffer).await.unwrap();
    let mut second = TcpStream::connect(served.address).await.unwrap();
    second.write_all(head).await.unwrap();
    let waits = timeout(Duration::from_millis(50), second.read_exact(&mut buffer)).await;
    assert!(waits.is_err());
    drop(first);
    second.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn the_peer_is_told_to_the_service() {
    let service = HttpService::new(tower::service_fn(|request: HttpRequest<Body>| async move {
        let peer = request.extensions().get::<PeerAddr>().unwrap();
        let text = format!("{} {}", peer.address.ip(), peer.tls);
        Ok::<_, Infallible>(Response::new(ocis_core::data::full(text)))
    }));
    let listener = bind("127.0.0.1:0", "X").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, None, service, Limits::default(), CancellationToken::new()));
    assert_eq!(reqwest::get(url).await.unwrap().text().await.unwrap(), "127.0.0.1 false");
}
