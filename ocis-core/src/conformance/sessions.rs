//! What every storage must do with uploads that come in pieces.

use std::ops::Deref;

use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::subject::{Subject, at, person, refused};
use crate::cx::{Caller, Cx};
use crate::data::{
    CHECKSUM_MISMATCH, TICKET, UPLOAD_CHECKSUM, UPLOAD_OFFSET, Written, empty, full,
};
use crate::error::ErrorKind;
use crate::etag::EtagMatch;
use crate::port::{
    ActOnSession, Conditions, CreateSession, GetSession, ListSessions, OpenSession, OpenUpload,
    PageRequest, SessionAction, SetLength, UploadSessions,
};
use crate::reference::Reference;
use crate::upload::UploadSession;

/// Runs everything about upload sessions. The data plane's clock may be any, but no session may
/// expire by it while the suite runs.
pub async fn sessions(subject: &Subject, sessions: &dyn UploadSessions) {
    let subject = &Pieces { subject, sessions };
    pieces(subject).await;
    offsets(subject).await;
    chunks(subject).await;
    lengths(subject).await;
    refusals(subject).await;
    one_name(subject).await;
    strangers(subject).await;
    lists(subject).await;
}

fn server(cx: &Cx) -> Cx {
    Cx { caller: Caller::Service("conformance".into()), ..cx.clone() }
}

/// A storage with its sessions.
struct Pieces<'a> {
    subject: &'a Subject,
    sessions: &'a dyn UploadSessions,
}

impl Deref for Pieces<'_> {
    type Target = Subject;

    fn deref(&self) -> &Subject {
        self.subject
    }
}

/// An answer of the data plane.
struct Answer {
    status: u16,
    offset: Option<u64>,
    body: Vec<u8>,
}

impl Pieces<'_> {
    async fn begin(&self, cx: &Cx, upload: OpenUpload) -> crate::Result<OpenSession> {
        let metadata = vec![("filename".into(), "as the client says".into())];
        self.sessions.create(cx, CreateSession { upload, metadata }).await
    }

    async fn session(&self, cx: &Cx, target: Reference, length: Option<u64>) -> OpenSession {
        self.begin(cx, OpenUpload { length, ..OpenUpload::new(target) }).await.unwrap()
    }

    async fn ask(&self, request: http::request::Builder, bytes: &[u8]) -> Answer {
        let body = if bytes.is_empty() { empty() } else { full(bytes.to_vec()) };
        let answer = self.data.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let offset = answer.headers().get(UPLOAD_OFFSET);
        let offset = offset.map(|value| value.to_str().unwrap().parse().unwrap());
        let body = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, offset, body }
    }

    async fn patch(&self, ticket: &str, offset: u64, bytes: &[u8]) -> Answer {
        let request = http::Request::patch("/data").header(TICKET, ticket);
        self.ask(request.header(UPLOAD_OFFSET, offset), bytes).await
    }

    async fn head(&self, ticket: &str) -> Answer {
        self.ask(http::Request::head("/data").header(TICKET, ticket), b"").await
    }

    async fn get_session(&self, cx: &Cx, session: &UploadSession) -> crate::Result<UploadSession> {
        self.sessions.get(cx, GetSession { id: session.id.clone() }).await
    }
}

async fn pieces(subject: &Pieces<'_>) {
    let cx = person("pieces", 0);
    let root = subject.home(&cx).await;
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    for size in [0, 1, 5, 200_000] {
        let target = at(&root, &format!("{size}.bin"));
        let content = &bytes[..size];
        let open = subject.session(&cx, target.clone(), Some(size as u64)).await;
        if size > 0 {
            assert_eq!(open.session.offset, 0);
            let seen = subject.get_session(&cx, &open.session).await.unwrap();
            assert_eq!(seen, open.session);
            assert_eq!(seen.metadata[0].1, "as the client says");
            let mut offset = 0;
            for piece in content.chunks(70_000) {
                assert_eq!(
                    refused(subject.stat(&cx, target.clone()).await),
                    ErrorKind::NotFound,
                    "it is not there before the last byte"
                );
                let answer = subject.patch(&open.ticket, offset, piece).await;
                offset += piece.len() as u64;
                assert_eq!(answer.offset, Some(offset));
                if offset < size as u64 {
                    assert_eq!(answer.status, 204);
                    assert_eq!(subject.head(&open.ticket).await.offset, Some(offset));
                } else {
                    assert_eq!(answer.status, 200);
                    let written: Written = serde_json::from_slice(&answer.body).unwrap();
                    assert!(written.created);
                    assert_eq!(written.node.info.size, size as u64);
                    assert_eq!(written.node.info.id.node, open.session.node);
                }
            }
        }
        assert_eq!(subject.get(&cx, target).await.unwrap(), content);
        assert_eq!(refused(subject.get_session(&cx, &open.session).await), ErrorKind::NotFound);
        assert_eq!(subject.head(&open.ticket).await.status, 404);
    }
}

