//! The server as its clients see it, over a connection in memory.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::*;
use ldap3_proto::{LdapCodec, parse_ldap_filter_str};
use ocis_core::id::UserId;
use ocis_core::time::{SystemClock, Timestamp};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::basic::{Basic, BasicOptions};
use crate::directory::Bootstrap;
use crate::hash::{Cost, Hasher};

const READER: &str = "uid=reva,ou=sysusers,o=libregraph-idm";
const WRITER: &str = "UID=libregraph, ou=sysusers, o=libregraph-idm";
const MARIE: &str = "uid=marie,ou=users,o=libregraph-idm";

fn server(dir: &TempDir) -> Arc<LdapServer> {
    let hasher = Hasher::new(Cost { memory_kib: 16, passes: 1, lanes: 2 }, 2).unwrap();
    let bootstrap = Bootstrap {
        admin_id: UserId::parse("9181deb3-c90b-4ea4-b1f0-aab7043e920e").unwrap(),
        admin_password: "first".into(),
        create_demo_users: true,
        takes_over: None,
        now: Timestamp::from_unix(1_767_225_600, 0).unwrap(),
    };
    let directory = Directory::open_with(dir.path(), hasher, bootstrap).unwrap();
    let options = BasicOptions::new("https://localhost:9200");
    let basic = Basic::new(Arc::clone(&directory) as _, options).unwrap();
    let service = |name, password: &str, writes| ServiceAccount {
        name,
        password: Secret::new(password),
        writes,
    };
    let services = vec![
        service("libregraph", "writer-secret", true),
        service("reva", "reader-secret", false),
        service("idp", "", false),
    ];
    Arc::new(LdapServer::new(directory, Arc::new(basic), services, Arc::new(SystemClock)))
}

/// A client, and the server's end of its connection.
struct Client {
    connection: Framed<DuplexStream, LdapCodec>,
    served: JoinHandle<()>,
    next: i32,
}

impl Client {
    fn of(server: &Arc<LdapServer>) -> Self {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let server = Arc::clone(server);
        let peer = Some([127, 0, 0, 1].into());
        let served =
            tokio::spawn(async move { server.serve(far, peer, CancellationToken::new()).await });
        let codec = LdapCodec::new(Some(1024 * 1024), None);
        Self { connection: Framed::new(near, codec), served, next: 0 }
    }

    async fn bound(server: &Arc<LdapServer>, dn: &str, password: &str) -> Self {
        let mut client = Self::of(server);
        assert_eq!(client.bind(dn, password).await, LdapResultCode::Success, "{dn}");
        client
    }

    async fn ask(&mut self, op: LdapOp, ctrl: Vec<LdapControl>) -> LdapMsg {
        self.next += 1;
        self.connection.send(LdapMsg::new_with_ctrls(self.next, op, ctrl)).await.unwrap();
        self.hear().await
    }

    async fn hear(&mut self) -> LdapMsg {
        let message = self.connection.next().await.unwrap().unwrap();
        assert_eq!(message.msgid, self.next);
        message
    }

    async fn bind(&mut self, dn: &str, password: &str) -> LdapResultCode {
        let cred = LdapBindCred::Simple(password.into());
        let request = LdapBindRequest { version: 3, dn: dn.into(), cred };
        match self.ask(LdapOp::BindRequest(request), Vec::new()).await.op {
            LdapOp::BindResponse(response) => response.res.code,
            other => panic!("{other:?}"),
        }
    }

    async fn search(
        &mut self,
        request: Search<'_>,
    ) -> (Vec<LdapSearchResultEntry>, LdapResultCode) {
        let (entries, code, _) = self.page(request, None).await;
        (entries, code)
    }

