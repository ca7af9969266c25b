//! Requests whose framing or target another HTTP program could read differently are refused before
//! anything acts on them (RFC 9112 sections 3.2, 6.1 and 11.2).

use http::header::{HOST, TRANSFER_ENCODING};
use http::{Method, Request, Version};

/// Why a request is refused with 400; none when it is sound. `two_lengths` tells that its head had
/// both `Content-Length` and `Transfer-Encoding`.
pub(super) fn refusal<B>(request: &Request<B>, two_lengths: bool) -> Option<&'static str> {
    let headers = request.headers();
    if request.method() == Method::CONNECT {
        return Some("this server is not a tunnel");
    }
    if request.version() == Version::HTTP_2 {
        return None;
    }
    if two_lengths {
        return Some("both Content-Length and Transfer-Encoding are given");
    }
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(encoding) = encodings.next() {
        let chunked = encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
        if !chunked || encodings.next().is_some() {
            return Some("the only supported Transfer-Encoding is chunked");
        }
    }
    let hosts = headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Some("exactly one Host header is needed");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        refusal(&request.body(()).unwrap(), false).is_some()
    }

    #[test]
    fn only_one_host_and_only_chunked() {
        assert!(!refused(&[("host", "h")]));
        assert!(!refused(&[("host", "h"), ("transfer-encoding", "Chunked")]));
        assert!(refused(&[]));
        assert!(refused(&[("host", "h"), ("host", "h")]));
        assert!(refused(&[("host", "h"), ("transfer-encoding", "gzip, chunked")]));
        assert!(refused(&[
            ("host", "h"),
            ("transfer-encoding", "x"),
            ("transfer-encoding", "chunked")
        ]));
    }
}
