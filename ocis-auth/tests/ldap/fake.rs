//! A server that speaks just enough LDAP to misbehave on demand. It knows one account.

use std::net::SocketAddr;
use std::sync::Arc;

use ldap3::asn1::{
    ASNTag, Enumerated, Integer, OctetString, PL, Sequence, Set, StructureTag, Tag, TagClass,
    parse_tag, write,
};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub(crate) const USER: &str = "einstein";
pub(crate) const PASSWORD: &str = "relativity";
pub(crate) const BIND_DN: &str = "cn=service";
pub(crate) const BIND_PASSWORD: &str = "service-secret";

/// What the server does with requests other than to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It answers.
    Answers,
    /// It reads and says nothing, not even to who signs in.
    IsSilent,
    /// It closes the connection on the next one, and then answers again.
    ClosesOnce,
}

#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) mode: Mode,
    /// All connections that there ever were.
    pub(crate) connections: usize,
    pub(crate) open: usize,
    pub(crate) most_open: usize,
    /// Names and passwords that were presented.
    pub(crate) sign_ins: Vec<(String, String)>,
    /// The numbers of the operations (RFC 4511), apart from signing in.
    pub(crate) operations: Vec<u64>,
}

/// The server; nothing of it is left when it is dropped.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Seen>>,
    /// Told for every request.
    pub(crate) request: Arc<Notify>,
    running: JoinSet<()>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let seen = Seen {
            mode: Mode::Answers,
            connections: 0,
            open: 0,
            most_open: 0,
            sign_ins: Vec::new(),
            operations: Vec::new(),
        };
        let mut fake = Self {
            address: ([127, 0, 0, 1], 0).into(),
            seen: Arc::new(Mutex::new(seen)),
            request: Arc::default(),
            running: JoinSet::new(),
        };
        fake.listen().await;
        fake
    }

    pub(crate) fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.seen.lock().mode = mode;
    }

    /// Listens again, where it did before.
    pub(crate) async fn listen(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let (seen, request) = (Arc::clone(&self.seen), Arc::clone(&self.request));
        self.running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&seen), Arc::clone(&request)));
            }
        });
    }

    /// Ends as a server does that is killed: all connections are gone, and nobody listens.
    pub(crate) async fn kill(&mut self) {
        self.running.shutdown().await;
    }
}

struct Open(Arc<Mutex<Seen>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().open -= 1;
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Seen>>, request: Arc<Notify>) {
    {
        let mut seen = seen.lock();
        seen.connections += 1;
        seen.open += 1;
        seen.most_open = seen.most_open.max(seen.open);
    }
    let _open = Open(Arc::clone(&seen));
    let mut bytes = Vec::new();
    loop {
        while let Ok((rest, message)) = parse_tag(&bytes) {
            bytes = rest.to_vec();
            let answer = answer(message, &seen);
            request.notify_one();
            match answer {
                Answer::Bytes(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Answer::Nothing => {}
                Answer::Close => return,
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
        }
    }
}

enum Answer {
    Bytes(Vec<u8>),
    Nothing,
    Close,
}

fn answer(message: StructureTag, seen: &Mutex<Seen>) -> Answer {
    let mut parts = message.expect_constructed().unwrap().into_iter();
    let id = parts.next().unwrap().expect_primitive().unwrap();
    let id = id.iter().fold(0, |id, byte| id << 8 | i64::from(*byte));
    let operation = parts.next().unwrap();
    let mut seen = seen.lock();
    if seen.mode == Mode::IsSilent {
        return Answer::Nothing;
    }
    if operation.id == 0 {
        let parts = operation.expect_constructed().unwrap();
        let text = |at: usize| match &parts[at].payload {
            PL::P(bytes) => String::from_utf8(bytes.clone()).unwrap(),
            PL::C(_) => String::new(),
        };
        let (dn, password) = (text(1), text(2));
        let user = format!("uid={USER},ou=users,o=libregraph-idm");
        let right = [(BIND_DN, BIND_PASSWORD), (&*user, PASSWORD)];
        let code = if right.contains(&(&*dn, &*password)) { 0 } else { 49 };
        seen.sign_ins.push((dn, password));
        return Answer::Bytes(result(id, 1, code));
    }
    seen.operations.push(operation.id);
    if seen.mode == Mode::ClosesOnce {
        seen.mode = Mode::Answers;
        return Answer::Close;
    }
    Answer::Bytes(match operation.id {
        3 => {
            let mut asked = bytes::BytesMut::new();
            write::encode_into(&mut asked, operation).unwrap();
            let asks = |text: &str| {
                asked.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
            };
            let mut bytes = Vec::new();
            if asks("ou=users") && (asks(USER) || !asks("(uid")) && !asks("nobody") {
                bytes = entry(id);
            }
            bytes.extend(result(id, 5, 0));
            bytes
        }
        10 => result(id, 11, 0),
        23 => result(id, 24, 0),
        other => result(id, other + 1, 0),
    })
}

fn entry(id: i64) -> Vec<u8> {
    let attributes = [
        ("ownclouduuid", "4c510ada-c86b-4815-8820-42cdf82c3d51"),
        ("uid", USER),
        ("displayname", "Albert Einstein"),
        ("mail", "einstein@example.org"),
    ];
    let attributes = attributes.iter().map(|(name, value)| {
        let values = Tag::Set(Set { inner: vec![octets(value)], ..Default::default() });
        sequence(vec![octets(name), values])
    });
    let attributes = sequence(attributes.collect());
    let dn = octets(&format!("uid={USER},ou=users,o=libregraph-idm"));
    message(id, 4, vec![dn, attributes])
}

fn result(id: i64, operation: u64, code: i64) -> Vec<u8> {
    let code = Tag::Enumerated(Enumerated { inner: code, ..Default::default() });
    message(id, operation, vec![code, octets(""), octets("")])
}

fn message(id: i64, operation: u64, inner: Vec<Tag>) -> Vec<u8> {
    let id = Tag::Integer(Integer { inner: id, ..Default::default() });
    let operation = Tag::Sequence(Sequence { id: operation, class: TagClass::Application, inner });
    let mut bytes = bytes::BytesMut::new();
    write::encode_into(&mut bytes, sequence(vec![id, operation]).into_structure()).unwrap();
    bytes.to_vec()
}

fn octets(text: &str) -> Tag {
    Tag::OctetString(OctetString { inner: text.as_bytes().to_vec(), ..Default::default() })
}

fn sequence(inner: Vec<Tag>) -> Tag {
    Tag::Sequence(Sequence { inner, ..Default::default() })
}
