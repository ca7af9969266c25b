//! What it costs to find out who is calling, after the first time: the processor time of one
//! request's credentials.
//!
//! `cargo bench -p ocis-auth --bench authenticate`
#![allow(missing_docs, clippy::unwrap_used, reason = "what criterion's macros make has no words")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::pbkdf2;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ocis_auth::app_token::{AppTokenOptions, AppTokens};
use ocis_auth::basic::{Basic, BasicOptions};
use ocis_auth::directory::{Bootstrap, Directory};
use ocis_auth::oidc::bearer::{AccountKey, Accounts, Bearer, BearerOptions, Mapping};
use ocis_auth::oidc::verify::http::Http;
use ocis_auth::oidc::verify::{Options, Verifier};
use ocis_auth::signed_url::{SignedUrls, SigningKeys};
use ocis_auth::throttle::{Limits, Throttle};
use ocis_core::checksum::hex;
use ocis_core::config::Secret;
use ocis_core::conformance::MemoryDocuments;
use ocis_core::id::UserId;
use ocis_core::port::{
    AppTokens as _, Authenticate, CreateAppToken, Credentials, FindUser, OwnSigningKey,
    SigningKeys as _, Users as _,
};
use ocis_core::scope::Scope;
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, Identity, Result};
use serde_json::json;
use tokio::runtime::Runtime;

const ISSUER: &str = "https://idp.example.org";
const URL: &str = "https://cloud.example.org";

/// The embedded directory with its demo users.
struct World {
    runtime: Runtime,
    directory: Arc<Directory>,
    throttle: Arc<Throttle>,
    documents: Arc<MemoryDocuments>,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bootstrap = Bootstrap {
            admin_id: UserId::random(),
            admin_password: "admin".into(),
            create_demo_users: true,
            takes_over: None,
            now: SystemClock.now(),
        };
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            directory: Directory::open(dir.path(), bootstrap).unwrap(),
            throttle: Arc::new(Throttle::new(Limits::default()).unwrap()),
            documents: Arc::default(),
            _dir: dir,
        }
    }

    /// Einstein, signed in.
    fn einstein(&self) -> Cx {
        let service = Cx::new(Caller::Service("bench".into()), SystemClock.now());
        let which = FindUser::Username("einstein".into());
        let user = self.runtime.block_on(self.directory.find(&service, which)).unwrap();
        let identity = Identity {
            id: user.id,
            idp: URL.into(),
            username: user.username,
            display_name: user.display_name,
            mail: user.mail,
            groups: user.groups,
            role: UserRole::User,
            scope: Scope::Everything,
        };
        Cx::new(Caller::User(Arc::new(identity)), service.now)
    }

    fn measure(&self, c: &mut Criterion, name: &str, port: &dyn Authenticate, of: &Credentials) {
        c.bench_function(name, |b| {
            b.iter(|| {
                let cx = Cx::new(Caller::Anonymous, SystemClock.now());
                self.runtime.block_on(port.authenticate(&cx, of.clone())).unwrap()
            });
        });
    }
}

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
    let world = World::new();
    let directory = Arc::clone(&world.directory);
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
    let credentials = Credentials::Bearer { token: Secret::new(token) };
    world.measure(c, "bearer, remembered", &bearer, &credentials);
}

fn basic(c: &mut Criterion) {
    let world = World::new();
    let basic = Basic::new(Arc::clone(&world.directory) as _, BasicOptions::new(URL)).unwrap();
    let credentials = Credentials::Basic {
        username: "einstein".into(),
        password: "relativity".into(),
        peer: "192.0.2.1".parse().ok(),
    };
    world.measure(c, "basic, remembered", &basic, &credentials);
}

fn app_token(c: &mut Criterion) {
    let world = World::new();
    let tokens = AppTokens::new(
        Arc::clone(&world.documents) as _,
        Arc::clone(&world.directory) as _,
        Arc::clone(&world.throttle),
        AppTokenOptions::new(URL),
    );
    let (tokens, einstein) = (tokens.unwrap(), world.einstein());
    let request = CreateAppToken {
        user: None,
        username: None,
        label: "bench".into(),
        expires: einstein.now.plus(Duration::from_secs(86_400)),
    };
    let token = world.runtime.block_on(tokens.create(&einstein, request)).unwrap().token;
    let credentials = Credentials::AppToken {
        username: "einstein".into(),
        token,
        peer: "192.0.2.1".parse().ok(),
    };
    world.measure(c, "app token, remembered", &tokens, &credentials);
}

fn signed_url(c: &mut Criterion) {
    let world = World::new();
    let life = Duration::from_secs(86_400);
    let keys = Arc::new(SigningKeys::new(Arc::clone(&world.documents) as _, life));
    let users = Arc::clone(&world.directory) as _;
    let urls = SignedUrls::new(Arc::clone(&keys), users, Arc::clone(&world.throttle), URL).unwrap();
    let einstein = world.einstein();
    let key = world.runtime.block_on(keys.own(&einstein, OwnSigningKey {})).unwrap().key;
    let date = einstein.now.to_string().replace(':', "%3A");
    let url = format!(
        "{URL}/remote.php/dav/spaces/f9f4a4d8-7a3c-4ee3-8a6d-4a4a2f2d8a11/Films/film.mp4?\
         OC-Credential=einstein&OC-Date={date}&OC-Expires=86400&OC-Verb=GET"
    );
    let mut signature = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA512,
        10_000.try_into().unwrap(),
        key.expose().as_bytes(),
        url.as_bytes(),
        &mut signature,
    );
    let url = format!("{url}&OC-Algo=PBKDF2%2F10000-SHA512&OC-Signature={}", hex(&signature));
    let credentials =
        Credentials::SignedUrl { method: "GET".into(), url, peer: "192.0.2.1".parse().ok() };
    world.measure(c, "signed URL, remembered", &urls, &credentials);
}

criterion_group!(benches, bearer, basic, app_token, signed_url);
criterion_main!(benches);
