//! An edge over services that tests can look into.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use ocis_core::config::{Networks, Value as _};
use ocis_core::data::{Body, HttpService, full};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::port::{
    AssignRole, Authenticate, CreateSpace, Credentials, DisableSpace, GetSpace, ListSpaces, Page,
    PurgeSpace, RestoreSpace, RoleAssignment, Roles, Spaces, UnassignRole, UpdateSpace,
};
use ocis_core::quota::Quota;
use ocis_core::scope::Scope;
use ocis_core::space::Space;
use ocis_core::time::{Clock, Timestamp};
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, Error, ErrorKind, Identity, Result};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tower::service_fn;

use super::{Edge, EdgeParts, GivenRoute, GivenRoutes, Scheme};

/// `admin:secret`, URL `https://cloud.example.org`.
pub(crate) const ADMIN: &str = "Basic YWRtaW46c2VjcmV0";

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix(1_700_000_000, 0).unwrap()
}

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        now()
    }
}

/// Knows everybody whose password is `secret`. The user `light` has no personal space.
#[derive(Default)]
pub(crate) struct Directory {
    pub(crate) asked: AtomicUsize,
    pub(crate) fails: Mutex<Option<ErrorKind>>,
    /// What was presented last, as it may be shown.
    pub(crate) last: Mutex<String>,
}

#[async_trait]
impl Authenticate for Directory {
    async fn authenticate(&self, _: &Cx, credentials: Credentials) -> Result<Arc<Identity>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if let Some(kind) = *self.fails.lock() {
            return Err(Error::new(kind, "not now").with("retry_after", 7));
        }
        *self.last.lock() = format!("{credentials:?}");
        match credentials {
            Credentials::AppToken { username, token, .. } if token.expose() == "ocis_x" => {
                Ok(Arc::new(person(&username)?))
            }
            Credentials::SignedUrl { url, .. } if url.ends_with("OC-Signature=right") => {
                Ok(Arc::new(person("marie")?))
            }
            Credentials::Bearer { token } if token.expose() == "token" => {
                Ok(Arc::new(person("einstein")?))
            }
            Credentials::Basic { username, password, .. } if password == "secret" => {
                Ok(Arc::new(person(&username)?))
            }
            _ => Err(Error::unauthenticated("wrong")),
        }
    }
}

fn person(username: &str) -> Result<Identity> {
    Ok(Identity {
        id: UserId::parse(username)?,
        idp: "https://cloud.example.org".into(),
        display_name: format!("The {username}"),
        username: username.to_owned(),
        mail: String::new(),
        groups: Vec::new(),
        role: UserRole::User,
        scope: Scope::Everything,
    })
}

/// Knows the roles of `light` and `boss`; everybody else gets the one that is asked for.
#[derive(Default)]
pub(crate) struct RoleBook {
    pub(crate) fails: Mutex<Option<ErrorKind>>,
}

#[async_trait]
impl Roles for RoleBook {
    async fn assigned(&self, cx: &Cx, user: UserId) -> Result<Option<RoleAssignment>> {
        if !matches!(user.as_str(), "light" | "boss") {
            return Ok(None);
        }
        self.ensure(cx, AssignRole { user, role: UserRole::User }).await.map(Some)
    }

    async fn holders(&self, _: &Cx, _: UserRole) -> Result<Vec<RoleAssignment>> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn assign(&self, _: &Cx, _: AssignRole) -> Result<RoleAssignment> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn ensure(&self, cx: &Cx, request: AssignRole) -> Result<RoleAssignment> {
        assert!(matches!(cx.caller, Caller::Service(_)), "{:?}", cx.caller);
        if let Some(kind) = *self.fails.lock() {
            return Err(Error::new(kind, "no"));
        }
        let role = match request.user.as_str() {
            "light" => UserRole::UserLight,
            "boss" => UserRole::Admin,
            _ => request.role,
        };
        Ok(RoleAssignment { id: "a".into(), user: request.user, role })
    }

    async fn unassign(&self, _: &Cx, _: UnassignRole) -> Result<()> {
        Err(Error::unimplemented("not in this fake"))
    }
}

/// Remembers which spaces it was asked to make; each take a moment.
#[derive(Default)]
pub(crate) struct SpaceMaker {
    pub(crate) made: Mutex<Vec<CreateSpace>>,
    pub(crate) fails: Mutex<Option<ErrorKind>>,
}

