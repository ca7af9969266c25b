//! The endpoints as clients see them.

use async_trait::async_trait;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use ocis_core::checksum::ChecksumKind;
use ocis_core::data::empty;
use ocis_core::etag::Etag;
use ocis_core::id::{GroupId, ResourceId, SpaceId, StorageId, UserId};
use ocis_core::permissions::Permissions;
use ocis_core::port::{
    CreateSpace, Cursor, DisableSpace, GetSpace, ListSpaces, Page, PurgeSpace, RestoreSpace,
    UpdateSpace,
};
use ocis_core::quota::Quota;
use ocis_core::space::{Space, SpaceKind};
use ocis_core::time::Timestamp;
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, Error, Identity, Result};
use tower::ServiceExt as _;

use super::*;
use crate::capabilities::{SpacesFeature, TusFeature};

fn now() -> Timestamp {
    Timestamp::from_unix(1_700_000_000, 0).unwrap()
}

/// Knows one space, with this quota, on the second page.
struct OneSpace(Quota);

#[async_trait]
impl Spaces for OneSpace {
    async fn list(&self, cx: &Cx, request: ListSpaces) -> Result<Page<Space>> {
        let owner = cx.caller.identity()?.id.clone();
        assert_eq!(
            (request.kind, request.owner.as_ref()),
            (Some(SpaceKind::Personal), Some(&owner))
        );
        if request.page.cursor.is_none() {
            return Ok(Page { items: Vec::new(), next: Some(Cursor("2".into())) });
        }
        let space = Space {
            root: ResourceId::root(StorageId::parse("s").unwrap(), SpaceId::personal(&owner)),
            kind: SpaceKind::Personal,
            name: "Marie".into(),
            alias: "personal/marie".into(),
            description: String::new(),
            owner: Some(owner),
            quota: self.0,
            etag: Etag::new("e"),
            mtime: now(),
            permissions: Permissions::MANAGER,
            image: None,
            readme: None,
            disabled: None,
        };
        Ok(Page { items: vec![space], next: None })
    }

    async fn get(&self, _: &Cx, _: GetSpace) -> Result<Space> {
        Err(Error::not_found("no such space"))
    }

