//! The OpenID provider: signs people in on pages of its own or by oCIS's JSON interface, and issues
//! tokens (OpenID Connect Core 1.0 with the code flow, RFC 7636, 8252, 9207 and 9700).
//!
//! Paths, names and token claims are those of oCIS's provider (LibreGraph Connect). Everything that
//! stands behind an endpoint is a file of its own; [`Issuer::service`] is the list of endpoints.
//!
//! What a browser or client holds is a sealed id (`seal`); what it stands for lies in the `store`.
//! Access and ID tokens are signed and checked without the store, but for whether what they come
//! from was revoked. Passwords are checked by the port [`Authenticate`], people are looked up by
//! the port [`Users`]; nothing here knows a directory.

mod api;
mod authorize;
mod check_session;
mod claims;
mod client;
mod consent;
mod cookies;
mod discovery;
mod dynamic;
mod end_session;
mod keys;
mod legacy;
mod logout;
mod pages;
mod params;
mod redirect;
mod request;
mod respond;
mod seal;
mod sign_in;
mod store;
mod token;
mod userinfo;

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use ocis_core::cx::Peer;
use ocis_core::data::{Body, HttpService};
use ocis_core::id::UserId;
use ocis_core::port::{Authenticate, FindUser, Users};
use ocis_core::time::{Clock, Timestamp};
use ocis_core::user::User;
use ocis_core::{Caller, Cx, Error, ErrorKind, Result};
use tower::service_fn;

pub use self::client::{Client, preregistered};
pub use self::keys::KeyFiles;
pub use self::logout::Deliveries;

use self::client::Clients;
use self::discovery::path;
use self::keys::Keys;
use self::logout::Notifier;
use self::pages::Pages;
use self::params::Params;
use self::seal::Seal;
use self::store::Store;

/// The largest body of a request in bytes; forms and JSON of sign-ins are a few hundred.
const MAX_BODY: usize = 64 * 1024;

/// How the provider behaves.
#[derive(Debug, Clone)]
pub struct IssuerOptions {
    /// The issuer, which is where browsers and clients reach it (`OCIS_URL`).
    pub url: String,
    /// Where its keys are.
    pub keys: KeyFiles,
    /// The file of sessions and grants. Made when it is not there.
    pub store: PathBuf,
    /// The clients; see [`preregistered`]. A later one of the same id counts.
    pub clients: Vec<Client>,
    /// How long access tokens last (`IDP_ACCESS_TOKEN_EXPIRATION`).
    pub access_token: Duration,
    /// How long ID tokens last (`IDP_ID_TOKEN_EXPIRATION`).
    pub id_token: Duration,
    /// How long a refresh token lasts, and a session that nobody uses
    /// (`IDP_REFRESH_TOKEN_EXPIRATION`).
    pub refresh_token: Duration,
    /// Whether clients may register themselves (`IDP_ALLOW_DYNAMIC_CLIENT_REGISTRATION`).
    pub dynamic_clients: bool,
    /// How long such a registration lasts; none for ever (`IDP_DYNAMIC_CLIENT_SECRET_DURATION`).
    pub dynamic_client: Option<Duration>,
    /// Where people who forgot their password are sent (`IDP_PASSWORD_RESET_URI`).
    pub password_reset: Option<String>,
    /// A picture behind the sign-in form (`IDP_LOGIN_BACKGROUND_URL`).
    pub background: Option<String>,
    /// A folder with `lang/<code>.lang`, which add to the built-in languages (`IDP_ASSET_PATH`).
    pub assets: Option<PathBuf>,
}

/// What the provider asks.
#[derive(Clone)]
pub struct IssuerParts {
    /// Checks passwords.
    pub authenticate: Arc<dyn Authenticate>,
    /// Finds people.
    pub users: Arc<dyn Users>,
    /// The time, for requests that carry no [`Cx`].
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for IssuerParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerParts").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// The provider. Clones share it.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

pub(crate) struct Inner {
    url: String,
    options: IssuerOptions,
    parts: IssuerParts,
    keys: Keys,
    seal: Seal,
    clients: Clients,
    store: Store,
    pages: Pages,
    notifier: Notifier,
    discovery: Bytes,
    jwks: Bytes,
}

impl Issuer {
    /// Opens keys and store, and makes them when they are not there. Blocks. Returns the provider,
    /// and what it has to tell clients about sessions that ended, which somebody must carry out
    /// ([`Deliveries::run`]). [`ErrorKind::InvalidArgument`] names the setting or file that is
    /// wrong; [`ErrorKind::Unavailable`]: another process has the store.
    pub fn open(options: IssuerOptions, parts: IssuerParts) -> Result<(Self, Deliveries)> {
        let url = options.url.trim_end_matches('/').to_owned();
        let keys = Keys::open(&options.keys)?;
        let pages = Pages::open(&options, &url)?;
        let (notifier, deliveries) = logout::channel();
        let algorithms = keys.algorithms();
        let registration = options.dynamic_clients;
        let discovery =
            discovery::document(&url, &algorithms, &pages.languages(), registration).to_string();
        let inner = Inner {
            clients: Clients::new(options.clients.clone(), &url)?,
            store: Store::open(&options.store)?,
            seal: Seal::new(&keys.secret),
            discovery: discovery.into(),
            jwks: keys.jwks().to_owned().into(),
            url,
            options,
            parts,
            keys,
            pages,
            notifier,
        };
        Ok((Self(Arc::new(inner)), deliveries))
    }

