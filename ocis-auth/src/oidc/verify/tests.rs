//! A provider in this process, and what its tokens must and must not prove.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::http::{Request, Response, StatusCode};
use async_trait::async_trait;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use bytes::Bytes;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ocis_core::{Caller, ErrorKind};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;

pub(crate) const ISSUER: &str = "https://idp.example.org/realm";
pub(crate) const NOW: i64 = 1_700_000_000;

pub(crate) fn cx(now: i64) -> Cx {
    Cx::new(Caller::Anonymous, Timestamp::from_unix(now, 0).unwrap())
}

/// A key that signs.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Signer {
    pub(crate) fn ec(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        Self { kid, algorithm: Algorithm::ES256, key: EncodingKey::from_ec_der(der.as_ref()) }
    }

    pub(crate) fn rsa(kid: &'static str) -> Self {
        let size = aws_lc_rs::rsa::KeySize::Rsa2048;
        let pair = aws_lc_rs::rsa::KeyPair::generate(size).unwrap();
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
        // The signer takes PKCS#1, which PKCS#8 wraps in 26 bytes for keys of this size.
        let pkcs1 = der.as_ref()[26..].to_vec();
        Self { kid, algorithm: Algorithm::RS256, key: EncodingKey::from_rsa_der(&pkcs1) }
    }

    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.to_owned());
        jwk.common.public_key_use = Some(jsonwebtoken::jwk::PublicKeyUse::Signature);
        serde_json::to_value(jwk).unwrap()
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(Header { kid: Some(self.kid.into()), ..Header::new(self.algorithm) }, claims)
    }

    fn sign_as(&self, header: Header, claims: &Value) -> String {
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

/// A token with a header and signature of choice.
fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let parts = [header.to_string(), claims.to_string()].map(|part| encoded(part.as_bytes()));
    format!("{}.{}.{}", parts[0], parts[1], encoded(signature))
}

fn encoded(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// The provider; counts what it is asked.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    pub(crate) keys: Mutex<Vec<Value>>,
    /// Userinfo by token.
    pub(crate) people: Mutex<Vec<(String, Value)>>,
    pub(crate) is_down: Mutex<bool>,
    pub(crate) issuer: Mutex<Option<&'static str>>,
    pub(crate) discoveries: AtomicUsize,
    pub(crate) fetches: AtomicUsize,
    pub(crate) asked: AtomicUsize,
}

#[async_trait]
impl Http for Provider {
    async fn send(&self, _: &Cx, request: Request<Bytes>) -> Result<Response<Bytes>> {
        tokio::task::yield_now().await;
        let url = request.uri().to_string();
        let answer = match url.strip_prefix(ISSUER).unwrap_or(&url) {
            "/.well-known/openid-configuration" => {
                self.discoveries.fetch_add(1, Ordering::Relaxed);
                Some(json!({
                    "issuer": self.issuer.lock().unwrap_or(ISSUER),
                    "jwks_uri": format!("{ISSUER}/keys"),
                    "userinfo_endpoint": format!("{ISSUER}/me"),
                }))
            }
            "/keys" => {
                self.fetches.fetch_add(1, Ordering::Relaxed);
                Some(json!({ "keys": *self.keys.lock() }))
            }
            "/me" => {
                self.asked.fetch_add(1, Ordering::Relaxed);
                let header = request.headers()[AUTHORIZATION].to_str().unwrap();
                let token = header.strip_prefix("Bearer ").unwrap();
                let people = self.people.lock();
                people.iter().find(|(known, _)| known == token).map(|(_, who)| who.clone())
            }
            _ => unreachable!("{url}"),
        };
        if *self.is_down.lock() {
            return Err(unreachable(&url));
        }
        let mut response = Response::new(Bytes::new());
        match answer {
            Some(answer) => *response.body_mut() = answer.to_string().into(),
            None => *response.status_mut() = StatusCode::UNAUTHORIZED,
        }
        Ok(response)
    }
}

impl Provider {
    pub(crate) fn with(signers: &[&Signer]) -> Arc<Self> {
        let keys = signers.iter().map(|signer| signer.jwk()).collect();
        Arc::new(Self { keys: Mutex::new(keys), ..Self::default() })
    }

    pub(crate) fn verifier(self: &Arc<Self>, change: impl FnOnce(&mut Options)) -> Verifier {
        let mut options = Options { skip_userinfo: true, ..Options::new(ISSUER) };
        change(&mut options);
        Verifier::new(Arc::clone(self) as _, options)
    }
}

