//! Who is calling: the credentials of a request, checked through the `Authenticate` port.
//!
//! Only challenges that this server can meet are sent: `Basic` when it is enabled. A page's own
//! script (`X-Requested-With: XMLHttpRequest`) gets none, so that the browser shows no dialogue.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use http::header::{AUTHORIZATION, EXPECT, HOST, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use ocis_core::data::Body;
use ocis_core::port::{Authenticate, Credentials};
use ocis_core::{Cx, Error, ErrorKind, Identity, Result};

use super::error;
use crate::http::RequestId;

/// The longest user name and password together, in bytes.
const MAX_CREDENTIALS: usize = 4096;

/// The largest request body that is read before a refusal, so that the connection can be used for
/// the next try.
const MAX_DRAIN: u64 = 64 * 1024;

/// With and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Finds out who is calling.
pub(super) struct Authentication {
    port: Arc<dyn Authenticate>,
    basic: bool,
    /// The realm where the client does not tell under which name it reached us.
    host: String,
}

impl Authentication {
    pub(super) fn new(port: Arc<dyn Authenticate>, basic: bool, url: &str) -> Self {
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default().to_owned();
        Self { port, basic, host }
    }

    /// The person whom the request's credentials prove. [`ErrorKind::Unauthenticated`] when there
    /// are none, none that this server takes, or wrong ones.
    pub(super) async fn caller(
        &self,
        cx: &Cx,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<Arc<Identity>> {
        let nobody = || Error::unauthenticated("no credentials that this server takes");
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let header = given.next().filter(|_| self.basic).ok_or_else(nobody)?;
        if given.next().is_some() {
            return Err(nobody());
        }
        let (username, password) = basic(header).ok_or_else(nobody)?;
        let credentials = Credentials::Basic { username, password, peer };
        self.port.authenticate(cx, credentials).await
    }

    /// The answer to a request whose caller could not be found out.
    pub(super) async fn refuse(
        &self,
        failure: &Error,
        request: Request<Body>,
        dav: bool,
    ) -> Response<Body> {
        if matches!(failure.kind(), ErrorKind::Internal | ErrorKind::Unavailable) {
            let id = request.extensions().get::<RequestId>().map(|RequestId(id)| &**id);
            tracing::error!("request-id" = id, ?failure, "credentials cannot be checked");
        }
        let dav = dav || is_dav_method(&request);
        let mut response = error::failed(failure, dav);
        let (head, body) = request.into_parts();
        if failure.kind() == ErrorKind::Unauthenticated && self.basic && !is_script(&head.headers) {
            let host = self.realm(&head);
            let challenge = format!("Basic realm=\"{host}\", charset=\"UTF-8\"");
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
        }
        drain(&head.headers, body).await;
        response
    }

    /// The name under which the client reached us, if it can stand in a header.
    fn realm<'a>(&'a self, head: &'a http::request::Parts) -> &'a str {
        let given = head.uri.authority().map(http::uri::Authority::as_str);
        let given = given.or_else(|| head.headers.get(HOST).and_then(|host| host.to_str().ok()));
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        given.filter(|host| host.bytes().all(legal)).unwrap_or(&self.host)
    }
}

/// User name and password of RFC 7617. Bytes that are not UTF-8 are taken for Latin-1, as old
/// clients send them.
fn basic(header: &HeaderValue) -> Option<(String, String)> {
    let bytes = header.as_bytes();
    let (scheme, rest) = bytes.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") || rest.len() > MAX_CREDENTIALS * 4 / 3 {
        return None;
    }
    let decoded = BASE64.decode(rest.trim_ascii()).ok()?;
    let text = String::from_utf8(decoded)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
    let (username, password) = text.split_once(':')?;
    // RFC 7617 section 2: neither may hold control characters.
    if username.is_empty() || text.contains(char::is_control) {
        return None;
    }
    Some((username.to_owned(), password.to_owned()))
}

fn is_script(headers: &HeaderMap) -> bool {
    headers.get("x-requested-with").is_some_and(|value| value == "XMLHttpRequest")
}

fn is_dav_method(request: &Request<Body>) -> bool {
    const METHODS: [&str; 8] =
        ["PROPFIND", "DELETE", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK"];
    METHODS.contains(&request.method().as_str())
}

/// Reads a small body to its end. A client that waits for `100 Continue` sends none.
async fn drain(headers: &HeaderMap, mut body: Body) {
    let small = body.size_hint().upper().is_some_and(|bytes| bytes <= MAX_DRAIN);
    if small && !headers.contains_key(EXPECT) {
        while let Some(Ok(_)) = body.frame().await {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &[u8]) -> Option<(String, String)> {
        basic(&HeaderValue::from_bytes(header).unwrap())
    }

    fn encoded(credentials: &[u8]) -> Vec<u8> {
        format!("Basic {}", BASE64.encode(credentials)).into_bytes()
    }

    #[test]
    fn utf8_and_latin1_with_and_without_padding() {
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(parse(b"Basic YWRtaW46YWRtaW4="), pair("admin", "admin"));
        assert_eq!(parse(b"bAsIc YWRtaW46YWRtaW4"), pair("admin", "admin"));
        assert_eq!(parse(&encoded("jürgen:grün:x".as_bytes())), pair("jürgen", "grün:x"));
        assert_eq!(parse(&encoded(b"j\xfcrgen:gr\xfcn")), pair("jürgen", "grün"));
        assert_eq!(parse(&encoded(b"admin:")), pair("admin", ""));
    }

    #[test]
    fn anything_else_proves_nobody() {
        for header in [
            &b"Basic"[..],
            b"Basic ",
            b"Basic !!!!",
            b"Bearer YWRtaW46YWRtaW4=",
            b"Basic\tYWRtaW46YWRtaW4=",
            &encoded(b"admin"),
            &encoded(b":password"),
            &encoded(b"ad\0min:x"),
            &encoded(b"admin:x\ny"),
            &encoded(&[b"u:".as_slice(), &[b'x'; 5000]].concat()),
        ] {
            assert_eq!(parse(header), None, "{header:?}");
        }
    }
}