#[async_trait]
impl Spaces for SpaceMaker {
    async fn list(&self, _: &Cx, _: ListSpaces) -> Result<Page<Space>> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn get(&self, _: &Cx, _: GetSpace) -> Result<Space> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn create(&self, cx: &Cx, request: CreateSpace) -> Result<Space> {
        assert_eq!(request.owner.as_ref(), Some(&cx.caller.identity()?.id));
        tokio::task::yield_now().await;
        self.made.lock().push(request.clone());
        if let Some(kind) = *self.fails.lock() {
            return Err(Error::new(kind, "no"));
        }
        let id = SpaceId::personal(&request.owner.unwrap());
        Ok(Space {
            root: ResourceId::root(StorageId::parse("s")?, id),
            kind: request.kind,
            name: request.name,
            alias: request.alias.unwrap_or_default(),
            description: String::new(),
            owner: None,
            quota: Quota { total: None, used: 0, remaining: None },
            etag: ocis_core::etag::Etag::new("e"),
            mtime: cx.now,
            permissions: ocis_core::permissions::Permissions::MANAGER,
            image: None,
            readme: None,
            disabled: None,
        })
    }

    async fn update(&self, _: &Cx, _: UpdateSpace) -> Result<Space> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn disable(&self, _: &Cx, _: DisableSpace) -> Result<()> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn restore(&self, _: &Cx, _: RestoreSpace) -> Result<Space> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn purge(&self, _: &Cx, _: PurgeSpace) -> Result<()> {
        Err(Error::unimplemented("not in this fake"))
    }
}

/// Everything behind one edge.
#[derive(Default, Clone)]
pub(crate) struct World {
    pub(crate) directory: Arc<Directory>,
    pub(crate) roles: Arc<RoleBook>,
    pub(crate) roles_of_provider: bool,
    pub(crate) given_routes: Vec<GivenRoute>,
    pub(crate) spaces: Arc<SpaceMaker>,
    /// A request to `/status/wait` tells that it runs, and then waits for leave to end.
    pub(crate) running: Arc<Notify>,
    pub(crate) leave: Arc<Notify>,
}

impl World {
    pub(crate) fn edge(&self, basic_auth: bool) -> HttpService {
        let mut schemes = vec![Scheme::Bearer];
        if basic_auth {
            schemes.push(Scheme::Basic);
        }
        self.edge_with(schemes, "")
    }

    /// An edge that takes credentials of `schemes`, behind the proxies in `trusted`.
    pub(crate) fn edge_with(&self, schemes: Vec<Scheme>, trusted: &str) -> HttpService {
        let backend = self.backend();
        Edge::new(EdgeParts {
            authenticate: Arc::clone(&self.directory) as _,
            roles: Arc::clone(&self.roles) as _,
            roles_of_provider: self.roles_of_provider,
            spaces: Arc::clone(&self.spaces) as _,
            backends: HashMap::from([("ocdav", backend.clone()), ("frontend", backend)]),
            given_routes: GivenRoutes { replace: false, routes: self.given_routes.clone() },
            schemes,
            url: "https://cloud.example.org".into(),
            clock: Arc::new(Fixed),
            deadline: Duration::from_secs(60),
            role_quotas: HashMap::from([(UserRole::User.id().to_owned(), 1000)]),
            trusted_proxies: Networks::parse(trusted).unwrap(),
        })
    }

    /// Answers who asks, the headers that came along, and how many bytes the body had.
    fn backend(&self) -> HttpService {
        let world = self.clone();
        HttpService::new(service_fn(move |request| {
            let world = world.clone();
            async move { Ok::<_, Infallible>(world.answer(request).await) }
        }))
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        match path.as_str() {
            "/status/boom" => panic!("boom"),
            "/status/endless" => return Response::new(endless()),
            "/status/wait" => {
                self.running.notify_one();
                self.leave.notified().await;
            }
            "/status/early" => {
                let mut response = Response::new(full("no\n"));
                *response.status_mut() = StatusCode::INSUFFICIENT_STORAGE;
                return response;
            }
            _ => {}
        }
        let cx = request.extensions().get::<Cx>().unwrap();
        let who = match &cx.caller {
            Caller::User(identity) if identity.role == UserRole::Admin => {
                format!("{}!", identity.username)
            }
            Caller::User(identity) if identity.role == UserRole::UserLight => {
                format!("{}?", identity.username)
            }
            Caller::User(identity) => identity.username.clone(),
            other => format!("{other:?}"),
        };
        assert_eq!(cx.deadline, Some(now().plus(Duration::from_secs(60))));
        let trace = Arc::clone(&cx.trace);
        let names: Vec<_> = request.headers().keys().map(ToString::to_string).collect();
        let bytes = match request.into_body().collect().await {
            Ok(body) => body.to_bytes().len(),
            Err(error) => {
                let mut response = Response::new(full(format!("{error}\n")));
                *response.status_mut() = StatusCode::BAD_REQUEST;
                return response;
            }
        };
        Response::new(full(format!("{who} trace={trace} {} bytes={bytes}\n", names.join(","))))
    }
}

fn endless() -> Body {
    let chunk = Bytes::from(vec![0_u8; 64 * 1024]);
    let frames = futures::stream::repeat(chunk).map(|chunk| Ok(Frame::data(chunk)));
    StreamBody::new(frames).boxed_unsync()
}