async fn offsets(subject: &Pieces<'_>) {
    let cx = person("offsets", 0);
    let root = subject.home(&cx).await;
    let open = subject.session(&cx, at(&root, "f"), Some(10)).await;
    assert_eq!(subject.patch(&open.ticket, 0, b"0123").await.status, 204);
    for offset in [0, 3, 5, 10, u64::MAX] {
        assert_eq!(subject.patch(&open.ticket, offset, b"x").await.status, 409, "{offset}");
    }
    assert_eq!(subject.patch(&open.ticket, 4, b"456789x").await.status, 400, "too many bytes");
    let nothing = subject.patch(&open.ticket, 4, b"").await;
    assert_eq!((nothing.status, nothing.offset), (204, Some(4)));
    assert_eq!(subject.patch(&open.ticket, 4, b"456789").await.status, 200);
    assert_eq!(subject.get(&cx, at(&root, "f")).await.unwrap(), b"0123456789");
    let open = subject.session(&cx, at(&root, "given up"), Some(10)).await;
    assert_eq!(subject.patch(&open.ticket, 0, b"0123").await.status, 204);
    let delete = http::Request::delete("/data").header(TICKET, &open.ticket);
    assert_eq!(subject.ask(delete, b"").await.status, 204);
    assert_eq!(subject.patch(&open.ticket, 4, b"x").await.status, 404);
    let open = subject.session(&cx, at(&root, "given up"), Some(10)).await;
    subject.sessions.abort(&cx, GetSession { id: open.session.id.clone() }).await.unwrap();
    assert_eq!(subject.head(&open.ticket).await.status, 404);
    assert_eq!(refused(subject.stat(&cx, at(&root, "given up")).await), ErrorKind::NotFound);
}

/// Chunks with checksums of their own.
async fn chunks(subject: &Pieces<'_>) {
    let cx = person("chunks", 0);
    let root = subject.home(&cx).await;
    let open = subject.session(&cx, at(&root, "f"), Some(6)).await;
    let send = async |offset: u64, bytes: &'static [u8], sum: &'static str| {
        let request = http::Request::patch("/data").header(TICKET, &open.ticket);
        let request = request.header(UPLOAD_OFFSET, offset).header(UPLOAD_CHECKSUM, sum);
        subject.ask(request, bytes).await
    };
    let md5 = "md5 kAFQmDzST7DWlj99KOF/cg==";
    assert_eq!(send(0, b"abd", md5).await.status, CHECKSUM_MISMATCH);
    assert_eq!(subject.head(&open.ticket).await.offset, Some(0), "the chunk is forgotten");
    assert_eq!(send(0, b"abc", "sha256 AAAA").await.status, 400);
    assert_eq!(send(0, b"abc", md5).await.offset, Some(3));
    let sha1 = "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=";
    assert_eq!(send(3, b"xyz", sha1).await.status, CHECKSUM_MISMATCH, "not even the last one");
    assert_eq!(refused(subject.stat(&cx, at(&root, "f")).await), ErrorKind::NotFound);
    assert_eq!(send(3, b"abc", "crc32 NSRBwg==").await.status, 200);
    assert_eq!(subject.get(&cx, at(&root, "f")).await.unwrap(), b"abcabc");
}

