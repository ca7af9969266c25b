//! A storage under test, and the short ways in which the suites talk to it.

use std::fmt;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::cx::{Caller, Cx, Identity};
use crate::data::{Body, HttpService, TICKET, Written, full};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ResourceId, UserId};
use crate::node::Node;
use crate::path::SpacePath;
use crate::port::{
    Conditions, CreateFolder, CreateSpace, List, Nodes, OpenRead, OpenUpload, PageRequest, Spaces,
    Stat, Uploads,
};
use crate::reference::Reference;
use crate::time::Timestamp;
use crate::user::UserRole;

/// A storage under test.
pub struct Subject {
    /// Files and folders.
    pub nodes: Arc<dyn Nodes>,
    /// Spaces.
    pub spaces: Arc<dyn Spaces>,
    /// Uploads.
    pub uploads: Arc<dyn Uploads>,
    /// The data plane.
    pub data: HttpService,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").finish_non_exhaustive()
    }
}

/// A person called `name` at second `now` of 2026's first day.
pub(super) fn person(name: &str, now: i64) -> Cx {
    let identity = Identity {
        id: UserId::parse(name).unwrap(),
        idp: "https://localhost:9200".into(),
        username: name.into(),
        display_name: name.into(),
        mail: format!("{name}@example.org"),
        groups: Vec::new(),
        role: UserRole::User,
        scope: crate::scope::Scope::Everything,
    };
    let now = Timestamp::from_unix(1_767_225_600 + now, 0).unwrap();
    Cx::new(Caller::User(Arc::new(identity)), now)
}

/// The kind of the error that must have come.
pub(super) fn refused<T: fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.expect_err("this must be refused").kind()
}

impl Subject {
    /// Makes the personal space of the caller.
    pub(super) async fn home(&self, cx: &Cx) -> ResourceId {
        let owner = cx.caller.identity().unwrap();
        let request = CreateSpace::personal(owner.id.clone(), owner.display_name.clone());
        self.spaces.create(cx, request).await.unwrap().root
    }

    pub(super) async fn stat(&self, cx: &Cx, target: Reference) -> Result<Node> {
        self.nodes.stat(cx, Stat { target }).await
    }

    pub(super) async fn mkdir(&self, cx: &Cx, target: Reference) -> Result<Node> {
        self.nodes
            .create_folder(cx, CreateFolder { target, conditions: Conditions::default() })
            .await
    }

    /// All names in a folder, asked for in pages of `limit`.
    pub(super) async fn names(
        &self,
        cx: &Cx,
        target: &Reference,
        limit: u32,
    ) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let mut cursor = None;
        loop {
            let request = List { target: target.clone(), page: PageRequest { cursor, limit } };
            let page = self.nodes.list(cx, request).await?;
            assert!(page.items.len() <= limit as usize, "a page is longer than asked for");
            names.extend(page.items.iter().map(|node| node.info.name.clone()));
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(names),
            }
        }
    }

    /// Uploads `content`.
    pub(super) async fn put(&self, cx: &Cx, target: Reference, content: &[u8]) -> Result<Written> {
        let length = Some(content.len() as u64);
        let conditions = Conditions::default();
        let upload = OpenUpload { target, length, mtime: None, checksum: None, conditions };
        self.upload(cx, upload, content).await
    }

    /// Uploads `content` as asked for in `upload`.
    pub(super) async fn upload(
        &self,
        cx: &Cx,
        upload: OpenUpload,
        content: &[u8],
    ) -> Result<Written> {
        self.send(cx, upload, full(content.to_vec())).await
    }

    async fn send(&self, cx: &Cx, upload: OpenUpload, body: Body) -> Result<Written> {
        let ticket = self.uploads.open(cx, upload).await?.ticket;
        let request = http::Request::put("/data").header(TICKET, ticket);
        let request = request.body(body).unwrap();
        let answer = self.data.clone().oneshot(request).await.unwrap();
        let ok = answer.status().is_success();
        let body = answer.into_body().collect().await?.to_bytes();
        if ok {
            return Ok(serde_json::from_slice(&body).unwrap());
        }
        Err(serde_json::from_slice::<Error>(&body).unwrap())
    }

    /// Uploads a content of unknown length that breaks off with `Unavailable` after `content`.
    pub(super) async fn broken(
        &self,
        cx: &Cx,
        target: Reference,
        content: Vec<u8>,
    ) -> Result<Written> {
        let conditions = Conditions::default();
        let upload = OpenUpload { target, length: None, mtime: None, checksum: None, conditions };
        let end = async { Some(Err(Error::unavailable("the body broke off"))) };
        self.send(cx, upload, full(content).with_trailers(end).boxed_unsync()).await
    }

    /// Downloads the content.
    pub(super) async fn get(&self, cx: &Cx, target: Reference) -> Result<Vec<u8>> {
        let ticket = self.nodes.open_read(cx, OpenRead { target }).await?.ticket;
        self.download(&ticket).await
    }

    /// Downloads what a ticket stands for.
    pub(super) async fn download(&self, ticket: &str) -> Result<Vec<u8>> {
        let request = http::Request::get("/data").header(TICKET, ticket);
        let request = request.body(crate::data::empty()).unwrap();
        let answer = self.data.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), http::StatusCode::OK);
        Ok(answer.into_body().collect().await?.to_bytes().to_vec())
    }
}

/// The node at `path` below `root`.
pub(super) fn at(root: &ResourceId, path: &str) -> Reference {
    Reference::below(root.clone(), SpacePath::parse(path).unwrap())
}