    async fn page(
        &mut self,
        Search { base, scope, filter, attributes, limit }: Search<'_>,
        page: Option<(i64, Vec<u8>)>,
    ) -> (Vec<LdapSearchResultEntry>, LdapResultCode, Vec<u8>) {
        let request = LdapSearchRequest {
            base: base.into(),
            scope,
            aliases: LdapDerefAliases::Never,
            sizelimit: limit,
            timelimit: 0,
            typesonly: false,
            filter: parse_ldap_filter_str(filter).unwrap(),
            attrs: attributes.iter().map(|name| (*name).to_owned()).collect(),
        };
        let page = page.map(|(size, cookie)| LdapControl::SimplePagedResults { size, cookie });
        let mut message =
            self.ask(LdapOp::SearchRequest(request), page.into_iter().collect()).await;
        let mut found = Vec::new();
        loop {
            match message.op {
                LdapOp::SearchResultEntry(entry) => found.push(entry),
                LdapOp::SearchResultDone(done) => {
                    let cookie = match message.ctrl.into_iter().next() {
                        Some(LdapControl::SimplePagedResults { cookie, .. }) => cookie,
                        _ => Vec::new(),
                    };
                    return (found, done.code, cookie);
                }
                other => panic!("{other:?}"),
            }
            message = self.hear().await;
        }
    }

    /// The names that a search below `base` finds.
    async fn names(&mut self, base: &str, filter: &str) -> Vec<String> {
        let (found, code) = self.search(Search { base, filter, ..Search::default() }).await;
        assert_eq!(code, LdapResultCode::Success, "{filter}");
        found.into_iter().map(|entry| entry.dn).collect()
    }

    /// One entry with all that is given without asking.
    async fn entry(&mut self, dn: &str) -> Option<LdapSearchResultEntry> {
        let scope = LdapSearchScope::Base;
        let (found, _) = self.search(Search { base: dn, scope, ..Search::default() }).await;
        found.into_iter().next()
    }

    async fn change(&mut self, op: LdapOp) -> LdapResultCode {
        match self.ask(op, Vec::new()).await.op {
            LdapOp::AddResponse(done)
            | LdapOp::ModifyResponse(done)
            | LdapOp::ModifyDNResponse(done)
            | LdapOp::DelResponse(done)
            | LdapOp::CompareResult(done) => done.code,
            LdapOp::ExtendedResponse(done) => done.res.code,
            other => panic!("{other:?}"),
        }
    }
}

struct Search<'a> {
    base: &'a str,
    scope: LdapSearchScope,
    filter: &'a str,
    attributes: &'a [&'a str],
    limit: i32,
}

impl Default for Search<'_> {
    fn default() -> Self {
        Self {
            base: "o=libregraph-idm",
            scope: LdapSearchScope::Subtree,
            filter: "(objectClass=*)",
            attributes: &[],
            limit: 0,
        }
    }
}

fn values(entry: &LdapSearchResultEntry, name: &str) -> Vec<String> {
    let found = entry.attributes.iter().find(|attribute| attribute.atype == name);
    let values = found.map(|attribute| attribute.vals.clone()).unwrap_or_default();
    values.into_iter().map(|value| String::from_utf8(value).unwrap()).collect()
}

fn attribute(name: &str, values: &[&str]) -> LdapPartialAttribute {
    let vals = values.iter().map(|value| value.as_bytes().to_vec()).collect();
    LdapPartialAttribute { atype: name.into(), vals }
}

fn modify(dn: &str, changes: &[(LdapModifyType, &str, &[&str])]) -> LdapOp {
    let change = |(operation, name, values): &(LdapModifyType, &str, &[&str])| LdapModify {
        operation: operation.clone(),
        modification: attribute(name, values),
    };
    let changes = changes.iter().map(change).collect();
    LdapOp::ModifyRequest(LdapModifyRequest { dn: dn.into(), changes })
}

fn add(dn: &str, attributes: &[(&str, &[&str])]) -> LdapOp {
    let attributes = attributes.iter().map(|(name, values)| attribute(name, values)).collect();
    LdapOp::AddRequest(LdapAddRequest { dn: dn.into(), attributes })
}

