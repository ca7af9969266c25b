//! The endpoints as clients see them; what oCIS answers is from a server of version 7.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use ocis_core::data::empty;
use ocis_core::etag::Etag;
use ocis_core::id::{GroupId, ResourceId, SpaceId, StorageId, UserId};
use ocis_core::permissions::Permissions;
use ocis_core::port::{
    CreateSpace, Cursor, DisableSpace, FindUser, GetGroup, GetSpace, ListGroups, ListSpaces,
    ListUsers, Page, PurgeSpace, RestoreSpace, UpdateSpace,
};
use ocis_core::quota::Quota;
use ocis_core::space::{Space, SpaceKind};
use ocis_core::time::Timestamp;
use ocis_core::user::{Group, User, UserRole};
use ocis_core::{Caller, Cx, Error, Identity, Result};
use tower::ServiceExt as _;

use super::*;

const STORAGE: &str = "50020e69-da51-4707-966d-ba8adeeb10d4";
const RICHARD: &str = "932b4540-8d16-481e-8ef4-588e4b6b151c";
const PHYSICS: &str = "bf52c3ee-480f-4b28-ab05-ff036cf3ac5d";
const DISABLED: &str = "98d2c8c7-e390-48d0-a076-a76c5deaa4b3";

const GROUPS: [(&str, &str); 2] = [
    ("509a9dcd-bb37-4f4f-a01a-19dca27d9cfa", "users"),
    ("a1726108-01f8-4c30-88df-2b1a9d1cba1a", "quantum-lovers"),
];

fn now() -> Timestamp {
    "2026-11-23T02:51:00.5Z".parse().unwrap()
}

fn group_ids() -> Vec<GroupId> {
    GROUPS.iter().map(|(id, _)| GroupId::parse(id).unwrap()).collect()
}

fn richard() -> Caller {
    let mut groups = group_ids();
    groups.push(GroupId::parse("removed-meanwhile").unwrap());
    Caller::User(Arc::new(Identity {
        id: UserId::parse(RICHARD).unwrap(),
        idp: "https://localhost:9200".into(),
        username: "richard".into(),
        display_name: "Richard Phillips Feynman".into(),
        mail: "richard@example.org".into(),
        groups,
        role: UserRole::User,
        scope: ocis_core::scope::Scope::Everything,
    }))
}

fn space(kind: SpaceKind, id: &str, name: &str) -> Space {
    Space {
        root: ResourceId::root(StorageId::parse(STORAGE).unwrap(), SpaceId::parse(id).unwrap()),
        kind,
        name: name.into(),
        alias: format!("{}/{}", kind.as_str(), name.to_lowercase().replace(' ', "-")),
        description: String::new(),
        owner: None,
        quota: Quota { total: None, used: 0, remaining: None },
        etag: Etag::new("2399c543429ead1ec855abf3ce8ffd77"),
        mtime: "2026-11-23T02:49:27.33388806Z".parse().unwrap(),
        permissions: Permissions::MANAGER,
        image: None,
        readme: None,
        disabled: None,
    }
}

fn spaces() -> Vec<Space> {
    let mut physics = space(SpaceKind::Project, PHYSICS, "Physics");
    physics.description = "All of it".into();
    physics.quota =
        Quota { total: Some(1_073_741_824), used: 127_552, remaining: Some(1_073_614_272) };
    physics.etag = Etag::new("564cf2ba90863f73651296b011f0791e");
    physics.mtime = "2026-11-23T02:49:24.204450319Z".parse().unwrap();
    let mut personal = space(SpaceKind::Personal, RICHARD, "Richard Phillips Feynman");
    personal.alias = "personal/richard".into();
    personal.owner = Some(UserId::parse(RICHARD).unwrap());
    personal.quota.used = 3572;
    let mut disabled = space(SpaceKind::Project, DISABLED, "disabled one");
    disabled.quota.total = Some(1_000_000_000);
    disabled.disabled = Some(now());
    disabled.etag = Etag::new("a481837af512619887b39a0673a94a41");
    disabled.mtime = "2026-11-23T02:49:25.023194587Z".parse().unwrap();
    vec![physics, personal, disabled, space(SpaceKind::Metadata, "records", "Metadata")]
}

