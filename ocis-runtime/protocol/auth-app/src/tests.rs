//! Requests and answers, over tokens that remember what they were asked.

use async_trait::async_trait;
use http::Request;
use http_body_util::BodyExt as _;
use ocis_core::port::NewAppToken;
use ocis_core::{Caller, ErrorKind, Result};
use parking_lot::Mutex;
use tower::ServiceExt as _;

use super::*;

#[derive(Default)]
struct Asked {
    created: Mutex<Vec<CreateAppToken>>,
    revoked: Mutex<Vec<String>>,
    fails: Mutex<Option<ErrorKind>>,
}

impl Asked {
    fn fails(&self) -> Result<()> {
        match *self.fails.lock() {
            Some(kind) => Err(Error::new(kind, "not you")),
            None => Ok(()),
        }
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_700_000_000 + seconds, 0).unwrap()
}

fn kept(label: &str) -> AppToken {
    AppToken { hash: "$argon2id$x".into(), label: label.into(), created: at(0), expires: at(3600) }
}

#[async_trait]
impl AppTokens for Asked {
    async fn create(&self, _: &Cx, request: CreateAppToken) -> Result<NewAppToken> {
        self.fails()?;
        let kept = kept(&request.label);
        self.created.lock().push(request);
        Ok(NewAppToken { token: Secret::new("ocis_x"), username: "marie".into(), kept })
    }

    async fn list(&self, _: &Cx, _: ListAppTokens) -> Result<Vec<AppToken>> {
        self.fails()?;
        Ok(vec![kept("phone")])
    }

    async fn revoke(&self, _: &Cx, request: RevokeAppToken) -> Result<()> {
        self.fails()?;
        self.revoked.lock().push(request.token.expose().to_owned());
        Ok(())
    }
}

async fn send(asked: &Arc<Asked>, method: &str, target: &str) -> (u16, String) {
    let mut request = Request::builder().method(method).uri(target).body(empty()).unwrap();
    request.extensions_mut().insert(Cx::new(Caller::Anonymous, at(0)));
    let response = Tokens::new(Arc::clone(asked) as _).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.into()).unwrap())
}

#[tokio::test]
async fn a_token_is_made_as_the_query_says() {
    let asked = Arc::<Asked>::default();
    let (status, body) = send(&asked, "POST", "/auth-app/tokens?expiry=1h30m").await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        r#"{"token":"ocis_x","expiration_date":"2023-11-14T23:13:20Z","created_date":"2023-11-14T22:13:20Z","label":"Generated via API"}"#
    );
    send(&asked, "POST", "/auth-app/tokens/?expiry=72h&userName=moss&label=my+phone").await;
    send(&asked, "POST", "/auth-app/tokens?expiry=72h&userID=u").await;
    let created = asked.created.lock();
    let [own, named, by_id] = &created[..] else { panic!("{created:?}") };
    assert_eq!((own.expires, &own.user, &own.username), (at(5400), &None, &None));
    assert_eq!((named.label.as_str(), named.username.as_deref()), ("my phone", Some("moss")));
    assert_eq!(by_id.user, Some(UserId::parse("u").unwrap()));
    assert_eq!(by_id.label, "Generated via Impersonation API");
}

#[tokio::test]
async fn tokens_are_listed_with_their_hash_and_revoked() {
    let asked = Arc::<Asked>::default();
    let (status, body) = send(&asked, "GET", "/auth-app/tokens").await;
    assert_eq!(status, 200);
    assert!(body.starts_with(r#"[{"token":"$argon2id$x","#), "{body}");
    let (status, body) = send(&asked, "DELETE", "/auth-app/tokens?token=$a%2Bb+c").await;
    assert_eq!((status, body.as_str()), (200, ""));
    assert_eq!(*asked.revoked.lock(), ["$a+b+c"]);
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let asked = Arc::<Asked>::default();
    for (method, target, status, text) in [
        ("POST", "/auth-app/tokens", 400, "error parsing expiry. Use e.g. 30m or 72h\n"),
        ("POST", "/auth-app/tokens?expiry=-1h", 400, "error parsing expiry. Use e.g. 30m or 72h\n"),
        ("DELETE", "/auth-app/tokens", 400, "missing auth-app token. Set 'token' parameter\n"),
        ("PUT", "/auth-app/tokens", 405, "Method Not Allowed\n"),
        ("GET", "/auth-app/tokens/x", 404, "Not Found\n"),
    ] {
        assert_eq!(send(&asked, method, target).await, (status, text.to_owned()), "{method}");
    }
    for (kind, status) in [
        (ErrorKind::PermissionDenied, 403),
        (ErrorKind::NotFound, 404),
        (ErrorKind::ResourceExhausted, 429),
        (ErrorKind::Unavailable, 503),
    ] {
        *asked.fails.lock() = Some(kind);
        let answer = send(&asked, "POST", "/auth-app/tokens?expiry=1h").await;
        assert_eq!(answer, (status, "not you\n".to_owned()));
    }
    *asked.fails.lock() = Some(ErrorKind::Internal);
    let answer = send(&asked, "GET", "/auth-app/tokens").await;
    assert_eq!(answer, (500, "Internal Server Error\n".to_owned()));
}
