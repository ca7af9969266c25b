//! Roles over documents in memory.

use ocis_core::conformance::{self, MemoryDocuments};
use ocis_core::port::DocumentCondition;
use ocis_core::time::Timestamp;
use ocis_core::{ErrorKind, Identity};

use super::*;

fn server() -> Cx {
    Cx::new(Caller::Service("test".into()), Timestamp::from_unix(1_800_000_000, 0).unwrap())
}

fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

fn store(documents: &Arc<MemoryDocuments>, defaults: DefaultRoles) -> RoleStore {
    RoleStore::new(Arc::<MemoryDocuments>::clone(documents), defaults)
}

async fn put(documents: &MemoryDocuments, path: &str, content: &str) {
    let (key, content) = (key(path.into()), content.as_bytes().to_vec());
    let put = PutDocument { key, content, condition: DocumentCondition::None };
    documents.put(&server(), put).await.unwrap();
}

#[tokio::test]
async fn keeps_the_promises_of_the_port() {
    let documents = Arc::new(MemoryDocuments::default());
    conformance::roles(&store(&documents, DefaultRoles::default())).await;
}

#[tokio::test]
async fn an_assignment_is_the_document_of_ocis_and_is_replaced_in_one_step() {
    let documents = Arc::new(MemoryDocuments::default());
    let roles = store(&documents, DefaultRoles::default());
    let first = AssignRole { user: user("einstein"), role: UserRole::User };
    let first = roles.assign(&server(), first).await.unwrap();
    let second = AssignRole { user: user("einstein"), role: UserRole::SpaceAdmin };
    let second = roles.assign(&server(), second).await.unwrap();
    assert_eq!(first.id, second.id);
    let names = documents.names(&server(), key("settings/accounts/einstein".into())).await;
    assert_eq!(names.unwrap(), [first.id.as_str()]);
    let path = key(format!("settings/accounts/einstein/{}", first.id));
    let document = documents.get(&server(), path).await.unwrap().unwrap();
    let text = String::from_utf8(document.content).unwrap();
    let id = &first.id;
    let role = "2aadd357-682c-406b-8874-293091995fdd";
    assert_eq!(text, format!(r#"{{"id":"{id}","accountUuid":"einstein","roleId":"{role}"}}"#));
}

#[tokio::test]
async fn the_admin_is_admin_at_every_start_and_demo_accounts_keep_what_they_have() {
    let documents = Arc::new(MemoryDocuments::default());
    let admin = user("9181deb3-c90b-4ea4-b1f0-aab7043e920e");
    let moss = user("058bff95-6708-4fe5-91e4-9ea3d377588b");
    let defaults = DefaultRoles { admin: Some(admin.clone()), demo: true };
    let roles = store(&documents, defaults.clone());
    let role = async |roles: &RoleStore, user: &UserId| {
        roles.assigned(&server(), user.clone()).await.unwrap().map(|assigned| assigned.role)
    };
    assert_eq!(role(&roles, &admin).await, Some(UserRole::Admin));
    assert_eq!(role(&roles, &moss).await, Some(UserRole::Admin));
    assert_eq!(role(&roles, &user("service-user-id")).await, Some(UserRole::Admin));
    for user in [&admin, &moss] {
        let demoted = AssignRole { user: user.clone(), role: UserRole::UserLight };
        roles.assign(&server(), demoted).await.unwrap();
        assert_eq!(role(&roles, user).await, Some(UserRole::UserLight));
    }
    let again = store(&documents, defaults);
    assert_eq!(role(&again, &admin).await, Some(UserRole::Admin));
    assert_eq!(role(&again, &moss).await, Some(UserRole::UserLight));
    let holders = again.holders(&server(), UserRole::SpaceAdmin).await.unwrap();
    let [katherine] = &*holders else { panic!("{holders:?}") };
    assert_eq!(katherine.user, user("534bb038-6f9d-4093-946f-133be61fa4e7"));
}

#[tokio::test]
async fn who_has_several_has_the_mightiest_and_who_has_none_that_we_know_is_refused() {
    let documents = Arc::new(MemoryDocuments::default());
    let record = |id: &str, role: &str| format!(r#"{{"id":"{id}","roleId":"{role}"}}"#);
    let some = |role: &str| record("x", role).replace("}", r#","accountUuid":"a"}"#);
    put(&documents, "settings/accounts/a/1", &some(UserRole::User.id())).await;
    put(&documents, "settings/accounts/a/2", &some(UserRole::Admin.id())).await;
    put(&documents, "settings/accounts/b/1", &some("no-role")).await;
    put(&documents, "settings/accounts/c/1", "{").await;
    let roles = store(&documents, DefaultRoles::default());
    let found = roles.assigned(&server(), user("a")).await.unwrap().unwrap();
    assert_eq!(found.role, UserRole::Admin);
    for name in ["b", "c"] {
        let ensure = AssignRole { user: user(name), role: UserRole::User };
        let refused = roles.ensure(&server(), ensure).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Internal, "{name}");
    }
    let one = AssignRole { user: user("a"), role: UserRole::User };
    roles.assign(&server(), one).await.unwrap();
    let left = documents.names(&server(), key("settings/accounts/a".into())).await.unwrap();
    assert_eq!(left, ["1"]);
}

#[tokio::test]
async fn documents_that_cannot_be_read_give_no_role() {
    let documents = Arc::new(MemoryDocuments::default());
    let roles = store(&documents, DefaultRoles { admin: Some(user("admin")), demo: false });
    documents.set_broken(true);
    let ensure = || AssignRole { user: user("einstein"), role: UserRole::User };
    let refused = roles.ensure(&server(), ensure()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    documents.set_broken(false);
    assert_eq!(roles.ensure(&server(), ensure()).await.unwrap().role, UserRole::User);
    documents.set_broken(true);
    assert_eq!(roles.ensure(&server(), ensure()).await.unwrap().role, UserRole::User);
    let promoted = AssignRole { user: user("einstein"), role: UserRole::Admin };
    roles.assign(&server(), promoted).await.unwrap_err();
    assert_eq!(roles.ensure(&server(), ensure()).await.unwrap().role, UserRole::User);
    documents.set_broken(false);
    let self_asking = Identity {
        id: user("einstein"),
        idp: "".into(),
        username: String::new(),
        display_name: String::new(),
        mail: String::new(),
        groups: Vec::new(),
        role: UserRole::UserLight,
        scope: ocis_core::scope::Scope::Everything,
    };
    let cx = Cx { caller: Caller::User(Arc::new(self_asking)), ..server() };
    assert_eq!(roles.assigned(&cx, user("einstein")).await.unwrap().unwrap().role, UserRole::User);
}
