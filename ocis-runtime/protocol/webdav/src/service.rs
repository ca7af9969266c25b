//! From a request to an answer: authentication, routing, and the choice of the verb.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use ocis_core::data::{Body, HttpService, empty};
use ocis_core::path::SpacePath;
use ocis_core::port::{Nodes, Spaces, Trash, UploadSessions, Uploads, Users, Versions};
use ocis_core::{Caller, Cx, Error};

use crate::error::{Answer, Failure};
use crate::route::{self, Place, Route};
use crate::tree::{Homes, Target};
use crate::tus;
use crate::verb;

/// What the protocol needs.
#[derive(Clone)]
pub struct DavParts {
    /// Files and folders.
    pub nodes: Arc<dyn Nodes>,
    /// Where personal spaces are, and quotas.
    pub spaces: Arc<dyn Spaces>,
    /// Where content goes in.
    pub uploads: Arc<dyn Uploads>,
    /// Uploads in pieces.
    pub sessions: Arc<dyn UploadSessions>,
    /// What was deleted.
    pub trash: Arc<dyn Trash>,
    /// Former contents of files.
    pub versions: Arc<dyn Versions>,
    /// The names of owners.
    pub users: Arc<dyn Users>,
    /// The data plane of the storage.
    pub data: HttpService,
    /// What can be set.
    pub options: DavOptions,
}

impl fmt::Debug for DavParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DavParts").field("options", &self.options).finish_non_exhaustive()
    }
}

/// What can be set.
#[derive(Debug, Clone)]
pub struct DavOptions {
    /// Whether PROPFIND may list a whole tree (`OCDAV_ALLOW_PROPFIND_DEPTH_INFINITY`); 405 if not.
    pub allow_depth_infinity: bool,
    /// The public URL of the server, without a slash at its end (`OCIS_URL`).
    pub url: String,
    /// The longest that a lock lives without being refreshed; none means for ever.
    pub max_lock_timeout: Option<Duration>,
    /// `product` and `productname` of `/status.php` (`OCDAV_PRODUCT`).
    pub product: String,
    /// `edition` of `/status.php` (`OCDAV_EDITION`).
    pub edition: String,
    /// `productversion` of `/status.php`: the version of this server.
    pub product_version: String,
    /// `version` of `/status.php`: the version of ownCloud that clients take this for.
    pub version: String,
    /// `versionstring` of `/status.php` (`OCDAV_VERSIONSTRING`).
    pub version_string: String,
}

impl Default for DavOptions {
    fn default() -> Self {
        Self {
            allow_depth_infinity: false,
            url: "https://localhost:9200".into(),
            max_lock_timeout: Some(Duration::from_secs(365 * 86_400)),
            product: "Infinite Scale".into(),
            edition: "Community".into(),
            product_version: env!("CARGO_PKG_VERSION").into(),
            version: "10.11.0.0".into(),
            version_string: "10.11.0".into(),
        }
    }
}

/// The WebDAV service.
#[derive(Debug)]
pub struct Dav;

impl Dav {
    /// The HTTP service for `/status.php`, `/status`, `/webdav`, `/dav` and both of the latter below
    /// `/remote.php`; other paths are 404. The caller comes as [`Cx`] in the request's extensions;
    /// `OPTIONS` and the status are answered without. Every failure is an answer.
    #[allow(clippy::new_ret_no_self, reason = "what is made is a boxed tower service")]
    pub fn new(parts: DavParts) -> HttpService {
        let server = Arc::new(Server { parts, homes: Homes::default() });
        HttpService::new(tower::service_fn(move |request| {
            let server = Arc::clone(&server);
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        }))
    }
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Server {
    /// The ports.
    pub(crate) parts: DavParts,
    /// Where the personal spaces are.
    pub(crate) homes: Homes,
}

/// One request, without its body.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// What all requests share.
    pub(crate) server: Arc<Server>,
    /// Who asks, and when.
    pub(crate) cx: Cx,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// What the URL stands for.
    pub(crate) target: Target,
    /// The host that the client believes to talk to.
    pub(crate) host: String,
}

impl Call {
    /// Files and folders.
    pub(crate) fn nodes(&self) -> &dyn Nodes {
        &*self.server.parts.nodes
    }