/// The claims of a token that is fine.
pub(crate) fn fine() -> Value {
    json!({"iss": ISSUER, "sub": "1", "aud": "web", "iat": NOW, "exp": NOW + 300,
           "preferred_username": "einstein"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = fine();
    claims[name] = value;
    claims
}

async fn kind(verifier: &Verifier, token: &str) -> Option<ErrorKind> {
    verifier.access_token(&cx(NOW), token).await.err().map(|error| error.kind())
}

const REFUSED: Option<ErrorKind> = Some(ErrorKind::Unauthenticated);

#[tokio::test]
async fn tokens_of_the_provider_are_verified_with_two_fetches_in_all() {
    let (ec, rsa) = (Signer::ec("ec"), Signer::rsa("rsa"));
    let provider = Provider::with(&[&ec, &rsa]);
    let verifier = provider.verifier(|_| {});
    for signer in [&ec, &rsa, &ec] {
        let verified = verifier.access_token(&cx(NOW), &signer.sign(&fine())).await.unwrap();
        assert_eq!(verified.claims.text("preferred_username"), Some("einstein"));
        assert_eq!(verified.expires.unwrap().unix_seconds(), NOW + 300);
    }
    let no_kid = ec.sign_as(Header::new(Algorithm::ES256), &fine());
    assert_eq!(kind(&verifier, &no_kid).await, None);
    let counts = [&provider.discoveries, &provider.fetches].map(|n| n.load(Ordering::Relaxed));
    assert_eq!(counts, [1, 1]);
}

#[tokio::test]
async fn no_algorithm_but_that_of_the_key() {
    let (ec, rsa) = (Signer::ec("ec"), Signer::rsa("rsa"));
    let provider = Provider::with(&[&ec, &rsa]);
    let shared = json!({"kty": "oct", "kid": "shared", "alg": "HS256", "k": encoded(b"secret")});
    let encrypts = Signer::ec("encrypts");
    let mut for_encryption = encrypts.jwk();
    for_encryption["use"] = "enc".into();
    provider.keys.lock().extend([shared, for_encryption, json!({"kty": "odd"})]);
    let verifier = provider.verifier(|_| {});
    assert_eq!(kind(&verifier, &ec.sign(&fine())).await, None);

    for alg in ["none", "None", "NONE", "nOnE", "HS256", "RS256", "ES384", "dir", ""] {
        for kid in ["ec", "rsa", "shared"] {
            let header = json!({"alg": alg, "kid": kid, "typ": "JWT"});
            for signature in [&b""[..], &[0; 64], &[0; 256]] {
                let token = forged(&header, &fine(), signature);
                assert_eq!(kind(&verifier, &token).await, REFUSED, "{alg} {kid}");
            }
        }
    }
    // The public key, as anybody can fetch it, as the secret of HS256.
    let jwk: Jwk = serde_json::from_value(rsa.jwk()).unwrap();
    let public = [
        serde_json::to_vec(&rsa.jwk()).unwrap(),
        rsa.jwk()["n"].as_str().unwrap().as_bytes().to_vec(),
        jsonwebtoken::DecodingKey::from_jwk(&jwk)
            .map(|_| rsa.jwk()["n"].to_string().into_bytes())
            .unwrap(),
        b"secret".to_vec(),
    ];
    for secret in public {
        for kid in ["rsa", "shared"] {
            let header = Header { kid: Some(kid.into()), ..Header::new(Algorithm::HS256) };
            let key = EncodingKey::from_secret(&secret);
            let token = jsonwebtoken::encode(&header, &fine(), &key).unwrap();
            assert_eq!(kind(&verifier, &token).await, REFUSED);
        }
    }
    // A key of the right kind that was made for something else.
    assert_eq!(kind(&verifier, &encrypts.sign(&fine())).await, REFUSED);
    let pss = Header { kid: Some("rsa".into()), ..Header::new(Algorithm::PS256) };
    assert_eq!(kind(&verifier, &rsa.sign_as(pss, &fine())).await, REFUSED);
}

#[tokio::test]
async fn forged_cut_and_odd_tokens_are_refused() {
    let (ec, stranger) = (Signer::ec("ec"), Signer::ec("ec"));
    let provider = Provider::with(&[&ec]);
    let verifier = provider.verifier(|_| {});
    let good = ec.sign(&fine());
    assert_eq!(kind(&verifier, &good).await, None);
    assert_eq!(kind(&verifier, &stranger.sign(&fine())).await, REFUSED);
    let parts: Vec<&str> = good.split('.').collect();
    let other = ec.sign(&with("preferred_username", "admin".into()));
    let other: Vec<&str> = other.split('.').collect();
    for token in [
        String::new(),
        ".".into(),
        "..".into(),
        "opaque".into(),
        good[..good.len() - 1].to_owned(),
        good[..good.len() - 20].to_owned(),
        format!("{good}."),
        format!("{good}.x.y"),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], other[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], other[2]),
        forged(
            &json!({"alg": "ES256", "kid": "ec", "crit": ["b64"], "b64": false}),
            &fine(),
            &[0; 64],
        ),
        "a".repeat(20_000),
    ] {
        assert_eq!(kind(&verifier, &token).await, REFUSED, "{token}");
    }
}

