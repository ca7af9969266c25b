//! The caller's token there and back, as reva writes it, and everything else refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ocis_core::config::Secret;
use ocis_core::id::{GroupId, UserId};
use ocis_core::permissions::Permissions;
use ocis_core::scope::Scope;
use ocis_core::time::Timestamp;
use ocis_core::user::UserRole;
use ocis_core::{ErrorKind, Identity};
use serde_json::{Value, json};

use super::{Minter, TokenVerifier};

const NOW: i64 = 1_700_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds, 0).unwrap()
}

fn einstein(scope: Scope) -> Identity {
    Identity {
        id: UserId::parse("4c510ada-c86b-4815-8820-42cdf82c3d51").unwrap(),
        idp: "https://localhost:9200".into(),
        username: "einstein".into(),
        display_name: "Albert Einstein".into(),
        mail: "einstein@example.org".into(),
        groups: vec![GroupId::parse("509a9dcd-bb37-4f4f-a01a-19dca27d9cfa").unwrap()],
        role: UserRole::SpaceAdmin,
        scope,
    }
}

fn pair() -> (Minter, TokenVerifier) {
    let secret = Secret::new("a secret");
    (Minter::new(&secret).unwrap(), TokenVerifier::new(&secret).unwrap())
}

fn signed(algorithm: Algorithm, secret: &[u8], claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret))
        .unwrap()
}

/// As a Go service with reva signs it.
fn revas() -> Value {
    json!({
        "aud": "reva", "exp": NOW + 300, "iat": NOW, "iss": "https://localhost:9200",
        "user": {
            "id": {"idp": "https://localhost:9200", "opaque_id": "4c510ada", "type": 1},
            "username": "einstein", "mail": "einstein@example.org",
            "display_name": "Albert Einstein", "groups": ["g"],
            "opaque": {"map": {"roles": {"decoder": "json",
                "value": "WyJkN2JlZWVhOC04ZmY0LTQwNmItOGZiNi1hYjJkZDgxZTZiMTEiXQ=="}}},
            "uid_number": 20000
        },
        "scope": {"user": {"resource": {"decoder": "json", "value": "eyJwYXRoIjoiLyJ9"}, "role": 1}}
    })
}

#[test]
fn who_is_minted_is_verified() {
    let (minter, verifier) = pair();
    let below = Scope::Below {
        node: "s$p!n".parse().unwrap(),
        permissions: Permissions::STAT | Permissions::DOWNLOAD,
    };
    for scope in [Scope::Everything, below] {
        let identity = einstein(scope);
        let token = minter.mint(&identity, at(NOW)).unwrap();
        assert_eq!(verifier.verify(token.expose(), at(NOW)).unwrap(), identity);
    }
}

#[test]
fn the_claims_are_those_of_reva() {
    let (minter, verifier) = pair();
    let token = minter.mint(&einstein(Scope::Everything), at(NOW)).unwrap();
    let payload = token.expose().split('.').nth(1).unwrap();
    let mut claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims["user"]["opaque"]["map"]["roles"]["decoder"], "json");
    claims["user"]["opaque"] = Value::Null;
    let id = "4c510ada-c86b-4815-8820-42cdf82c3d51";
    let idp = "https://localhost:9200";
    let wanted = json!({
        "aud": "reva", "exp": NOW + 300, "iat": NOW, "iss": idp,
        "user": {
            "id": {"idp": idp, "opaque_id": id, "type": 1},
            "username": "einstein", "mail": "einstein@example.org",
            "display_name": "Albert Einstein",
            "groups": ["509a9dcd-bb37-4f4f-a01a-19dca27d9cfa"], "opaque": null
        },
        "scope": {"user": {"resource": {"decoder": "json", "value": "eyJwYXRoIjoiLyJ9"}, "role": 1}}
    });
    assert_eq!(claims, wanted);
    let theirs =
        verifier.verify(&signed(Algorithm::HS256, b"a secret", &revas()), at(NOW)).unwrap();
    assert_eq!((theirs.username.as_str(), theirs.role), ("einstein", UserRole::User));
    assert_eq!(theirs.scope, Scope::Everything);
}

#[test]
fn times_are_bounded() {
    let (minter, verifier) = pair();
    let token = minter.mint(&einstein(Scope::Everything), at(NOW)).unwrap();
    let good = |now| verifier.verify(token.expose(), at(now)).is_ok();
    assert!(good(NOW - 30) && good(NOW + 329));
    assert!(!good(NOW - 31) && !good(NOW + 330));
}

#[test]
fn forged_tokens_and_unknown_scopes_are_refused() {
    let (_, verifier) = pair();
    let with = |change: fn(&mut Value)| {
        let mut claims = revas();
        change(&mut claims);
        signed(Algorithm::HS256, b"a secret", &claims)
    };
    let payload = URL_SAFE_NO_PAD.encode(revas().to_string());
    let none = URL_SAFE_NO_PAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
    for token in [
        signed(Algorithm::HS256, b"another", &revas()),
        signed(Algorithm::HS384, b"a secret", &revas()),
        signed(Algorithm::HS512, b"a secret", &revas()),
        format!("{none}.{payload}."),
        format!("{none}.{payload}"),
        String::new(),
        "a".repeat(100_000),
        with(|claims| claims["aud"] = "other".into()),
        with(|claims| claims["aud"] = Value::Null),
        with(|claims| claims["exp"] = Value::Null),
        with(|claims| claims["exp"] = json!(i64::MAX)),
        with(|claims| claims["iss"] = "https://other.example.org".into()),
        with(|claims| claims["scope"] = json!({})),
        with(|claims| claims["scope"]["user"]["role"] = 3.into()),
        with(|claims| claims["scope"]["publicshare:x"] = claims["scope"]["user"].clone()),
        with(|claims| {
            let scope = claims["scope"]["user"].clone();
            claims["scope"] = json!({"below:s$p!n": scope});
        }),
    ] {
        let refused = verifier.verify(&token, at(NOW)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unauthenticated, "{token}");
    }
    let odd = with(|claims| claims["user"]["id"]["opaque_id"] = "../x".into());
    assert!(verifier.verify(&odd, at(NOW)).is_err());
    assert!(
        Minter::new(&Secret::new("")).is_err() && TokenVerifier::new(&Secret::new("")).is_err()
    );
}