    /// Who asks, for the ports.
    pub(crate) fn cx(&self) -> &Cx {
        &self.cx
    }
}

impl Server {
    async fn answer(self: Arc<Self>, request: Request<Body>) -> Response<Body> {
        let is_head = request.method() == Method::HEAD;
        let response = self.dispatch(request).await.unwrap_or_else(Failure::into_response);
        if is_head { response.map(|_| empty()) } else { response }
    }

    async fn dispatch(self: Arc<Self>, request: Request<Body>) -> Answer {
        let (parts, body) = request.into_parts();
        let route = route::parse(parts.uri.path())?;
        if let Route::Status = route {
            return verb::status::status(&self.parts.options, &parts.method);
        }
        if parts.method == Method::OPTIONS {
            return verb::options::options(&route);
        }
        // Who asks does not matter where nobody gets an answer.
        if let Route::Later = route {
            return Err(Failure::not_yet());
        }
        let cx = parts.extensions.get::<Cx>();
        let Some(cx) = cx.filter(|cx| !matches!(cx.caller, Caller::Anonymous)) else {
            return Err(Error::unauthenticated("you are not signed in").into());
        };
        let (place, facet) = match route {
            Route::Node(place) => (place, Part::Node),
            Route::Trash(route::Trash { prefix, root, key }) => {
                (Place { prefix, root, path: SpacePath::root() }, Part::Trash(key))
            }
            Route::Meta(route::Meta { prefix, id, what }) => {
                let root = route::Root::Resource(id);
                (Place { prefix, root, path: SpacePath::root() }, Part::Meta(what))
            }
            Route::Fork => {
                return Err(Failure::not_allowed(
                    verb::options::ALLOW_NONE,
                    "there is nothing here",
                ));
            }
            Route::Later => return Err(Failure::not_yet()),
            Route::Unknown | Route::Status => {
                return Err(Failure::new(StatusCode::NOT_FOUND, "File not found in root"));
            }
        };
        let target = Target::find(&self, cx, place).await?;
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = parts.uri.authority().map_or(host, |authority| Some(authority.as_str()));
        let call = Call {
            cx: cx.clone(),
            target,
            host: host.unwrap_or_default().to_owned(),
            headers: parts.headers,
            server: self,
        };
        match facet {
            Part::Trash(key) => return verb::trash::answer(&call, key, &parts.method, body).await,
            Part::Meta(what) => {
                return verb::versions::answer(&call, what, &parts.method, body).await;
            }
            Part::Node => {}
        }
        let is_preview =
            parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "preview=1"));
        verb(&call, &parts.method, is_preview, body).await
    }
}

/// What of the target a request is about.
enum Part {
    Node,
    Trash(Option<String>),
    Meta(route::Facet),
}

async fn verb(call: &Call, method: &Method, is_preview: bool, body: Body) -> Answer {
    match method.as_str() {
        // Previews are drawn by the thumbnails service.
        "GET" | "HEAD" if is_preview => Err(Failure::not_yet()),
        "GET" => verb::get::get(call).await,
        "HEAD" => verb::get::head(call).await,
        "PUT" => verb::put::put(call, body).await,
        "DELETE" => verb::delete::delete(call, body).await,
        "MKCOL" => verb::mkcol::mkcol(call, body).await,
        "COPY" => verb::copy_move::copy(call, body).await,
        "MOVE" => verb::copy_move::rename(call, body).await,
        "PROPPATCH" => verb::proppatch::proppatch(call, body).await,
        "LOCK" => verb::lock::lock(call, body).await,
        "UNLOCK" => verb::unlock::unlock(call).await,
        "PROPFIND" => verb::propfind::propfind(call, body).await,
        "POST" => tus::create::create(call, body).await,
        "REPORT" | "SEARCH" => Err(Failure::not_yet()),
        "PATCH" | "TRACE" | "CONNECT" => Err(Failure::not_allowed(
            verb::options::ALLOW,
            "this method does not work on files and folders",
        )),
        _ => Err(Failure::new(StatusCode::NOT_IMPLEMENTED, "this server knows no such method")),
    }
}

/// An answer without a body.
pub(crate) fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}

/// A header value of text that we made; what cannot stand in a header is left out.
pub(crate) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