    async fn create(&self, _: &Cx, _: CreateSpace) -> Result<Space> {
        Err(Error::denied("no"))
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

fn service(features: Features, quota: Quota) -> HttpService {
    Ocs::new(OcsParts {
        spaces: Arc::new(OneSpace(quota)),
        features,
        url: "https://localhost:9200".into(),
        product: Product { version: "0.1.0".into(), edition: "Community".into() },
    })
}

fn unlimited() -> Quota {
    Quota { total: None, used: 0, remaining: Some(1000) }
}

fn first_version() -> Features {
    Features {
        checksums: vec![ChecksumKind::Sha1, ChecksumKind::Md5, ChecksumKind::Adler32],
        spaces: Some(SpacesFeature::default()),
        ..Features::default()
    }
}

fn marie() -> Caller {
    Caller::User(Arc::new(Identity {
        id: UserId::parse("f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c").unwrap(),
        idp: "https://localhost:9200".into(),
        username: "marie".into(),
        display_name: "Marie Skłodowska <Curie>".into(),
        mail: "marie@example.org".into(),
        groups: vec![GroupId::parse("g1").unwrap(), GroupId::parse("g2").unwrap()],
        role: UserRole::User,
        scope: ocis_core::scope::Scope::Everything,
    }))
}

async fn ask(
    service: &HttpService,
    caller: Caller,
    method: &str,
    path: &str,
) -> (StatusCode, String) {
    let mut request = Request::builder().method(method).uri(path).body(empty()).unwrap();
    request.extensions_mut().insert(Cx::new(caller, now()));
    let response = service.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let is_json = path.ends_with("format=json");
    assert_eq!(
        kind,
        if is_json { "application/json; charset=utf-8" } else { "text/xml; charset=utf-8" }
    );
    if !is_json {
        assert!(text.starts_with("<?xml"), "{text}");
        return (status, text.replace("><", ">\n<"));
    }
    (status, pretty(&text))
}

/// Line breaks without changing the order of keys, which a parsed value would lose.
fn pretty(json: &str) -> String {
    json.replace("{", "{\n").replace("}", "\n}").replace(",\"", ",\n\"")
}

async fn get(path: &str) -> (StatusCode, String) {
    ask(&service(first_version(), unlimited()), marie(), "GET", path).await
}

#[tokio::test]
async fn capabilities_in_json() {
    let (status, body) = get("/ocs/v1.php/cloud/capabilities?format=json").await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_snapshot!(body);
}

#[tokio::test]
async fn capabilities_in_xml() {
    let (status, body) = get("/ocs/v2.php/cloud/capabilities").await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_snapshot!(body);
}

#[tokio::test]
async fn nothing_is_advertised_by_default() {
    let service = service(Features::default(), unlimited());
    let path = "/ocs/v1.php/cloud/capabilities?format=json";
    let (status, body) = ask(&service, Caller::Anonymous, "GET", path).await;
    assert_eq!(status, StatusCode::OK, "before signing in too");
    let trues: Vec<&str> = body.lines().filter(|line| line.contains("true")).collect();
    let expected = [
        "\"installed\":true,",
        "\"create_disabled\":true,",
        "\"delete_disabled\":true,",
        "\"change_password_self_disabled\":true",
    ];
    assert_eq!(trues, expected, "{body}");
    for absent in [
        "tus_support",
        "archivers",
        "app_providers",
        "trashbin",
        "notifications",
        "search-files",
        "checksums",
        "spaces",
        "sha1",
    ] {
        assert!(!body.contains(absent), "{absent}");
    }
}

#[tokio::test]
async fn what_is_switched_on_is_advertised() {
    let features = Features {
        private_links: true,
        tus: Some(TusFeature { max_chunk_size: 10_000_000, method_override: String::new() }),
        trash: true,
        versions: true,
        favorites: true,
        tags: true,
        search: true,
        full_text_search: true,
        signed_urls: true,
        sse: true,
        sharing: true,
        public_links: true,
        manage_users: true,
        change_password: true,
        spaces: Some(SpacesFeature { projects: true, share_jail: true, max_quota: 5 }),
        ..first_version()
    };
    let service = service(features, unlimited());
    let path = "/ocs/v2.php/cloud/capabilities?format=json";
    let (_, body) = ask(&service, marie(), "GET", path).await;
    insta::assert_snapshot!(body);
}

#[tokio::test]
async fn the_caller() {
    insta::assert_snapshot!(get("/ocs/v1.php/cloud/user?format=json").await.1);
    insta::assert_snapshot!(get("/ocs/v2.php/cloud/user").await.1);
}

#[tokio::test]
async fn the_account_with_its_quota() {
    insta::assert_snapshot!(get("/ocs/v1.php/cloud/users/marie?format=json").await.1);
    let limited = Quota { total: Some(200), used: 50, remaining: Some(150) };
    let service = service(first_version(), limited);
    let path = "/ocs/v2.php/cloud/users/mari%65/?format=xml";
    insta::assert_snapshot!(ask(&service, marie(), "GET", path).await.1);
    insta::assert_snapshot!(get("/ocs/v1.php/cloud/users/marie/groups").await.1);
}

#[tokio::test]
async fn others_are_nobodys_business() {
    for path in ["users/einstein", "users/einstein/groups", "users/MARIE"] {
        let (status, body) = get(&format!("/ocs/v2.php/cloud/{path}?format=json")).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        assert!(body.contains("\"statuscode\":403"), "{body}");
    }
    let (status, body) = get("/ocs/v1.php/cloud/users/einstein?format=json").await;
    assert_eq!(status, StatusCode::OK, "version 1 has no other status");
    assert!(body.contains("\"statuscode\":403"), "{body}");
}

#[tokio::test]
async fn the_config() {
    insta::assert_snapshot!(get("/ocs/v1.php/config?format=json").await.1);
    insta::assert_snapshot!(get("/ocs/v2.php/config").await.1);
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_so() {
    let service = service(first_version(), unlimited());
    let path = "/ocs/v2.php/cloud/user?format=json";
    let (status, body) = ask(&service, Caller::Anonymous, "GET", path).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(body.contains("\"statuscode\":997"), "{body}");
}

#[tokio::test]
async fn what_is_not_there() {
    for (path, status, code) in [
        ("/ocs/v1.php/cloud/nothing", 404, 998),
        ("/ocs/v2.php/", 404, 998),
        ("/ocs/v3.php/cloud/user", 404, 998),
        ("/ocs", 404, 998),
        ("/ocs/v2.php/cloud/user/marie", 404, 998),
        ("/ocs/v1.php/apps/files_sharing/api/v1/shares", 501, 501),
        ("/ocs/v2.php/apps/notifications/api/v1/notifications", 501, 501),
        ("/ocs/v2.php/cloud/users/%ff", 400, 400),
    ] {
        let (got, body) = get(&format!("{path}?format=json")).await;
        assert_eq!(got.as_u16(), status, "{path}");
        assert!(body.contains(&format!("\"statuscode\":{code}")), "{path}: {body}");
        assert!(!body.contains("\"data\""), "{body}");
    }
    let service = service(first_version(), unlimited());
    let (status, body) = ask(&service, marie(), "POST", "/ocs/v1.php/cloud/user").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    insta::assert_snapshot!(body);
}

#[tokio::test]
async fn a_request_without_its_context_is_a_defect_and_not_a_guest() {
    let service = service(first_version(), unlimited());
    let request = Request::get("/ocs/v2.php/cloud/user").body(empty()).unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.headers()["ocs-api-version"], "2");
}

/// Everybody's key is `secret`.
struct OneKey;

#[async_trait]
impl ocis_core::port::SigningKeys for OneKey {
    async fn own(
        &self,
        cx: &Cx,
        _: ocis_core::port::OwnSigningKey,
    ) -> Result<ocis_core::port::SigningKey> {
        let user = cx.caller.identity()?.id.clone();
        let key = ocis_core::config::Secret::new("secret");
        Ok(ocis_core::port::SigningKey { user, key })
    }
}

#[tokio::test]
async fn the_signing_key_of_the_caller() {
    let service = SigningKeyEndpoint::new(Arc::new(OneKey));
    let path = "/ocs/v1.php/cloud/user/signing-key";
    let (status, body) = ask(&service, marie(), "GET", path).await;
    assert_eq!(status, StatusCode::OK);
    // As the web client reads it.
    assert!(body.contains("<signing-key>secret</signing-key>"), "{body}");
    let (_, body) = ask(&service, marie(), "GET", &format!("{path}?format=json")).await;
    let data = r#""data":{"user":"f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c","signing-key":"secret"}"#;
    assert!(body.replace([' ', '\n'], "").contains(data), "{body}");
    let other = "/ocs/v2.php/cloud/user/signing-keys";
    assert_eq!(ask(&service, marie(), "GET", other).await.0, StatusCode::NOT_FOUND);
    let v2 = "/ocs/v2.php/cloud/user/signing-key";
    assert_eq!(ask(&service, marie(), "POST", v2).await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(ask(&service, Caller::Anonymous, "GET", v2).await.0, StatusCode::UNAUTHORIZED);
}
