//! One service in a composition of one's own: WebDAV over a store, behind an authentication that
//! is the program's, with neither registry nor supervisor.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use ocis_core::data::HttpService;
use ocis_core::id::{StorageId, UserId};
use ocis_core::port::{CreateSpace, FindUser, ListUsers, Page, Spaces as _, Users};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::user::{User, UserRole};
use ocis_core::{Caller, Cx, Error, Identity, Result};
use ocis_runtime::http::{Limits, serve};
use ocis_storage::{Driver, Options, Store, blob::PosixBlobs, data::DataPlane};
use ocis_storage::{fs::RealFs, session::StoreSessions, ticket::Tickets, upload::StoreUploads};
use ocis_webdav::{Dav, DavOptions, DavParts};
use tower::ServiceExt as _;

/// Whoever holds this is Ada.
const TOKEN: &str = "Bearer an-example-of-a-token";

/// A directory without accounts: WebDAV asks only for the names of owners, and shows none here.
struct NoUsers;

#[async_trait]
impl Users for NoUsers {
    async fn find(&self, _: &Cx, _: FindUser) -> Result<User> {
        Err(Error::not_found("there is no such account"))
    }
    async fn list(&self, _: &Cx, _: ListUsers) -> Result<Page<User>> {
        Ok(Page { items: Vec::new(), next: None })
    }
}

/// Puts the caller into the extensions of each request, from where WebDAV takes it. Without one it
/// answers 401.
fn authenticated(ada: Arc<Identity>, next: HttpService) -> HttpService {
    HttpService::new(tower::service_fn(move |mut request: http::Request<_>| {
        // A real program compares secrets in constant time.
        if request.headers().get(AUTHORIZATION).is_some_and(|given| given == TOKEN) {
            let cx = Cx::new(Caller::User(Arc::clone(&ada)), SystemClock.now());
            request.extensions_mut().insert(cx);
        }
        next.clone().oneshot(request)
    }))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let ada = Arc::new(Identity {
        id: UserId::parse("ada")?,
        idp: "https://example.org".into(),
        username: "ada".into(),
        display_name: "Ada".into(),
        mail: String::new(),
        groups: Vec::new(),
        role: UserRole::User,
        scope: ocis_core::scope::Scope::Everything,
    });

    // Nodes and spaces (the driver), uploads, and the data plane, where bytes go for a ticket.
    let (id, root) = (StorageId::parse("example")?, folder.path());
    let tickets = Tickets::new(b"a secret of the program", &id, Duration::from_secs(3600))?;
    let blobs = Arc::new(PosixBlobs::new(Arc::new(RealFs), root));
    let store = Store::open(Arc::new(RealFs), blobs.clone(), root, Options::new(id))?;
    let driver = Arc::new(Driver::new(store.clone(), tickets.clone()));
    let uploads = Arc::new(StoreUploads::new(store.clone(), tickets.clone()));
    let sessions = Arc::new(StoreSessions::new(store.clone(), tickets.clone()));
    let data = DataPlane::new(store.clone(), blobs, tickets, Arc::new(SystemClock)).service();

    let cx = Cx::new(Caller::User(Arc::clone(&ada)), SystemClock.now());
    driver.create(&cx, CreateSpace::personal(ada.id.clone(), "Ada")).await?;
    let (users, options) = (Arc::new(NoUsers), DavOptions::default());
    let (nodes, spaces, trash, versions) = (driver.clone(), driver.clone(), driver.clone(), driver);
    let parts =
        DavParts { nodes, spaces, uploads, sessions, trash, versions, users, data, options };
    let dav = Dav::new(parts);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/webdav/hello.txt", listener.local_addr()?);
    let stop = tokio_util::sync::CancellationToken::new();
    let service = authenticated(ada, dav);
    let server = tokio::spawn(serve(listener, None, service, Limits::default(), stop.clone()));

    let client = reqwest::Client::new();
    println!("without the token: {}", client.get(&url).send().await?.status());
    let put = client.put(&url).header(AUTHORIZATION, TOKEN).body("Hello, WebDAV!").send().await?;
    println!("stored: {}", put.status());
    let get = client.get(&url).header(AUTHORIZATION, TOKEN).send().await?;
    println!("read back: {}", get.error_for_status()?.text().await?);

    stop.cancel();
    server.await?;
    tokio::task::spawn_blocking(move || store.close()).await??;
    Ok(())
}
