//! URLs that carry a signature in their query (`OC-Signature`).
//!
//! What was signed is the URL as the client wrote it: with the scheme of `OCIS_URL` and the host
//! under which the client reached us.

use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{Method, Uri};
use ocis_core::port::Credentials;

use super::Asked;

/// Which signed URLs are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUrls {
    https: bool,
    methods: Vec<Method>,
}

impl SignedUrls {
    /// Those for one of `methods` (`proxy.pre_signed_url.allowed_http_methods`); `url` is `OCIS_URL`.
    pub fn new(methods: Vec<Method>, url: &str) -> Self {
        Self { https: url.starts_with("https:"), methods }
    }

    /// The signed URL of a request that presents nothing else.
    pub(super) fn credentials(&self, Asked { head, peer }: Asked<'_>) -> Option<Credentials> {
        let is_signed = |pair: &str| pair.starts_with("OC-Signature=");
        if !head.uri.query()?.split('&').any(is_signed)
            || head.headers.contains_key(AUTHORIZATION)
            || !self.methods.contains(&head.method)
        {
            return None;
        }
        let scheme = if self.https { "https" } else { "http" };
        let (host, path) = (host(head)?, head.uri.path_and_query()?);
        let (method, url) = (head.method.to_string(), format!("{scheme}://{host}{path}"));
        Some(Credentials::SignedUrl { method, url, peer })
    }
}

/// The host and port under which the client reached us.
fn host(head: &Parts) -> Option<&str> {
    let header = || head.headers.get(HOST).and_then(|host| host.to_str().ok());
    Uri::authority(&head.uri).map(http::uri::Authority::as_str).or_else(header)
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::request::Builder;

    use super::*;

    fn presented(url: &str, request: Builder) -> Option<String> {
        let urls = SignedUrls::new(vec![Method::GET], url);
        let (head, ()) = request.body(()).unwrap().into_parts();
        match urls.credentials(Asked { head: &head, peer: None })? {
            Credentials::SignedUrl { method, url, .. } => Some(format!("{method} {url}")),
            _ => None,
        }
    }

    #[test]
    fn the_url_is_that_of_the_client() {
        let target = "/dav/a%20b?x=1&OC-Signature=00";
        let request = || Request::get(target).header(HOST, "cloud.example.org:9200");
        let https = "GET https://cloud.example.org:9200/dav/a%20b?x=1&OC-Signature=00";
        assert_eq!(presented("https://localhost:9200", request()).as_deref(), Some(https));
        let http = https.replace("https:", "http:");
        assert_eq!(presented("http://localhost", request()), Some(http));
        let whole = Request::get(format!("https://cloud.example.org:9200{target}"));
        assert_eq!(presented("https://localhost:9200", whole).as_deref(), Some(https), "HTTP/2");
    }

    #[test]
    fn other_methods_other_credentials_and_no_signature_are_none() {
        let request = |method: &str, target: &str| {
            Request::builder().method(method).uri(target).header(HOST, "h")
        };
        let signed = "/dav/a?OC-Signature=00";
        assert!(presented("https://h", request("GET", signed)).is_some());
        for request in [
            request("PUT", signed),
            request("HEAD", signed),
            request("GET", "/dav/a"),
            request("GET", "/dav/OC-Signature=00"),
            request("GET", "/dav/a?xOC-Signature=00"),
            request("GET", signed).header(AUTHORIZATION, "Bearer x"),
            Request::get(signed),
        ] {
            assert_eq!(presented("https://h", request), None);
        }
    }
}
