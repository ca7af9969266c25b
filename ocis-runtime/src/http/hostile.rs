//! Hostile and broken clients on raw sockets, against the whole public stack.
//!
//! Where a limit of time is met the clock is paused: it runs ahead as soon as everybody waits.

use std::time::Duration;

use ocis_core::time::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::listen::Limits;
use super::listen::tests::{Served, served};
use super::tls;
use crate::edge::fixture::{ADMIN, World};

async fn start() -> Served {
    served(&World::default(), None, Limits::default()).await
}

/// Sends `bytes` and reads until the server closes.
async fn exchange(served: &Served, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    // The server may refuse and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    rest(&mut stream).await
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer with a body of known length.
async fn one(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    loop {
        answer.push(stream.read_u8().await.unwrap());
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).unwrap();
            if body.len() == length.lines().next().unwrap().parse::<usize>().unwrap() {
                return text;
            }
        }
    }
}

fn statuses(answer: &str) -> Vec<&str> {
    let lines = answer.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    lines.map(|line| &line[..3]).collect()
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_cut() {
    let served = start().await;
    assert_eq!(exchange(&served, b"").await, "");
    assert_eq!(exchange(&served, b"GET /status.php HTTP/1.1\r\nHost: h\r\nX-Slow: ").await, "");
    // Also when it comes drop by drop, and after a good request.
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET /status.php HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    one(&mut stream).await;
    let begin = tokio::time::Instant::now();
    loop {
        let sent = stream.write_all(b"G").await;
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read_u8()).await;
        if sent.is_err() || read.is_ok() {
            break;
        }
    }
    let limits = Limits::default();
    assert!(
        begin.elapsed() <= 2 * limits.header + Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_without_an_error() {
    let served = start().await;
    let answer = exchange(&served, b"GET /status.php HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(statuses(&answer), ["200"]);
}

#[tokio::test(start_paused = true)]
async fn a_body_without_progress_is_answered_408() {
    let served = start().await;
    for length in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let put = format!(
            "PUT /webdav/x HTTP/1.1\r\nHost: h\r\nAuthorization: {ADMIN}\r\n{length}\r\n\r\n"
        );
        let answer = exchange(&served, put.as_bytes()).await;
        assert_eq!(statuses(&answer), ["408"], "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_cut() {
    let served = start().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET /status/endless HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    tokio::time::sleep(3 * Limits::default().write).await;
    // What was under way arrives, and then the end.
    let mut bytes = vec![0; 1024 * 1024];
    let mut total = 0_usize;
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        total += read;
        assert!(total < 256 * 1024 * 1024, "still sending");
    }
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused_at_once() {
    let served = start().await;
    let head = |rest: &str| format!("GET /status.php HTTP/1.1\r\nHost: h\r\n{rest}\r\n\r\n");
    let long = head(&format!("X: {}", "x".repeat(1024 * 1024)));
    assert_eq!(statuses(&exchange(&served, long.as_bytes()).await), ["431"]);
    let many = head(&"X: x\r\n".repeat(1000));
    assert_eq!(statuses(&exchange(&served, many.as_bytes()).await), ["431"]);
    for length in [20_000, 60_000] {
        let target = format!(
            "GET /webdav/{} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
            "x".repeat(length)
        );
        assert_eq!(statuses(&exchange(&served, target.as_bytes()).await), ["414"], "{length}");
    }
    let endless = format!("GET /{}", "x".repeat(1024 * 1024));
    assert!(matches!(*statuses(&exchange(&served, endless.as_bytes()).await), ["414" | "431"]));
}

#[tokio::test]
async fn a_request_that_two_programs_could_read_differently_is_refused_and_nothing_after_it() {
    let served = start().await;
    let smuggled = "0\r\n\r\nGET /status.php HTTP/1.1\r\nHost: h\r\n\r\n";
    for headers in [
        "Host: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
        "Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4",
        "Host: h\r\nTransfer-Encoding: gzip, chunked",
        "Host: h\r\nTransfer-Encoding: chunked, identity",
        "Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Host: h\r\nTransfer-Encoding: \x0bchunked",
        "Host: h\r\nContent-Length: 4\r\nContent-Length: 5",
        "Host: h\r\nContent-Length: +4",
        "Host: h\r\nContent-Length: -4",
        "Host: h\r\nContent-Length: 4, 4",
        "Host: h\r\nContent-Length: 99999999999999999999",
        "Host: h\r\nContent-Length : 4",
        "Host: h\r\nX: a\r\n Content-Length: 4\r\nX: b",
        "Host: h\r\nX: a\0b",
        "Host: h\r\nHost: i",
        "X: no host",
    ] {
        let request = format!("PUT /status/x HTTP/1.1\r\n{headers}\r\n\r\n{smuggled}");
        let answer = exchange(&served, request.as_bytes()).await;
        assert_eq!(statuses(&answer), ["400"], "{headers:?}: {answer}");
    }
    for line in ["CONNECT h:1 HTTP/1.1", "GET  /x HTTP/1.1", "GET /x HTTP/1.1 x", "G\0T / HTTP/1.1"]
    {
        let request = format!("{line}\r\nHost: h\r\n\r\n");
        let answer = exchange(&served, request.as_bytes()).await;
        assert_eq!(statuses(&answer), ["400"], "{line:?}: {answer}");
    }
}

#[tokio::test]
async fn absurd_chunks_are_refused() {
    let served = start().await;
    for chunk in [
        "FFFFFFFFFFFFFFFFFF\r\nx",
        "zz\r\nx",
        "-1\r\nx",
        "5;\r\rx\r\nhello",
        "2\r\nabc\r\n0\r\n\r\n",
    ] {
        let put = format!(
            "PUT /webdav/x HTTP/1.1\r\nHost: h\r\nAuthorization: {ADMIN}\r\n\
             Transfer-Encoding: chunked\r\n\r\n{chunk}"
        );
        let answer = exchange(&served, put.as_bytes()).await;
        assert_eq!(statuses(&answer), ["400"], "{chunk:?}: {answer}");
    }
}

#[tokio::test]
async fn an_early_answer_reaches_a_client_that_is_still_sending() {
    let served = start().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = "PUT /status/early HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = vec![0_u8; 64 * 1024];
    // More than the sockets hold: the server has answered and closed its side, but reads on, so
    // that no reset overtakes the answer.
    for _ in 0..200 {
        stream.write_all(&chunk).await.unwrap();
    }
    stream.shutdown().await.unwrap();
    assert_eq!(statuses(&rest(&mut stream).await), ["507"]);
}

#[tokio::test]
async fn a_refused_request_leaves_the_connection_usable() {
    let served = start().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let body = "x".repeat(5000);
    let head = "PROPFIND /webdav/ HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    stream.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(statuses(&one(&mut stream).await.to_uppercase()), ["401"]);
    let again = format!("GET /webdav/ HTTP/1.1\r\nHost: h\r\nAuthorization: {ADMIN}\r\n\r\n");
    stream.write_all(again.as_bytes()).await.unwrap();
    assert_eq!(statuses(&one(&mut stream).await.to_uppercase()), ["200"]);
}

#[tokio::test]
async fn a_panic_is_one_500_and_the_connection_lives_on() {
    let served = start().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    for (path, status) in [("boom", "500"), ("fine", "200"), ("boom", "500")] {
        let get = format!("GET /status/{path} HTTP/1.1\r\nHost: h\r\n\r\n");
        stream.write_all(get.as_bytes()).await.unwrap();
        let answer = one(&mut stream).await.to_uppercase();
        assert_eq!(statuses(&answer), [status]);
        assert!(answer.contains("X-REQUEST-ID"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_tls_is_cut_and_the_next_client_served() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("c"), folder.path().join("k"));
    let now = Timestamp::from_unix(1_790_000_000, 0).unwrap();
    let config = tls::load_or_make(&certificate, &key, &["localhost".into()], now).unwrap();
    let served = served(&World::default(), Some(config), Limits::default()).await;
    // Plain HTTP, garbage, a record that promises more than comes, and nothing at all.
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 300], &[22, 3, 1, 0x3f, 0xff, 1], b""] {
        let answer = exchange(&served, bytes).await;
        assert!(!answer.contains("HTTP"), "{answer}");
    }
    tokio::time::resume();
    let root = reqwest::Certificate::from_pem(&std::fs::read(&certificate).unwrap()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]);
    let client = client.resolve("localhost", served.address).build().unwrap();
    let url = format!("https://localhost:{}/status.php", served.address.port());
    assert_eq!(client.get(url).send().await.unwrap().status(), 200);
}

/// Frames of HTTP/2 (RFC 9113), as a client that means harm would send them.
mod h2 {
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const PING: u8 = 6;
    const GOAWAY: u8 = 7;
    const CONTINUATION: u8 = 9;
    const END_STREAM: u8 = 1;
    const END_HEADERS: u8 = 4;
    /// `GET http://h/`, in HPACK's static table and one literal.
    const GET: &[u8] = &[0x82, 0x86, 0x84, 0x41, 1, b'h'];

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = vec![length[1], length[2], length[3], kind, flags];
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    async fn connect(served: &Served) -> TcpStream {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
        stream
    }

    /// Reads frames until the server ends the connection; whether it said GOAWAY.
    async fn is_sent_away(stream: &mut TcpStream) -> bool {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let mut rest = &answer[..];
        while let [a, b, c, kind, tail @ ..] = rest {
            if *kind == GOAWAY {
                return true;
            }
            let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            rest = tail.get(5 + length..).unwrap_or_default();
        }
        false
    }

    async fn still_serves(served: &Served) {
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        let url = format!("http://{}/status.php", served.address);
        assert_eq!(client.get(url).send().await.unwrap().status(), 200);
    }

    /// Type, flags and stream of the next frame.
    async fn next(stream: &mut TcpStream) -> (u8, u8, u32) {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)];
        stream.read_exact(&mut payload).await.unwrap();
        assert_ne!(kind, RST_STREAM, "the stream was reset");
        (kind, flags, u32::from_be_bytes(id))
    }

    #[tokio::test]
    async fn an_early_answer_does_not_reset_a_stream_on_which_the_client_still_sends() {
        let served = start().await;
        let mut stream = connect(&served).await;
        let put = [&[0x42, 3][..], b"PUT", &[0x86, 0x44, 13], b"/status/early", &[0x41, 1, b'h']];
        stream.write_all(&frame(HEADERS, END_HEADERS, 1, &put.concat())).await.unwrap();
        // Both within the window that a stream begins with.
        let data = frame(DATA, 0, 1, &[0; 16_000]);
        stream.write_all(&data).await.unwrap();
        loop {
            let (kind, flags, id) = next(&mut stream).await;
            if id == 1 && matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
                break;
            }
        }
        stream.write_all(&data).await.unwrap();
        stream.write_all(&frame(PING, 0, 0, &[0; 8])).await.unwrap();
        while next(&mut stream).await.0 != PING {}
        still_serves(&served).await;
    }

    #[tokio::test]
    async fn streams_that_are_opened_and_reset_without_end_end_the_connection() {
        let served = start().await;
        let mut stream = connect(&served).await;
        for number in 0..20_000_u32 {
            let id = number * 2 + 1;
            let pair = [
                frame(HEADERS, END_HEADERS | END_STREAM, id, GET),
                frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()),
            ];
            if stream.write_all(&pair.concat()).await.is_err() {
                break;
            }
        }
        assert!(is_sent_away(&mut stream).await);
        still_serves(&served).await;
    }

    #[tokio::test]
    async fn headers_that_never_end_end_the_connection() {
        let served = start().await;
        let mut stream = connect(&served).await;
        stream.write_all(&frame(HEADERS, 0, 1, GET)).await.unwrap();
        let header = [&[0, 1, b'x', 127, 0x81, 0x7f][..], &[b'x'; 16_000]].concat();
        for _ in 0..200 {
            if stream.write_all(&frame(CONTINUATION, 0, 1, &header)).await.is_err() {
                break;
            }
        }
        assert!(is_sent_away(&mut stream).await);
        still_serves(&served).await;
    }

    #[tokio::test]
    async fn frames_that_make_no_sense_end_the_connection() {
        let served = start().await;
        for bytes in [
            frame(HEADERS, END_HEADERS, 2, GET),
            frame(HEADERS, END_HEADERS, 1, &[0xff; 100]),
            frame(CONTINUATION, 0, 1, &[]),
            frame(0, 0, 0, b"data on stream zero"),
            vec![0xff; 100],
        ] {
            let mut stream = connect(&served).await;
            stream.write_all(&bytes).await.unwrap();
            assert!(is_sent_away(&mut stream).await, "{bytes:?}");
        }
        still_serves(&served).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_and_one_that_never_asks_end() {
        let served = start().await;
        let mut stream = connect(&served).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let mut stream = connect(&served).await;
        stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, GET)).await.unwrap();
        assert!(is_sent_away(&mut stream).await);
    }
}
