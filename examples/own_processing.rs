//! A resumable upload, interrupted and continued, and a processing step of the program's own that
//! looks at every content before anybody can read it.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::TryStreamExt as _;
use http::Request;
use http_body_util::BodyExt as _;
use ocis_core::data::{Body, HttpService, TICKET, UPLOAD_OFFSET, empty, full};
use ocis_core::id::StorageId;
use ocis_core::port::{CreateSession, CreateSpace, Nodes as _, OpenRead, OpenUpload};
use ocis_core::port::{Spaces as _, UploadSessions as _};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Caller, Cx, Result, path::SpacePath, reference::Reference, space::SpaceKind};
use ocis_storage::session::StoreSessions;
use ocis_storage::session::step::{Done, Incoming, Outcome, Processing, Step};
use ocis_storage::{Driver, Options, Store, blob::PosixBlobs, data::DataPlane};
use ocis_storage::{fs::RealFs, ticket::Tickets};
use tower::ServiceExt as _;

/// Refuses whatever contains a word. It may run again for the same content, after a crash.
#[derive(Debug)]
struct NoWord(&'static str);

#[async_trait]
impl Step for NoWord {
    fn name(&self) -> &str {
        "no-word"
    }
    async fn run(&self, _: &Cx, content: &Incoming) -> Result<Done> {
        let bytes = content.read().try_collect::<Vec<_>>().await?.concat();
        let text = String::from_utf8_lossy(&bytes);
        // Refused: the file has its former content again, or is gone where there was none.
        Ok(if text.contains(self.0) { Outcome::Delete } else { Outcome::Continue }.into())
    }
}

async fn ask(data: &HttpService, request: Request<Body>) -> anyhow::Result<http::Response<Body>> {
    Ok(data.clone().oneshot(request).await?)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (folder, id) = (tempfile::tempdir()?, StorageId::parse("example")?);
    let root = folder.path();
    let tickets = Tickets::new(b"a secret of the program", &id, Duration::from_secs(3600))?;
    let blobs = Arc::new(PosixBlobs::new(Arc::new(RealFs), root));
    let steps: Vec<Arc<dyn Step>> = vec![Arc::new(NoWord("secret"))];
    let processing = Processing { steps, ..Processing::default() };
    let options = Options { processing, ..Options::new(id) };
    let store = Store::open(Arc::new(RealFs), blobs.clone(), root, options)?;
    let driver = Driver::new(store.clone(), tickets.clone());
    let sessions = StoreSessions::new(store.clone(), tickets.clone());
    let data = DataPlane::new(store.clone(), blobs, tickets, Arc::new(SystemClock)).service();

    let cx = Cx::new(Caller::Service("example".into()), SystemClock.now());
    let space = driver.create(&cx, CreateSpace::new(SpaceKind::Project, "Example")).await?;
    let target = Reference::below(space.root, SpacePath::parse("hello.txt")?);

    // The first bytes come, and the client goes away. It asks where to go on, and does.
    let upload = OpenUpload { length: Some(17), ..OpenUpload::new(target.clone()) };
    let open = sessions.create(&cx, CreateSession { upload, metadata: Vec::new() }).await?;
    let patch = |offset: u64| {
        Request::patch("/").header(TICKET, &open.ticket).header(UPLOAD_OFFSET, offset)
    };
    ask(&data, patch(0).body(full("Hello, "))?).await?;
    let head = Request::head("/").header(TICKET, &open.ticket).body(empty())?;
    let there = ask(&data, head).await?.headers()[UPLOAD_OFFSET].to_str()?.parse()?;
    println!("{there} bytes are there");
    let whole = ask(&data, patch(there).body(full("processing"))?).await?;
    println!("whole: {}", whole.status());

    // The file is there, and nobody can read it yet: processing runs beside everything else.
    let read = || driver.open_read(&cx, OpenRead { target: target.clone() });
    println!("too early: {}", read().await.is_err());
    let ticket = tokio::select! {
        ended = sessions.run(Arc::new(SystemClock)) => anyhow::bail!("it ended: {ended:?}"),
        ticket = async {
            loop {
                match read().await {
                    Ok(read) => break read.ticket,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        } => ticket,
    };
    let answer = ask(&data, Request::get("/").header(TICKET, ticket).body(empty())?).await?;
    let content = answer.into_body().collect().await?.to_bytes();
    println!("read back: {}", String::from_utf8_lossy(&content));
    tokio::task::spawn_blocking(move || store.close()).await??;
    Ok(())
}
