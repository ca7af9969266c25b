//! What it costs to find out who is calling, after the first time: the processor time of one
//! request's credentials.
//!
//! `cargo bench -p ocis-auth --bench authenticate`
#![allow(missing_docs, clippy::unwrap_used, reason = "what criterion's macros make has no words")]

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ocis_auth::directory::{Bootstrap, Directory};
use ocis_auth::oidc::bearer::{AccountKey, Accounts, Bearer, BearerOptions, Mapping};
use ocis_auth::oidc::verify::http::Http;
use ocis_auth::oidc::verify::{Options, Verifier};
use ocis_core::config::Secret;
use ocis_core::id::UserId;
use ocis_core::port::{Authenticate, Credentials};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Caller, Cx, Result};
use serde_json::json;

const ISSUER: &str = "https://idp.example.org";

/// A provider that answers at once.
#[derive(Debug)]
struct Provider(serde_json::Value);

#[async_trait]
impl Http for Provider {
    async fn send(&self, _: &Cx, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let answer = match request.uri().path() {
            "/keys" => json!({"keys": [self.0]}),
            _ => json!({"issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys")}),
        };
        Ok(Response::new(answer.to_string().into()))
    }
}

fn bearer(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let bootstrap = Bootstrap {
        admin_id: UserId::random(),
        admin_password: "admin".into(),
        create_demo_users: true,
        takes_over: None,
        now: SystemClock.now(),
    };
    let directory = Directory::open(dir.path(), bootstrap).unwrap();
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
    let jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
    let provider = Provider(serde_json::to_value(jwk).unwrap());
    let now = SystemClock.now().unix_seconds();
    // As long as those of Keycloak with some roles.
    let claims = json!({"iss": ISSUER, "sub": "1", "iat": now, "exp": now + 86_400,
        "preferred_username": "einstein", "roles": vec!["a-role-of-some-length"; 30]});
    let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &key).unwrap();
    let options = Options { skip_userinfo: true, ..Options::new(ISSUER) };
    let mapping = Mapping {
        claim: "preferred_username".into(),
        key: AccountKey::Username,
        idp: ISSUER.into(),
    };
    let bearer = Bearer::new(
        Verifier::new(Arc::new(provider), options),
        Accounts::new(directory, mapping),
        BearerOptions::default(),
    );
    let bearer = bearer.unwrap();
    c.bench_function("bearer, remembered", |b| {
        b.iter(|| {
            let cx = Cx::new(Caller::Anonymous, SystemClock.now());
            let credentials = Credentials::Bearer { token: Secret::new(token.as_str()) };
            runtime.block_on(bearer.authenticate(&cx, credentials)).unwrap()
        });
    });
}

criterion_group!(benches, bearer);
criterion_main!(benches);