/// Uploads whose length comes later.
async fn lengths(subject: &Pieces<'_>) {
    let cx = person("lengths", 0);
    let root = subject.home(&cx).await;
    for tell_last in [false, true] {
        let target = at(&root, &format!("{tell_last}"));
        let open = subject.session(&cx, target.clone(), None).await;
        let tell = |length| {
            subject.sessions.set_length(&cx, SetLength { id: open.session.id.clone(), length })
        };
        assert_eq!(subject.patch(&open.ticket, 0, b"abc").await.status, 204);
        assert_eq!(refused(tell(2).await), ErrorKind::Conflict, "more bytes are there");
        if !tell_last {
            assert_eq!(tell(6).await.unwrap().length, Some(6));
            tell(6).await.unwrap();
            assert_eq!(refused(tell(7).await), ErrorKind::Conflict, "it is known already");
        }
        let answer = subject.patch(&open.ticket, 3, b"def").await;
        assert_eq!(answer.status, if tell_last { 204 } else { 200 });
        if tell_last {
            assert_eq!(refused(subject.stat(&cx, target.clone()).await), ErrorKind::NotFound);
            tell(6).await.unwrap();
        }
        assert_eq!(subject.get(&cx, target).await.unwrap(), b"abcdef");
        assert_eq!(refused(tell(6).await), ErrorKind::NotFound);
    }
}

async fn refusals(subject: &Pieces<'_>) {
    let cx = person("refusals", 0);
    let root = subject.home(&cx).await;
    let upload = |path: &str| OpenUpload { length: Some(3), ..OpenUpload::new(at(&root, path)) };
    assert_eq!(refused(subject.begin(&cx, upload("none/f")).await), ErrorKind::Conflict);
    let stranger = person("stranger-to-refusals", 0);
    assert_eq!(refused(subject.begin(&stranger, upload("f")).await), ErrorKind::NotFound);
    let huge = OpenUpload { length: Some(u64::MAX / 2), ..upload("f") };
    assert_eq!(refused(subject.begin(&cx, huge).await), ErrorKind::InsufficientStorage);
    let open = subject.session(&cx, at(&root, "huge"), None).await;
    let length = SetLength { id: open.session.id.clone(), length: u64::MAX / 2 };
    let told = subject.sessions.set_length(&cx, length).await;
    assert_eq!(refused(told), ErrorKind::InsufficientStorage);
    // What is refused at the last byte leaves nothing.
    let sum = "MD5:900150983cd24fb0d6963f7d28e17f72".parse().unwrap();
    let wrong = OpenUpload { checksum: Some(sum), ..upload("wrong") };
    let open = subject.begin(&cx, wrong).await.unwrap();
    assert_eq!(subject.patch(&open.ticket, 0, b"abd").await.status, 400);
    assert_eq!(refused(subject.stat(&cx, at(&root, "wrong")).await), ErrorKind::NotFound);
    assert_eq!(subject.head(&open.ticket).await.status, 404);
    let conditions = Conditions { if_none_match: Some(EtagMatch::Any), ..Conditions::default() };
    let new = OpenUpload { conditions, ..upload("taken") };
    let open = subject.begin(&cx, new.clone()).await.unwrap();
    subject.put(&cx, at(&root, "taken"), b"first").await.unwrap();
    assert_eq!(subject.patch(&open.ticket, 0, b"abc").await.status, 412);
    assert_eq!(subject.get(&cx, at(&root, "taken")).await.unwrap(), b"first");
    assert_eq!(refused(subject.begin(&cx, new).await), ErrorKind::PreconditionFailed);
}

/// Several uploads to one name: each becomes visible whole, the last one stays.
async fn one_name(subject: &Pieces<'_>) {
    let cx = person("one-name", 0);
    let root = subject.home(&cx).await;
    let target = at(&root, "f");
    let contents: Vec<Vec<u8>> = (0..4_u8).map(|n| vec![n; 70_000 + usize::from(n)]).collect();
    let mut open = Vec::new();
    for content in &contents {
        open.push(subject.session(&cx, target.clone(), Some(content.len() as u64)).await);
    }
    for (open, content) in open.iter().zip(&contents) {
        assert_eq!(subject.patch(&open.ticket, 0, &content[..5]).await.status, 204);
    }
    for n in [2, 0, 3, 1] {
        assert_eq!(subject.patch(&open[n].ticket, 5, &contents[n][5..]).await.status, 200);
        assert_eq!(subject.get(&cx, target.clone()).await.unwrap(), contents[n]);
    }
}