fn renamed(dn: &str, to: &str) -> LdapOp {
    LdapOp::ModifyDNRequest(LdapModifyDNRequest {
        dn: dn.into(),
        newrdn: to.into(),
        deleteoldrdn: true,
        new_superior: None,
    })
}

fn password(of: &str, new: &str) -> LdapOp {
    let request = LdapPasswordModifyRequest {
        user_identity: Some(of.into()),
        old_password: None,
        new_password: Some(new.into()),
    };
    LdapOp::ExtendedRequest(request.into())
}

#[tokio::test(start_paused = true)]
async fn services_and_people_bind_and_nobody_else() {
    let dir = TempDir::new().unwrap();
    let server = server(&dir);
    for (dn, password) in [
        (READER, "reader-secret"),
        (WRITER, "writer-secret"),
        (MARIE, "radioactivity"),
        ("UID=Marie;OU=users;O=libregraph-idm", "radioactivity"),
    ] {
        Client::bound(&server, dn, password).await;
    }
    for (dn, password, code) in [
        ("", "", LdapResultCode::InvalidCredentials),
        ("", "reader-secret", LdapResultCode::InvalidCredentials),
        (READER, "", LdapResultCode::InvalidCredentials),
        (READER, "writer-secret", LdapResultCode::InvalidCredentials),
        ("uid=idp,ou=sysusers,o=libregraph-idm", "", LdapResultCode::InvalidCredentials),
        ("uid=nobody,ou=sysusers,o=libregraph-idm", "x", LdapResultCode::InvalidCredentials),
        (MARIE, "", LdapResultCode::InvalidCredentials),
        (MARIE, "polonium", LdapResultCode::InvalidCredentials),
        ("uid=nobody,ou=users,o=libregraph-idm", "x", LdapResultCode::InvalidCredentials),
        ("cn=users,ou=groups,o=libregraph-idm", "x", LdapResultCode::InvalidCredentials),
        ("marie", "radioactivity", LdapResultCode::InvalidDNSyntax),
    ] {
        assert_eq!(Client::of(&server).bind(dn, password).await, code, "{dn} {password}");
    }
    let mut client = Client::of(&server);
    let cred = LdapBindCred::Simple("reader-secret".into());
    let old = LdapBindRequest { version: 2, dn: READER.into(), cred };
    let LdapOp::BindResponse(answer) = client.ask(LdapOp::BindRequest(old), vec![]).await.op else {
        panic!()
    };
    assert_eq!(answer.res.code, LdapResultCode::ProtocolError);
    // Who fails to bind anew is nobody, and who fails too often is sent away.
    let mut client = Client::bound(&server, READER, "reader-secret").await;
    assert_eq!(client.bind(READER, "wrong").await, LdapResultCode::InvalidCredentials);
    let (found, code) = client.search(Search::default()).await;
    assert_eq!((found.len(), code), (0, LdapResultCode::InsufficentAccessRights));
    client.bind(READER, "wrong").await;
    client.bind(READER, "wrong").await;
    assert!(client.connection.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn who_guesses_is_slowed_down() {
    let dir = TempDir::new().unwrap();
    let server = server(&dir);
    let mut codes = Vec::new();
    for guess in 0..8 {
        codes.push(Client::of(&server).bind(MARIE, &format!("guess {guess}")).await);
    }
    assert_eq!(codes.first(), Some(&LdapResultCode::InvalidCredentials));
    assert_eq!(codes.last(), Some(&LdapResultCode::Busy), "{codes:?}");
}

#[tokio::test(start_paused = true)]
async fn anonymously_only_the_server_itself_is_seen() {
    let dir = TempDir::new().unwrap();
    let server = server(&dir);
    let mut client = Client::of(&server);
    let root =
        Search { base: "", scope: LdapSearchScope::Base, attributes: &["+"], ..Search::default() };
    let (found, code) = client.search(root).await;
    assert_eq!(code, LdapResultCode::Success);
    assert_eq!(values(&found[0], "namingContexts"), ["o=libregraph-idm"]);
    for base in ["", "o=libregraph-idm", MARIE, "uid=nobody,ou=users,o=libregraph-idm"] {
        for scope in [LdapSearchScope::Base, LdapSearchScope::Subtree] {
            if base.is_empty() && scope == LdapSearchScope::Base {
                continue;
            }
            let (found, code) = client.search(Search { base, scope, ..Search::default() }).await;
            assert_eq!((found.len(), code), (0, LdapResultCode::InsufficentAccessRights), "{base}");
        }
    }
    let compare = LdapCompareRequest { dn: MARIE.into(), atype: "uid".into(), val: "marie".into() };
    let code = client.change(LdapOp::CompareRequest(compare)).await;
    assert_eq!(code, LdapResultCode::InsufficentAccessRights);
    for op in [
        LdapOp::DelRequest(MARIE.into()),
        renamed(MARIE, "uid=curie"),
        modify(MARIE, &[(LdapModifyType::Replace, "sn", &["x"])]),
        password(MARIE, "new"),
    ] {
        assert_eq!(client.change(op).await, LdapResultCode::InsufficentAccessRights);
    }
    let whoami = LdapExtendedRequest { name: OID_WHOAMI.into(), value: None };
    let answer = client.ask(LdapOp::ExtendedRequest(whoami), vec![]).await.op;
    let LdapOp::ExtendedResponse(answer) = answer else { panic!() };
    assert_eq!(answer.value.as_deref().unwrap_or_default(), b"");
}

#[tokio::test(start_paused = true)]
async fn entries_are_those_of_ocis() {
    let dir = TempDir::new().unwrap();
    let server = server(&dir);
    let mut client = Client::bound(&server, READER, "reader-secret").await;
    let marie = client.entry(MARIE).await.unwrap();
    assert_eq!(marie.dn, MARIE);
    for (name, expected) in [
        ("uid", "marie"),
        ("cn", "marie"),
        ("sn", "Curie"),
        ("givenName", "Marie"),
        ("displayName", "Marie Skłodowska Curie"),
        ("mail", "marie@example.org"),
        ("ownCloudUUID", "f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c"),
        ("ownCloudUserEnabled", "TRUE"),
        ("ownCloudUserType", "Member"),
    ] {
        assert_eq!(values(&marie, name), [expected], "{name}");
    }
    assert!(values(&marie, "objectClass").contains(&"inetOrgPerson".to_owned()));
    let all = Search {
        base: MARIE,
        scope: LdapSearchScope::Base,
        attributes: &["*", "+", "userPassword"],
        ..Search::default()
    };
    let (found, _) = client.search(all).await;
    assert_eq!(values(&found[0], "memberOf").len(), 4);
    assert!(values(&found[0], "userPassword").is_empty(), "passwords are never given out");
    let none = Search { attributes: &["1.1"], scope: LdapSearchScope::Base, ..Search::default() };
    assert_eq!(client.search(none).await.0[0].attributes, []);
    let some = Search { base: MARIE, attributes: &["UID", "mail"], ..Search::default() };
    assert_eq!(client.search(some).await.0[0].attributes.len(), 2);

    let users = "ou=users,o=libregraph-idm";
    assert_eq!(client.names(users, "(objectClass=inetOrgPerson)").await.len(), 6);
    let found = client
        .names(users, "(&(objectClass=inetOrgPerson)(|(uid=mar*)(mail=einstein@EXAMPLE.org)))")
        .await;
    assert_eq!(found, ["uid=einstein,ou=users,o=libregraph-idm", MARIE]);
    let groups = client.names("o=libregraph-idm", &format!("(member=\"{MARIE}\")")).await;
    assert_eq!(groups.len(), 4, "{groups:?}");
    assert!(client.names("o=libregraph-idm", "(userPassword=*)").await.is_empty());
    for (scope, expected) in [
        (LdapSearchScope::Base, 1),
        (LdapSearchScope::OneLevel, 3),
        (LdapSearchScope::Subtree, 4 + 6 + 8 + 3),
        (LdapSearchScope::Children, 3 + 6 + 8 + 3),
    ] {
        let search = Search { scope, ..Search::default() };
        assert_eq!(client.search(search).await.0.len(), expected);
    }
    for base in ["uid=nobody,ou=users,o=libregraph-idm", "o=else", "cn=a,uid=b,o=libregraph-idm"] {
        let (_, code) = client.search(Search { base, ..Search::default() }).await;
        assert_eq!(code, LdapResultCode::NoSuchObject, "{base}");
    }
    for (name, value, code) in [
        ("displayName", "MARIE skłodowska curie", LdapResultCode::CompareTrue),
        ("uid", "einstein", LdapResultCode::CompareFalse),
        ("title", "Prof.", LdapResultCode::NoSuchAttribute),
        ("userPassword", "radioactivity", LdapResultCode::InsufficentAccessRights),
    ] {
        let compare =
            LdapCompareRequest { dn: MARIE.into(), atype: name.into(), val: value.into() };
        assert_eq!(client.change(LdapOp::CompareRequest(compare)).await, code, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn people_see_themselves_alone_and_change_nothing() {
    let dir = TempDir::new().unwrap();
    let server = server(&dir);
    let mut client = Client::bound(&server, MARIE, "radioactivity").await;
    assert_eq!(client.names("o=libregraph-idm", "(objectClass=*)").await, [MARIE]);
    assert!(client.entry(MARIE).await.is_some());
    let einstein = "uid=einstein,ou=users,o=libregraph-idm";
    assert!(client.entry(einstein).await.is_none());
    let (_, code) = client.search(Search { base: einstein, ..Search::default() }).await;
    assert_eq!(code, LdapResultCode::NoSuchObject);
    let change = modify(MARIE, &[(LdapModifyType::Replace, "ownCloudUserType", &["Guest"])]);
    assert_eq!(client.change(change).await, LdapResultCode::InsufficentAccessRights);
    let mut reader = Client::bound(&server, READER, "reader-secret").await;
    assert_eq!(
        reader.change(LdapOp::DelRequest(MARIE.into())).await,
        LdapResultCode::InsufficentAccessRights
    );
}

#[tokio::test(start_paused = true)]
async fn long_searches_come_in_pages_and_within_limits() {
    let dir = TempDir::new().unwrap();
    let server = server(&dir);
    let mut client = Client::bound(&server, READER, "reader-secret").await;
    let people = || Search { filter: "(objectClass=inetOrgPerson)", ..Search::default() };
    for size in [1, 2, 4, 6, 7] {
        let (mut names, mut cookie, mut pages) = (Vec::new(), Vec::new(), 0);
        loop {
            let (found, code, next) = client.page(people(), Some((size, cookie))).await;
            assert_eq!(code, LdapResultCode::Success);
            assert!(found.len() <= size as usize);
            names.extend(found.into_iter().map(|entry| values(&entry, "uid").concat()));
            pages += 1;
            cookie = next;
            if cookie.is_empty() {
                break;
            }
        }
        assert_eq!(names, ["admin", "einstein", "katherine", "marie", "moss", "richard"]);
        assert_eq!(pages, (6 + size - 1) / size);
    }
    let (mut services, mut cookie) = (Vec::new(), Vec::new());
    loop {
        let search = Search { filter: "(objectClass=account)", ..Search::default() };
        let (found, _, next) = client.page(search, Some((1, cookie))).await;
        services.extend(found.into_iter().map(|entry| values(&entry, "uid").concat()));
        cookie = next;
        if cookie.is_empty() {
            break;
        }
    }
    assert_eq!(services, ["idp", "libregraph", "reva"]);
    let (found, _, cookie) = client.page(people(), Some((0, vec![1, b'a']))).await;
    assert!(found.is_empty() && cookie.is_empty(), "the client gave the search up");
    let (_, code, _) = client.page(people(), Some((2, vec![1, 0xFF]))).await;
    assert_eq!(code, LdapResultCode::UnwillingToPerform);
    let (found, code) = client.search(Search { limit: 2, ..people() }).await;
    assert_eq!((found.len(), code), (2, LdapResultCode::SizeLimitExceeded));
    let (found, code) = client.search(Search { limit: 6, ..people() }).await;
    assert_eq!((found.len(), code), (6, LdapResultCode::Success));
    let many = format!("(|{})", "(uid=x)".repeat(600));
    let (_, code) = client.search(Search { filter: &many, ..Search::default() }).await;
    assert_eq!(code, LdapResultCode::AdminLimitExceeded);
    let critical = LdapControl::Unknown { oid: "1.2.3".into(), criticality: true, value: None };
    let ask = LdapOp::CompareRequest(LdapCompareRequest {
        dn: MARIE.into(),
        atype: "uid".into(),
        val: "marie".into(),
    });
    let LdapOp::CompareResult(done) = client.ask(ask, vec![critical]).await.op else { panic!() };
    assert_eq!(done.code, LdapResultCode::UnavailableCriticalExtension);
}

#[tokio::test(start_paused = true)]
async fn graph_of_ocis_could_manage_accounts() {
    let dir = TempDir::new().unwrap();
    let server = server(&dir);
    let mut client = Client::bound(&server, WRITER, "writer-secret").await;
    let lise = "uid=lise,ou=users,o=libregraph-idm";
    let made = add(
        lise,
        &[
            ("displayName", &["Lise Meitner"]),
            ("uid", &["lise"]),
            ("mail", &["lise@example.org"]),
            ("sn", &["Meitner"]),
            ("givenname", &["Lise"]),
            ("objectClass", &["inetOrgPerson", "organizationalPerson", "person", "top"]),
            ("cn", &["lise"]),
            ("owncloudUUID", &["c224ae46-fc88-4567-9f93-bf3d79136e1e"]),
            ("ownCloudUserEnabled", &["TRUE"]),
            ("ownCloudUserType", &["Guest"]),
        ],
    );
    assert_eq!(client.change(made.clone()).await, LdapResultCode::Success);
    assert_eq!(client.change(made).await, LdapResultCode::EntryAlreadyExists);
    assert_eq!(client.change(password(lise, "fission-1938")).await, LdapResultCode::Success);
    Client::bound(&server, lise, "fission-1938").await;
    let changes = [
        (LdapModifyType::Replace, "displayname", &["L. M."][..]),
        (LdapModifyType::Replace, "ownclouduserenabled", &["FALSE"]),
        (LdapModifyType::Add, "oCExternalIdentity", &["$ https://a $ 7"]),
        (LdapModifyType::Delete, "mail", &[]),
    ];
    assert_eq!(client.change(modify(lise, &changes)).await, LdapResultCode::Success);
    let entry = client.entry(lise).await.unwrap();
    assert_eq!(values(&entry, "displayName"), ["L. M."]);
    assert_eq!(values(&entry, "ownCloudUserEnabled"), ["FALSE"]);
    assert_eq!(values(&entry, "ownCloudUserType"), ["Guest"]);
    assert_eq!(values(&entry, "oCExternalIdentity"), ["$ https://a $ 7"]);
    assert!(values(&entry, "mail").is_empty());
    assert_eq!(values(&entry, "ownCloudUUID"), ["c224ae46-fc88-4567-9f93-bf3d79136e1e"]);
    for (change, code) in [
        (
            modify(lise, &[(LdapModifyType::Replace, "uid", &["x"])]),
            LdapResultCode::NotALlowedOnRDN,
        ),
        (
            modify(lise, &[(LdapModifyType::Replace, "title", &["x"])]),
            LdapResultCode::UndefinedAttributeType,
        ),
        (
            modify(lise, &[(LdapModifyType::Replace, "ownCloudUserEnabled", &["maybe"])]),
            LdapResultCode::InvalidAttributeSyntax,
        ),
        (
            modify(lise, &[(LdapModifyType::Replace, "mail", &["a@b", "c@d"])]),
            LdapResultCode::ConstraintViolation,
        ),
        (
            modify(lise, &[(LdapModifyType::Replace, "userPassword", &["{SSHA}x"])]),
            LdapResultCode::UnwillingToPerform,
        ),
        (password("uid=nobody,ou=users,o=libregraph-idm", "x"), LdapResultCode::NoSuchObject),
        (password(READER, "x"), LdapResultCode::UnwillingToPerform),
        (
            LdapOp::DelRequest("ou=users,o=libregraph-idm".into()),
            LdapResultCode::UnwillingToPerform,
        ),
        (renamed(lise, "uid=marie"), LdapResultCode::EntryAlreadyExists),
        (renamed(lise, "cn=x"), LdapResultCode::UnwillingToPerform),
    ] {
        assert_eq!(client.change(change.clone()).await, code, "{change:?}");
    }
    let meitner = "uid=meitner\\, lise,ou=users,o=libregraph-idm";
    assert_eq!(client.change(renamed(lise, "uid=meitner\\, lise")).await, LdapResultCode::Success);
    assert!(client.entry(lise).await.is_none());
    assert_eq!(client.entry(meitner).await.unwrap().dn, meitner);
}

#[tokio::test(start_paused = true)]
async fn graph_of_ocis_could_manage_groups() {
    let dir = TempDir::new().unwrap();
    let server = server(&dir);
    let mut client = Client::bound(&server, WRITER, "writer-secret").await;
    let einstein = "uid=einstein,ou=users,o=libregraph-idm";
    let team = "cn=fission,ou=groups,o=libregraph-idm";
    let made = add(
        team,
        &[
            ("cn", &["fission"]),
            ("objectClass", &["groupOfNames", "top", "owncloud"]),
            ("member", &[""]),
            ("owncloudUUID", &["f"]),
        ],
    );
    assert_eq!(client.change(made).await, LdapResultCode::Success);
    let both = [
        (LdapModifyType::Delete, "member", &[""][..]),
        (LdapModifyType::Add, "member", &[einstein, MARIE]),
    ];
    assert_eq!(client.change(modify(team, &both)).await, LdapResultCode::Success);
    let entry = client.entry(team).await.unwrap();
    assert_eq!(values(&entry, "member"), [einstein, MARIE]);
    let other = [
        (LdapModifyType::Delete, "member", &[MARIE][..]),
        (LdapModifyType::Add, "member", &["uid=moss,ou=users,o=libregraph-idm"]),
    ];
    assert_eq!(client.change(modify(team, &other)).await, LdapResultCode::Success);
    assert_eq!(client.change(modify(team, &other)).await, LdapResultCode::NoSuchAttribute);
    let unknown = [(LdapModifyType::Add, "member", &["uid=no,ou=users,o=libregraph-idm"][..])];
    assert_eq!(client.change(modify(team, &unknown)).await, LdapResultCode::NoSuchObject);
    assert_eq!(client.change(LdapOp::DelRequest(einstein.into())).await, LdapResultCode::Success);
    let entry = client.entry(team).await.unwrap();
    assert_eq!(values(&entry, "member"), ["uid=moss,ou=users,o=libregraph-idm"]);
    assert_eq!(client.change(renamed(team, "cn=Fusion")).await, LdapResultCode::Success);
    let team = "cn=Fusion,ou=groups,o=libregraph-idm";
    let nobody = [(LdapModifyType::Replace, "member", &[][..])];
    assert_eq!(client.change(modify(team, &nobody)).await, LdapResultCode::Success);
    assert_eq!(values(&client.entry(team).await.unwrap(), "member"), [""]);
    assert_eq!(client.change(LdapOp::DelRequest(team.into())).await, LdapResultCode::Success);
    assert!(client.entry(team).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_or_nonsense_is_sent_away() {
    let dir = TempDir::new().unwrap();
    let server = server(&dir);
    let silent = Client::of(&server);
    tokio::time::timeout(Duration::from_secs(31), silent.served).await.unwrap().unwrap();
    let mut idle = Client::bound(&server, READER, "reader-secret").await;
    assert!(tokio::time::timeout(Duration::from_secs(600), &mut idle.served).await.is_err());
    tokio::time::timeout(Duration::from_secs(600), idle.served).await.unwrap().unwrap();
    // A length of four gigabytes, and nesting without end.
    let deep: Vec<u8> = [0x30, 0x82, 0xFF, 0xFF].repeat(200);
    let mut long = vec![0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF];
    long.resize(700_000, 0);
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &deep, &long] {
        let Client { connection, served, .. } = Client::of(&server);
        let mut raw = connection.into_inner();
        // The server may hang up before all is written.
        let _ = raw.write_all(bytes).await;
        let _ = raw.shutdown().await;
        let _ = raw.read_to_end(&mut Vec::new()).await;
        served.await.unwrap();
    }
}

/// Requests in the form of bytes, to be damaged.
fn requests() -> Vec<Vec<u8>> {
    use tokio_util::codec::Encoder as _;
    let cred = LdapBindCred::Simple("reader-secret".into());
    let filter = parse_ldap_filter_str("(&(a=b)(!(c=*))(|(d=e*f*g)(h>=i)))").unwrap();
    let search = LdapSearchRequest {
        base: "o=libregraph-idm".into(),
        scope: LdapSearchScope::Subtree,
        aliases: LdapDerefAliases::Never,
        sizelimit: 1,
        timelimit: 0,
        typesonly: false,
        filter,
        attrs: vec!["*".into()],
    };
    let page = LdapControl::SimplePagedResults { size: 2, cookie: vec![1, b'a'] };
    let messages = [
        LdapMsg::new(
            1,
            LdapOp::BindRequest(LdapBindRequest { version: 3, dn: READER.into(), cred }),
        ),
        LdapMsg::new_with_ctrls(2, LdapOp::SearchRequest(search), vec![page]),
        LdapMsg::new(3, modify(MARIE, &[(LdapModifyType::Replace, "sn", &["x"])])),
        LdapMsg::new(4, password(MARIE, "x")),
        LdapMsg::new(5, renamed(MARIE, "uid=x")),
    ];
    let bytes = |message| {
        let mut buffer = bytes::BytesMut::new();
        LdapCodec::default().encode(message, &mut buffer).unwrap();
        buffer.to_vec()
    };
    messages.into_iter().map(bytes).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever comes, the server answers or hangs up, and does not fail.
    #[test]
    fn hostile_bytes_end_a_connection_at_most(
        which in prop::collection::vec(0..5_usize, 1..4),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        tail in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        static SERVER: std::sync::OnceLock<(TempDir, Arc<LdapServer>)> = std::sync::OnceLock::new();
        let (_, server) = SERVER.get_or_init(|| {
            let dir = TempDir::new().unwrap();
            let server = server(&dir);
            (dir, server)
        });
        let requests = requests();
        let mut bytes: Vec<u8> = which.iter().flat_map(|at| requests[*at].clone()).collect();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.extend(tail);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let Client { connection, served, .. } = Client::of(server);
            let mut raw = connection.into_inner();
            let _ = raw.write_all(&bytes).await;
            let _ = raw.shutdown().await;
            let _ = raw.read_to_end(&mut Vec::new()).await;
            served.await.unwrap();
        });
    }
}
