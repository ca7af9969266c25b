//! Ending by signal.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::harness::{Home, PATIENCE, Server};

/// The bound of the issue is 20 s; a server with nothing to do needs far less.
const BOUND: Duration = Duration::from_secs(20);

#[test]
fn each_signal_ends_the_server_in_time_and_without_an_error() {
    let home = Home::new();
    for signal in ["TERM", "INT", "QUIT", "HUP"] {
        let server = home.serve(&[]);
        server.signal(signal);
        assert_eq!(server.end(BOUND).code(), Some(0), "{signal}");
    }
}

/// Sends the head of an upload of four bytes, and the first two of them.
async fn half_an_upload(home: &Home) -> (Server, SocketAddr, TcpStream) {
    let server = home.serve(&[("PROXY_TLS", "false"), ("IDM_ADMIN_PASSWORD", "secret")]);
    let address = server.public().await;
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // admin:secret
    let head = "PUT /webdav/half.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\
                Authorization: Basic YWRtaW46c2VjcmV0\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    // The server asks for the body: the request has reached the service.
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&answer));
    stream.write_all(b"ab").unwrap();
    (server, address, stream)
}

#[tokio::test]
async fn what_is_under_way_is_answered_and_nothing_new_is_accepted() {
    let home = Home::new();
    let (server, address, mut stream) = half_an_upload(&home).await;
    server.signal("TERM");
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(b"cd").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(server.end(BOUND).code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_the_server_at_once() {
    let home = Home::new();
    let (server, address, _stream) = half_an_upload(&home).await;
    server.signal("TERM");
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    server.signal("INT");
    assert_eq!(server.end(Duration::from_secs(5)).code(), Some(1));
}