async fn strangers(subject: &Pieces<'_>) {
    let cx = person("sessions-owner", 0);
    let root = subject.home(&cx).await;
    let open = subject.session(&cx, at(&root, "f"), None).await;
    let id = open.session.id.clone();
    for other in [person("sessions-stranger", 0), Cx { caller: Caller::Anonymous, ..cx.clone() }] {
        let get = GetSession { id: id.clone() };
        assert_eq!(refused(subject.sessions.get(&other, get.clone()).await), ErrorKind::NotFound);
        assert_eq!(refused(subject.sessions.abort(&other, get).await), ErrorKind::NotFound);
        let length = SetLength { id: id.clone(), length: 1 };
        let told = subject.sessions.set_length(&other, length).await;
        assert_eq!(refused(told), ErrorKind::NotFound);
    }
    let list = subject.sessions.list(&cx, ListSessions::default()).await;
    assert_eq!(refused(list), ErrorKind::PermissionDenied);
    let expired = subject.sessions.expire(&cx, cx.now).await;
    assert_eq!(refused(expired), ErrorKind::PermissionDenied);
    let act = ActOnSession { id: id.clone(), action: SessionAction::Clean };
    let acted = subject.sessions.act(&cx, act).await;
    assert_eq!(refused(acted), ErrorKind::PermissionDenied);
    for ticket in ["", "nonsense"] {
        assert_eq!(subject.patch(ticket, 0, b"x").await.status, 403);
    }
    subject.get_session(&cx, &open.session).await.unwrap();
}

async fn lists(subject: &Pieces<'_>) {
    let cx = person("lists", 0);
    let server = server(&cx);
    let root = subject.home(&cx).await;
    let before = subject.sessions.list(&server, ListSessions::default()).await.unwrap().items.len();
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(subject.session(&cx, at(&root, &format!("{n}")), Some(5)).await.session.id);
    }
    ids.sort();
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest { cursor, limit: 2 };
        let request = ListSessions { page, ..ListSessions::default() };
        let page = subject.sessions.list(&server, request).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|session| session.id));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(seen.len(), before + 5);
    assert!(ids.iter().all(|id| seen.contains(id)));
    let list = async |now: &Cx, expired: Option<bool>, processing: Option<bool>| {
        let id = Some(ids[0].clone());
        let request = ListSessions { id, expired, processing, ..ListSessions::default() };
        subject.sessions.list(now, request).await.unwrap().items
    };
    let one = list(&server, Some(false), Some(false)).await;
    assert_eq!((one.len(), &one[0].id, one[0].length), (1, &ids[0], Some(5)));
    assert_eq!(one[0].executant.as_ref().unwrap().as_str(), "lists");
    assert_eq!(one[0].space_owner.as_ref().unwrap().as_str(), "lists");
    assert!(list(&server, Some(true), None).await.is_empty());
    assert!(list(&server, None, Some(true)).await.is_empty());
    let end = one[0].expires.unwrap();
    let later = Cx { now: end, ..server.clone() };
    assert_eq!(list(&later, Some(true), None).await.len(), 1);
    let clean = ActOnSession { id: ids[0].clone(), action: SessionAction::Clean };
    assert_eq!(subject.sessions.act(&server, clean.clone()).await.unwrap().id, ids[0]);
    assert_eq!(refused(subject.sessions.act(&server, clean).await), ErrorKind::NotFound);
    let resume = ActOnSession { id: ids[1].clone(), action: SessionAction::Resume };
    let resumed = subject.sessions.act(&server, resume).await;
    assert_eq!(refused(resumed), ErrorKind::Conflict, "bytes are still to come");
    assert_eq!(subject.sessions.expire(&server, cx.now).await.unwrap(), 0);
    let expired = subject.sessions.expire(&server, end).await.unwrap();
    assert_eq!(expired, before as u64 + 4);
    let left = subject.sessions.list(&server, ListSessions::default()).await.unwrap();
    assert_eq!((left.items.len(), left.next), (0, None));
}