#[tokio::test]
async fn the_issuer_the_times_and_the_kind_must_be_right() {
    let ec = Signer::ec("ec");
    let verifier = Provider::with(&[&ec]).verifier(|_| {});
    for (claims, want) in [
        (with("iss", "https://other.example.org".into()), REFUSED),
        (with("iss", format!("{ISSUER}/").into()), REFUSED),
        (with("iss", Value::Null), REFUSED),
        (with("iss", json!([ISSUER])), REFUSED),
        (with("exp", NOW.into()), REFUSED),
        (with("exp", (NOW + 1).into()), None),
        (with("exp", json!("2099-01-01")), REFUSED),
        (with("exp", json!(1e300)), REFUSED),
        (with("nbf", (NOW + 30).into()), None),
        (with("nbf", (NOW + 31).into()), REFUSED),
        (with("iat", (NOW + 31).into()), REFUSED),
        (with("typ", "Refresh".into()), REFUSED),
        (with("typ", "ID".into()), REFUSED),
        (with("typ", "Bearer".into()), None),
        (with("at_hash", "x".into()), REFUSED),
        (with("lg.t", "2".into()), REFUSED),
        (with("lg.t", "1".into()), None),
        (with("events", json!({jwt::LOGOUT_EVENT: {}})), REFUSED),
    ] {
        assert_eq!(kind(&verifier, &ec.sign(&claims)).await, want, "{claims}");
    }
}

#[tokio::test]
async fn whom_a_token_is_meant_for_counts_where_that_is_set() {
    let ec = Signer::ec("ec");
    let verifier =
        Provider::with(&[&ec]).verifier(|options| options.audiences = vec!["ocis".into()]);
    for (audience, want) in [
        (json!("ocis"), None),
        (json!(["web", "ocis"]), None),
        (json!("web"), REFUSED),
        (json!([]), REFUSED),
        (Value::Null, REFUSED),
        (json!({"ocis": 1}), REFUSED),
    ] {
        let token = ec.sign(&with("aud", audience.clone()));
        assert_eq!(kind(&verifier, &token).await, want, "{audience}");
    }
}

#[tokio::test]
async fn a_new_key_is_fetched_but_not_for_everybody_who_asks() {
    let (old, new) = (Signer::ec("old"), Signer::ec("new"));
    let provider = Provider::with(&[&old]);
    let verifier = provider.verifier(|_| {});
    let fetches = || provider.fetches.load(Ordering::Relaxed);
    let at = async |now: i64, signer: &Signer| {
        let claims = json!({"iss": ISSUER, "exp": now + 300});
        verifier.access_token(&cx(now), &signer.sign(&claims)).await.is_ok()
    };
    assert!(at(NOW, &old).await);
    provider.keys.lock().push(new.jwk());
    assert!(!at(NOW + 59, &new).await);
    assert_eq!(fetches(), 1);
    assert!(at(NOW + 60, &new).await);
    assert_eq!(fetches(), 2);
    for _ in 0..10 {
        assert!(!at(NOW + 61, &Signer::ec("unknown")).await);
    }
    assert_eq!(fetches(), 2);
    // A key that the provider took back is no longer good once they are fetched again.
    provider.keys.lock().remove(0);
    assert!(at(NOW + 3000, &old).await);
    assert!(!at(NOW + 3700, &old).await);
}