/// Gives one space a page, and empty pages between.
struct Fake(Vec<Space>);

#[async_trait]
impl Spaces for Fake {
    async fn list(&self, cx: &Cx, request: ListSpaces) -> Result<Page<Space>> {
        cx.caller.identity()?;
        let at: usize = request.page.cursor.map_or(0, |Cursor(text)| text.parse().unwrap());
        let items = self.0.get(at..=at).unwrap_or_default().to_vec();
        let items = items
            .into_iter()
            .filter(|it| request.kind.is_none_or(|kind| kind == it.kind))
            .filter(|it| request.owner.is_none() || request.owner == it.owner)
            .collect();
        let next = (at < self.0.len()).then(|| Cursor((at + 1).to_string()));
        Ok(Page { items, next })
    }

    async fn get(&self, _: &Cx, request: GetSpace) -> Result<Space> {
        let found = self.0.iter().find(|it| it.root.space == request.space.space);
        found.cloned().ok_or_else(|| Error::not_found("no such space"))
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

#[async_trait]
impl Users for Fake {
    async fn find(&self, _: &Cx, request: FindUser) -> Result<User> {
        match request {
            FindUser::Id(id) if id.as_str() == RICHARD => Ok(User {
                id,
                username: "richard".into(),
                display_name: "Richard Phillips Feynman".into(),
                given_name: "Richard".into(),
                surname: "Feynman".into(),
                mail: "richard@example.org".into(),
                groups: group_ids(),
                role: UserRole::User,
                enabled: true,
                user_type: ocis_core::user::UserType::Member,
                identities: Vec::new(),
            }),
            _ => Err(Error::internal("the disk is on fire")),
        }
    }

    async fn list(&self, _: &Cx, _: ListUsers) -> Result<Page<User>> {
        Err(Error::denied("no"))
    }
}

#[async_trait]
impl Groups for Fake {
    async fn get(&self, _: &Cx, request: GetGroup) -> Result<Group> {
        let GetGroup::Id(id) = request else { return Err(Error::denied("no")) };
        let found = GROUPS.iter().find(|(known, _)| *known == id.as_str());
        let (_, name) = found.ok_or_else(|| Error::not_found("no such group"))?;
        Ok(Group { id, name: (*name).into(), members: Vec::new() })
    }

    async fn list(&self, _: &Cx, _: ListGroups) -> Result<Page<Group>> {
        Err(Error::denied("no"))
    }
}

fn service(spaces: Vec<Space>) -> HttpService {
    let fake = Arc::new(Fake(spaces));
    Graph::new(GraphParts {
        spaces: Arc::clone(&fake) as _,
        users: Arc::clone(&fake) as _,
        groups: fake,
        url: "https://localhost:9200/".into(),
        language: String::new(),
    })
}

async fn ask(caller: Caller, method: &str, path: &str) -> (StatusCode, String) {
    let mut request = Request::builder().method(method).uri(path).body(empty()).unwrap();
    let mut cx = Cx::new(caller, now());
    cx.trace = "request-1".into();
    request.extensions_mut().insert(cx);
    let response = service(spaces()).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn get(path: &str) -> (StatusCode, String) {
    ask(richard(), "GET", &format!("/graph/v1.0/{path}")).await
}

async fn names(path: &str) -> Vec<String> {
    let (status, body) = get(path).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let drives = body["value"].as_array().unwrap();
    drives.iter().map(|drive| drive["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn me_is_what_ocis_answers() {
    let ocis = r#"{"accountEnabled":true,"displayName":"Richard Phillips Feynman","givenName":"Richard","id":"932b4540-8d16-481e-8ef4-588e4b6b151c","identities":[{"issuer":"https://localhost:9200","issuerAssignedId":"932b4540-8d16-481e-8ef4-588e4b6b151c"}],"mail":"richard@example.org","memberOf":[{"displayName":"users","groupTypes":[],"id":"509a9dcd-bb37-4f4f-a01a-19dca27d9cfa"},{"displayName":"quantum-lovers","groupTypes":[],"id":"a1726108-01f8-4c30-88df-2b1a9d1cba1a"}],"onPremisesSamAccountName":"richard","preferredLanguage":"en","surname":"Feynman","userType":"Member"}"#;
    assert_eq!(get("me?$expand=memberOf").await, (StatusCode::OK, ocis.into()));
    let (status, body) = get("me/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(!body.contains("memberOf"), "{body}");
}

#[tokio::test]
async fn the_personal_drive_is_what_ocis_answers() {
    let ocis = r#"{"driveAlias":"personal/richard","driveType":"personal","id":"50020e69-da51-4707-966d-ba8adeeb10d4$932b4540-8d16-481e-8ef4-588e4b6b151c","lastModifiedDateTime":"2026-11-23T02:49:27.33388806Z","name":"Richard Phillips Feynman","owner":{"user":{"displayName":"","id":"932b4540-8d16-481e-8ef4-588e4b6b151c"}},"quota":{"remaining":9223372036854775807,"state":"normal","total":0,"used":3572},"root":{"eTag":"\"2399c543429ead1ec855abf3ce8ffd77\"","id":"50020e69-da51-4707-966d-ba8adeeb10d4$932b4540-8d16-481e-8ef4-588e4b6b151c","webDavUrl":"https://localhost:9200/dav/spaces/50020e69-da51-4707-966d-ba8adeeb10d4$932b4540-8d16-481e-8ef4-588e4b6b151c"},"webUrl":"https://localhost:9200/f/50020e69-da51-4707-966d-ba8adeeb10d4$932b4540-8d16-481e-8ef4-588e4b6b151c"}"#;
    assert_eq!(get("me/drive").await, (StatusCode::OK, ocis.into()));
    let (status, body) = get("me/drives?$filter=driveType%20eq%20'personal'").await;
    assert_eq!((status, body), (StatusCode::OK, format!("{{\"value\":[{ocis}]}}")));
}

#[tokio::test]
async fn other_drives_are_what_ocis_answers_but_for_permissions() {
    let (_, body) =
        get("me/drives?$filter=driveType eq 'project'".replace(' ', "+").as_str()).await;
    let physics = r#"{"description":"All of it","driveAlias":"project/physics","driveType":"project","id":"50020e69-da51-4707-966d-ba8adeeb10d4$bf52c3ee-480f-4b28-ab05-ff036cf3ac5d","lastModifiedDateTime":"2026-11-23T02:49:24.204450319Z","name":"Physics","owner":{"user":{"displayName":"","id":"bf52c3ee-480f-4b28-ab05-ff036cf3ac5d"}},"quota":{"remaining":1073614272,"state":"normal","total":1073741824,"used":127552},"root":{"eTag":"\"564cf2ba90863f73651296b011f0791e\"","id":"50020e69-da51-4707-966d-ba8adeeb10d4$bf52c3ee-480f-4b28-ab05-ff036cf3ac5d","webDavUrl":"https://localhost:9200/dav/spaces/50020e69-da51-4707-966d-ba8adeeb10d4$bf52c3ee-480f-4b28-ab05-ff036cf3ac5d"},"webUrl":"https://localhost:9200/f/50020e69-da51-4707-966d-ba8adeeb10d4$bf52c3ee-480f-4b28-ab05-ff036cf3ac5d"}"#;
    assert!(body.contains(physics), "{body}");
    assert!(
        body.contains(
            r#""quota":{"total":1000000000},"root":{"deleted":{"state":"trashed"},"eTag""#
        ),
        "{body}"
    );
}

#[tokio::test]
async fn drives_are_listed_filtered_and_ordered() {
    let all = ["Physics", "Richard Phillips Feynman", "disabled one"];
    assert_eq!(names("me/drives").await, all);
    assert_eq!(names("me/drives?$select=id&$expand=root").await, all);
    let by_name = ["disabled one", "Physics", "Richard Phillips Feynman"];
    assert_eq!(names("me/drives?$orderby=name").await, by_name);
    let newest = ["Richard Phillips Feynman", "disabled one", "Physics"];
    assert_eq!(names("me/drives?$orderby=lastModifiedDateTime+desc").await, newest);
    let by_id = format!("me/drives?$filter=id+eq+'{STORAGE}${PHYSICS}'");
    assert_eq!(names(&by_id).await, ["Physics"]);
    for none in ["id+eq+'x$y'", "id+eq+'x'", "driveType+eq+'virtual'", "driveType+eq+'metadata'"] {
        assert!(names(&format!("me/drives?$filter={none}")).await.is_empty(), "{none}");
    }
}

#[tokio::test]
async fn an_error_is_that_of_odata() {
    let (status, body) = get("me/nothing").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let expected = r#"{"error":{"code":"itemNotFound","innererror":{"date":"2026-11-23T02:51:00Z","request-id":"request-1"},"message":"there is nothing at this path"}}"#;
    assert_eq!(body, expected);
}

#[tokio::test]
async fn what_is_refused() {
    for (method, path, status, code) in [
        ("GET", "/graph/v1.0/me/drives?$filter=name+eq+'x'", 400, "invalidRequest"),
        ("GET", "/graph/v1.0/me/drives?$filter=driveType+ne+'x'", 400, "invalidRequest"),
        ("GET", "/graph/v1.0/me/drives?$orderby=owner", 400, "invalidRequest"),
        ("GET", "/graph/v1.0/me/drives?$filter=%ff", 400, "invalidRequest"),
        ("GET", "/graph/v1.0/me?$expand=secrets", 400, "invalidRequest"),
        ("GET", "/graph/v1.0/me?$expand=appRoleAssignments", 501, "notSupported"),
        ("GET", "/graph/v1.0/me/drives?$top=1", 501, "notSupported"),
        ("GET", "/graph/v1.0/users", 501, "notSupported"),
        ("DELETE", "/graph/v1.0/groups/g/members/m/$ref", 501, "notSupported"),
        ("GET", "/graph/v1.0/drives/a$b/items/a$b!c", 501, "notSupported"),
        ("GET", "/graph/v1beta1/me/drive/sharedWithMe", 501, "notSupported"),
        ("GET", "/graph/v1beta1/roleManagement/permissions/roleDefinitions", 501, "notSupported"),
        ("PATCH", "/graph/v1.0/me", 501, "notSupported"),
        ("POST", "/graph/v1.0/me/changePassword", 501, "notSupported"),
        ("POST", "/graph/v1.0/me/drives", 405, "notAllowed"),
        ("DELETE", "/graph/v1.0/me", 405, "notAllowed"),
        ("GET", "/graph/v1.0", 404, "itemNotFound"),
        ("GET", "/graph", 404, "itemNotFound"),
        ("GET", "/graph/v2.0/me", 404, "itemNotFound"),
    ] {
        let (got, body) = ask(richard(), method, path).await;
        assert_eq!(got.as_u16(), status, "{method} {path}: {body}");
        assert!(body.contains(&format!("\"code\":\"{code}\"")), "{path}: {body}");
    }
}

#[tokio::test]
async fn guests_have_no_account_and_no_drives() {
    for path in ["me", "me/drives", "me/drives?$filter=id+eq+'a$b'", "me/drive"] {
        let (status, body) = ask(Caller::Anonymous, "GET", &format!("/graph/v1.0/{path}")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}: {body}");
    }
}

#[tokio::test]
async fn what_is_broken_inside_stays_inside() {
    let Caller::User(identity) = richard() else { unreachable!() };
    let other = Identity { id: UserId::parse("other").unwrap(), ..(*identity).clone() };
    let (status, body) = ask(Caller::User(Arc::new(other)), "GET", "/graph/v1.0/me").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(body.contains("generalException") && !body.contains("fire"), "{body}");
}

#[tokio::test]
async fn who_has_no_personal_drive_is_told_so() {
    let mut request = Request::get("/graph/v1.0/me/drive").body(empty()).unwrap();
    request.extensions_mut().insert(Cx::new(richard(), now()));
    let response = service(Vec::new()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_request_without_its_context_is_a_defect_and_not_a_guest() {
    let request = Request::get("/graph/v1.0/me").body(empty()).unwrap();
    let response = service(Vec::new()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