    /// The provider as an HTTP service. It takes time, caller and peer from the extensions of a
    /// request ([`Cx`], [`Peer`]).
    pub fn service(&self) -> HttpService {
        let inner = Arc::clone(&self.0);
        HttpService::new(service_fn(move |request| {
            let inner = Arc::clone(&inner);
            async move { Ok::<_, Infallible>(inner.answer(request).await) }
        }))
    }

    /// Forgets what has ended; to be called every minute or so. Fails when the store cannot be
    /// written any more and must be opened again.
    pub fn sweep(&self, now: Timestamp) -> Result<()> {
        self.0.store.sweep(now)?;
        self.0.store.check()
    }

    /// How often [`Self::sweep`] is worth its while.
    pub const SWEEP_EVERY: Duration = store::SWEEP_EVERY;
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("url", &self.0.url).finish_non_exhaustive()
    }
}

/// A request that was read.
pub(crate) struct Asked {
    parts: Parts,
    body: Bytes,
    cx: Cx,
    peer: Option<IpAddr>,
}

impl Asked {
    fn now(&self) -> Timestamp {
        self.cx.now
    }

    fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// The parameters: of the form for `POST`, else of the query.
    fn params(&self) -> std::result::Result<Params, params::Malformed> {
        match self.parts.method {
            Method::POST => Params::parse(&self.body),
            _ => Params::parse(self.query().as_bytes()),
        }
    }
}

impl Inner {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            return respond::empty(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let cx = match parts.extensions.get::<Cx>() {
            Some(cx) => Cx { caller: Caller::Service("idp".into()), ..cx.clone() },
            None => Cx::new(Caller::Service("idp".into()), self.parts.clock.now()),
        };
        let peer = parts.extensions.get::<Peer>().map(|Peer(address)| *address);
        let asked = Asked { body: body.to_bytes(), cx, peer, parts };
        self.route(&asked).await
    }

    async fn route(&self, asked: &Asked) -> Response<Body> {
        let at = asked.parts.uri.path();
        let at = at.strip_suffix('/').unwrap_or(at);
        let post = asked.parts.method == Method::POST;
        let get = matches!(asked.parts.method, Method::GET | Method::HEAD);
        match at {
            path::DISCOVERY if get => respond::public_json(self.discovery.clone()),
            path::JWKS if get => respond::public_json(self.jwks.clone()),
            path::TOKEN if post => self.token(asked).await,
            path::USERINFO if get || post => self.userinfo(asked).await,
            path::REGISTER if post && self.options.dynamic_clients => self.register(asked),
            path::CHECK_SESSION if get => check_session::page(),
            path::CHECK_SESSION_SCRIPT if get => check_session::script(self.secure()),
            path::AUTHORIZE if get || post => self.authorize(asked).await,
            path::END_SESSION if get || post => self.end_session(asked).await,
            path::LOGON if post => self.logon(asked).await,
            path::LOGOFF if post => self.logoff(asked).await,
            path::HELLO if post => self.hello(asked).await,
            path::CONSENT_API if post => self.consent_api(asked),
            path::SIGN_IN | path::CHOOSE if get => self.sign_in_page(asked).await,
            "/signin/v1/identifier/index.html" | "/signin/v1" if get => {
                self.sign_in_page(asked).await
            }
            path::SIGN_IN if post => self.sign_in(asked).await,
            path::CONSENT if get => self.consent_page(asked).await,
            path::CONSENT if post => self.consent(asked).await,
            path::WELCOME if get => self.welcome(asked).await,
            path::GOODBYE if get => self.goodbye(asked),
            path::STYLE if get => self.pages.style(),
            path::TOKEN | path::USERINFO | path::AUTHORIZE | path::END_SESSION => {
                respond::empty(StatusCode::METHOD_NOT_ALLOWED)
            }
            _ => self.error_page(asked, StatusCode::NOT_FOUND, "error.not_found"),
        }
    }

    /// Whether browsers reach the provider over TLS, so that cookies can be bound to it.
    fn secure(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// Who signed in with a password, if the account is there, may sign in, and still has that
    /// password.
    async fn person(&self, cx: &Cx, id: &UserId, password: &str) -> Result<Option<User>> {
        let user = self.enabled(cx, FindUser::Id(id.clone())).await?;
        Ok(user.filter(|user| user.password_version == password))
    }

    /// The account, if it is there and may sign in.
    async fn enabled(&self, cx: &Cx, which: FindUser) -> Result<Option<User>> {
        match self.parts.users.find(cx, which).await {
            Ok(user) => Ok(Some(user).filter(|user| user.enabled)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A page that says what went wrong.
    fn error_page(&self, asked: &Asked, status: StatusCode, text: &str) -> Response<Body> {
        self.pages.error(self.pages.language(asked, None), status, text)
    }

    /// A page for an error that is not the caller's fault.
    fn failure_page(&self, asked: &Asked, error: &Error) -> Response<Body> {
        tracing::error!(service = "idp", %error, "a sign-in failed");
        self.error_page(asked, StatusCode::SERVICE_UNAVAILABLE, "error.unavailable")
    }
}

#[cfg(test)]
mod tests;