#[tokio::test]
async fn a_provider_that_is_away_is_no_wrong_token_and_what_is_known_goes_on() {
    let ec = Signer::ec("ec");
    let provider = Provider::with(&[&ec]);
    let verifier = provider.verifier(|_| {});
    let token = |now: i64| ec.sign(&json!({"iss": ISSUER, "exp": now + 300}));
    *provider.is_down.lock() = true;
    let many = (0..10).map(|_| async { kind(&verifier, &token(NOW)).await });
    let answers = futures::future::join_all(many).await;
    assert!(answers.iter().all(|kind| *kind == Some(ErrorKind::Unavailable)), "{answers:?}");
    assert_eq!(provider.discoveries.load(Ordering::Relaxed), 1);
    *provider.is_down.lock() = false;
    assert_eq!(kind(&verifier, &token(NOW)).await, Some(ErrorKind::Unavailable));
    assert!(verifier.access_token(&cx(NOW + 2), &token(NOW)).await.is_ok());
    *provider.is_down.lock() = true;
    let later = NOW + 100_000;
    assert!(verifier.access_token(&cx(later), &token(later)).await.is_ok());
}

#[tokio::test]
async fn a_provider_that_speaks_for_another_is_not_believed() {
    let ec = Signer::ec("ec");
    let provider = Provider::with(&[&ec]);
    *provider.issuer.lock() = Some("https://other.example.org");
    let verifier = provider.verifier(|_| {});
    assert_eq!(kind(&verifier, &ec.sign(&fine())).await, Some(ErrorKind::Unavailable));
}

#[tokio::test]
async fn userinfo_adds_to_the_token_but_never_about_somebody_else() {
    let ec = Signer::ec("ec");
    let provider = Provider::with(&[&ec]);
    let verifier = provider.verifier(|options| options.skip_userinfo = false);
    let token = ec.sign(&fine());
    assert_eq!(kind(&verifier, &token).await, REFUSED, "the provider does not know it");
    provider.people.lock().push((token.clone(), json!({"sub": "1", "name": "Albert"})));
    let verified = verifier.access_token(&cx(NOW), &token).await.unwrap();
    assert_eq!(verified.claims.text("name"), Some("Albert"));
    assert_eq!(verified.claims.text("preferred_username"), Some("einstein"));
    provider.people.lock()[0].1 = json!({"sub": "2", "preferred_username": "admin"});
    assert_eq!(kind(&verifier, &token).await, REFUSED);
}

#[tokio::test]
async fn opaque_tokens_are_what_the_provider_says() {
    let provider = Provider::with(&[]);
    let verifier = provider.verifier(|options| options.method = Method::Opaque);
    provider.people.lock().push(("opaque".into(), json!({"sub": "1", "name": "Albert"})));
    let verified = verifier.access_token(&cx(NOW), "opaque").await.unwrap();
    assert_eq!(verified.claims.text("name"), Some("Albert"));
    assert_eq!(verified.claims.text("iss"), Some(ISSUER));
    assert!(!verified.is_signed && verified.expires.is_none());
    assert_eq!(kind(&verifier, "opaqu").await, REFUSED);
}

#[tokio::test]
async fn logout_tokens_and_nothing_that_looks_like_one() {
    let (ec, stranger) = (Signer::ec("ec"), Signer::ec("ec"));
    let verifier = Provider::with(&[&ec]).verifier(|_| {});
    let logout = || {
        json!({"iss": ISSUER, "aud": "web", "iat": NOW, "jti": "1", "sub": "1", "sid": "s",
               "events": {jwt::LOGOUT_EVENT: {}}})
    };
    let token = verifier.logout_token(&cx(NOW), &ec.sign(&logout())).await.unwrap();
    assert_eq!((token.session.as_deref(), token.subject.as_deref()), (Some("s"), Some("1")));
    let wrong = [
        ("nonce", json!("n")),
        ("events", json!({})),
        ("events", Value::Null),
        ("iss", json!("https://other.example.org")),
        ("iat", Value::Null),
        ("iat", json!(NOW - 700)),
        ("exp", json!(NOW)),
    ];
    for (name, value) in wrong {
        let mut claims = logout();
        claims[name] = value;
        assert!(verifier.logout_token(&cx(NOW), &ec.sign(&claims)).await.is_err(), "{claims}");
    }
    let mut nobody = logout();
    nobody["sub"] = Value::Null;
    nobody["sid"] = Value::Null;
    assert!(verifier.logout_token(&cx(NOW), &ec.sign(&nobody)).await.is_err());
    assert!(verifier.logout_token(&cx(NOW), &stranger.sign(&logout())).await.is_err());
    let unsigned = forged(&json!({"alg": "none"}), &logout(), b"");
    assert!(verifier.logout_token(&cx(NOW), &unsigned).await.is_err());
    assert!(verifier.logout_token(&cx(NOW), &ec.sign(&fine())).await.is_err());
}
