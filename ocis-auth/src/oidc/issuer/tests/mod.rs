//! The provider as a browser and a client see it, without a server around it.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

mod api;
mod flow;
mod hostile;
mod pages;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use async_trait::async_trait;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use ocis_core::Identity;
use ocis_core::data::full;
use ocis_core::port::{Credentials, ListUsers, Page};
use ocis_core::user::{UserRole, UserType};
use parking_lot::Mutex;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::*;

const URL: &str = "https://cloud.example.org";
const CALLBACK: &str = "https://cloud.example.org/oidc-callback.html";
/// What RFC 7636 appendix B shows.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Two people; the password of everybody is the user name backwards.
#[derive(Debug, Default)]
struct People {
    disabled: Mutex<bool>,
    deleted: Mutex<bool>,
    password_version: Mutex<String>,
    slow: Mutex<bool>,
    peers: Mutex<Vec<Option<IpAddr>>>,
}

impl People {
    fn user(&self, name: &str) -> Option<User> {
        let (id, mail) = match name {
            "marie" => ("4c510ada-c86b-4815-8820-42cdf82c3d51", "marie@example.org"),
            "einstein" => ("058bff95-6708-4fe5-91e4-9ea3d377588b", "einstein@example.org"),
            _ => return None,
        };
        if *self.deleted.lock() {
            return None;
        }
        Some(User {
            id: UserId::parse(id).unwrap(),
            username: name.into(),
            display_name: name.to_uppercase(),
            given_name: "Given".into(),
            surname: "Family".into(),
            mail: mail.into(),
            groups: Vec::new(),
            enabled: !*self.disabled.lock(),
            user_type: UserType::Member,
            identities: Vec::new(),
            password_version: self.password_version.lock().clone(),
        })
    }
}

#[async_trait]
impl Authenticate for People {
    async fn authenticate(&self, _: &Cx, request: Credentials) -> Result<Arc<Identity>> {
        let Credentials::Basic { username, password, peer } = request else {
            return Err(Error::unimplemented("no"));
        };
        self.peers.lock().push(peer);
        if *self.slow.lock() {
            return Err(Error::new(ErrorKind::ResourceExhausted, "too many"));
        }
        let user = self.user(&username).filter(|user| user.enabled);
        let right: String = username.chars().rev().collect();
        match user {
            Some(user) if right == password => Ok(Arc::new(Identity {
                id: user.id,
                idp: URL.into(),
                username: user.username,
                display_name: user.display_name,
                mail: user.mail,
                groups: user.groups,
                role: UserRole::User,
                scope: Default::default(),
            })),
            _ => Err(Error::unauthenticated("no")),
        }
    }
}

#[async_trait]
impl Users for People {
    async fn find(&self, _: &Cx, request: FindUser) -> Result<User> {
        let mut all = ["marie", "einstein"].into_iter().filter_map(|name| self.user(name));
        let found = match request {
            FindUser::Id(id) => all.find(|user| user.id == id),
            FindUser::Username(name) => all.find(|user| user.username == name),
            FindUser::Mail(_) => None,
        };
        found.ok_or_else(|| Error::not_found("nobody"))
    }

    async fn list(&self, _: &Cx, _: ListUsers) -> Result<Page<User>> {
        Err(Error::unimplemented("no"))
    }
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        at(0)
    }
}

/// `seconds` after the tests began.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_800_000_000 + seconds, 0).unwrap()
}

/// A provider, and a browser with its cookies.
struct Desk {
    people: Arc<People>,
    issuer: Issuer,
    deliveries: Deliveries,
    cookies: BTreeMap<String, String>,
    /// Seconds since the tests began.
    time: i64,
    folder: TempDir,
    options: IssuerOptions,
}

struct Reply {
    status: u16,
    headers: http::HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |location| location.to_str().unwrap())
    }

    /// The parameters with which the browser is sent to the client.
    fn answer(&self) -> Params {
        let (at, query) = self.location().split_once('?').unwrap_or_else(|| {
            panic!("{} does not lead to the client: {}", self.location(), self.text)
        });
        assert!(!at.starts_with("/signin"), "still signing in: {at}");
        Params::parse(query.as_bytes()).unwrap()
    }

    fn code(&self) -> String {
        self.answer().get("code").unwrap_or_else(|| panic!("{}", self.location())).to_owned()
    }

    /// The value of a hidden field of a page.
    fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, rest) =
            self.text.split_once(&mark).unwrap_or_else(|| panic!("no {name}: {}", self.text));
        rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#39;", "'")
    }
}

/// A key takes a while to make, so all tests share one.
fn key() -> &'static [u8] {
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    KEY.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let files = KeyFiles {
            signing: vec![folder.path().join("key.pem")],
            kid: "private-key".into(),
            method: "PS256".into(),
            validation: None,
            secret: folder.path().join("secret"),
        };
        Keys::open(&files).unwrap();
        std::fs::read(folder.path().join("key.pem")).unwrap()
    })
}

impl Desk {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut IssuerOptions)) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("private-key.pem"), key()).unwrap();
        let mut options = IssuerOptions {
            url: URL.into(),
            keys: KeyFiles {
                signing: vec![folder.path().join("private-key.pem")],
                kid: "private-key".into(),
                method: "PS256".into(),
                validation: None,
                secret: folder.path().join("encryption.key"),
            },
            store: folder.path().join("store.redb"),
            clients: preregistered(),
            access_token: Duration::from_secs(300),
            id_token: Duration::from_secs(300),
            refresh_token: Duration::from_secs(2_592_000),
            dynamic_clients: false,
            dynamic_client: None,
            password_reset: None,
            background: None,
            assets: None,
        };
        options.clients.push(Client {
            id: "other".into(),
            name: "An <other> app".into(),
            redirect_uris: vec!["https://other.example/cb".into()],
            post_logout_redirect_uris: vec!["https://other.example/bye".into()],
            ..Client::default()
        });
        change(&mut options);
        let people = Arc::new(People::default());
        let (issuer, deliveries) = open(&options, &people);
        Self { people, issuer, deliveries, cookies: BTreeMap::new(), time: 0, folder, options }
    }

    /// What a restart of the server does.
    fn restart(self) -> Self {
        let Self { people, issuer, deliveries, cookies, time, folder, options } = self;
        drop((issuer, deliveries));
        let (issuer, deliveries) = open(&options, &people);
        Self { people, issuer, deliveries, cookies, time, folder, options }
    }

    async fn send(&mut self, request: http::request::Builder, body: &str) -> Reply {
        let mut request = request.body(full(body.to_owned())).unwrap();
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(COOKIE, cookies.join("; ").parse().unwrap());
        }
        request.headers_mut().insert("host", "cloud.example.org".parse().unwrap());
        request.extensions_mut().insert(Cx::new(Caller::Anonymous, at(self.time)));
        request.extensions_mut().insert(Peer("192.0.2.7".parse().unwrap()));
        let response = self.issuer.service().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (pair, rest) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    async fn get(&mut self, target: &str) -> Reply {
        let target = target.strip_prefix(URL).unwrap_or(target);
        self.send(Request::get(target), "").await
    }

    async fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Reply {
        let form = params::encode(fields.iter().copied());
        self.send(Request::post(target), &form).await
    }

    async fn authorize(&mut self, fields: &[(&str, &str)]) -> Reply {
        self.get(&format!("{}?{}", path::AUTHORIZE, request(fields))).await
    }

    /// Fills in the form that a page shows.
    async fn fill_in(&mut self, page: &Reply, name: &str, password: &str) -> Reply {
        let (token, request) = (page.field("token"), page.field("request"));
        let fields = [
            ("token", &*token),
            ("request", &*request),
            ("username", name),
            ("password", password),
        ];
        self.post(path::SIGN_IN, &fields).await
    }

    /// Signs somebody in on the page, for a client's request.
    async fn sign_in(&mut self, name: &str, fields: &[(&str, &str)]) -> Reply {
        let sent = self.authorize(fields).await;
        assert!(sent.location().starts_with(path::SIGN_IN), "{} {}", sent.location(), sent.text);
        let page = self.get(sent.location()).await;
        let password: String = name.chars().rev().collect();
        self.fill_in(&page, name, &password).await
    }

    async fn redeem(&mut self, code: &str, fields: &[(&str, &str)]) -> Reply {
        let mut all = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "web"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("code", code),
        ];
        for field in fields {
            all.retain(|(name, _)| *name != field.0);
            all.push(*field);
        }
        self.post(path::TOKEN, &all).await
    }

    async fn refresh(&mut self, token: &str) -> Reply {
        let fields =
            [("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", token)];
        self.post(path::TOKEN, &fields).await
    }

    async fn userinfo(&mut self, token: &str) -> Reply {
        let request =
            Request::get(path::USERINFO).header("authorization", format!("Bearer {token}"));
        self.send(request, "").await
    }

    /// Tokens of somebody who signed in.
    async fn tokens(&mut self, name: &str) -> Value {
        let code = self.sign_in(name, &[]).await.code();
        let reply = self.redeem(&code, &[]).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }
}

fn open(options: &IssuerOptions, people: &Arc<People>) -> (Issuer, Deliveries) {
    let parts = IssuerParts {
        authenticate: Arc::clone(people) as _,
        users: Arc::clone(people) as _,
        clock: Arc::new(Stopped),
    };
    Issuer::open(options.clone(), parts).unwrap()
}

/// The query of a request of ownCloud Web, with some parameters changed; an empty value takes one
/// away.
fn request(fields: &[(&str, &str)]) -> String {
    let mut params = Params::parse(
        params::encode([
            ("client_id", "web"),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid profile email offline_access"),
            ("state", "the state"),
            ("nonce", "the nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
        .as_bytes(),
    )
    .unwrap();
    for (name, value) in fields {
        params = match *value {
            "" => params.without(name),
            value => params.with(name, value),
        };
    }
    params.query()
}

/// The claims of a token, unchecked.
fn claims(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap()
}
