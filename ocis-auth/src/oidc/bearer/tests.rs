//! Who a bearer token signs in, for how long, and what it costs the provider.

use std::sync::atomic::Ordering;

use ocis_core::Caller;
use ocis_core::config::Secret;
use ocis_core::conformance::MemoryDocuments;
use ocis_core::id::UserId;
use ocis_core::port::{
    AssignRole, FindUser, Groups, Provisioning, RoleAssignment, Roles, UnassignRole, Users,
};
use ocis_core::user::UserRole;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::directory::{Bootstrap, Directory, Editor};
use crate::hash::{Cost, Hasher};
use crate::oidc::verify::tests::{ISSUER, NOW, Provider, Signer, cx, fine};
use crate::oidc::verify::{Method, Options};

/// A server with the demo users, and a provider.
struct World {
    signer: Signer,
    provider: Arc<Provider>,
    directory: Arc<Directory>,
    roles: Arc<Given>,
    _dir: TempDir,
}

impl World {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let hasher = Hasher::new(Cost { memory_kib: 16, passes: 1, lanes: 2 }, 2).unwrap();
        let bootstrap = Bootstrap {
            admin_id: UserId::random(),
            admin_password: "first".into(),
            create_demo_users: true,
            takes_over: None,
            now: cx(NOW).now,
        };
        let directory = Directory::open_with(dir.path(), hasher, bootstrap).unwrap();
        let signer = Signer::ec("ec");
        let provider = Provider::with(&[&signer]);
        Self { signer, provider, directory, roles: Arc::default(), _dir: dir }
    }

    fn bearer(&self) -> Bearer {
        self.bearer_with(|_| {}, |accounts| accounts)
    }

    fn bearer_with(
        &self,
        options: impl FnOnce(&mut Options),
        accounts: impl FnOnce(Accounts) -> Accounts,
    ) -> Bearer {
        let users: Arc<dyn Users> = Arc::<Directory>::clone(&self.directory);
        let mapping = Mapping {
            claim: "preferred_username".into(),
            key: AccountKey::Username,
            idp: ISSUER.into(),
        };
        let accounts = accounts(Accounts::new(users, mapping));
        let options = self.provider.verifier(options);
        Bearer::new(options, accounts, BearerOptions::default()).unwrap()
    }

    fn provisioning(&self) -> AutoProvision {
        let groups: Arc<dyn Groups> = Arc::<Directory>::clone(&self.directory);
        let editor: Arc<dyn Provisioning> =
            Arc::new(Editor::new(Arc::<Directory>::clone(&self.directory)));
        AutoProvision::new(editor, groups, ProvisionClaims::default())
    }

    fn token(&self, change: Value) -> String {
        let mut claims = fine();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.signer.sign(&claims)
    }

    fn logout(&self, claims: Value) -> String {
        let mut all = json!({"iss": ISSUER, "iat": NOW, "jti": "1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}}});
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        self.signer.sign(&all)
    }
}

/// Remembers roles.
#[derive(Debug, Default)]
struct Given(Mutex<Vec<(UserId, UserRole)>>);

#[async_trait]
impl Roles for Given {
    async fn assigned(&self, _: &Cx, user: UserId) -> Result<Option<RoleAssignment>> {
        let given = self.0.lock();
        let found = given.iter().rev().find(|(who, _)| *who == user);
        Ok(found.map(|(user, role)| RoleAssignment {
            id: "1".into(),
            user: user.clone(),
            role: *role,
        }))
    }

    async fn holders(&self, _: &Cx, _: UserRole) -> Result<Vec<RoleAssignment>> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn assign(
        &self,
        cx: &Cx,
        AssignRole { user, role }: AssignRole,
    ) -> Result<RoleAssignment> {
        assert!(matches!(cx.caller, Caller::Service(_)));
        self.0.lock().push((user.clone(), role));
        Ok(RoleAssignment { id: "1".into(), user, role })
    }

    async fn ensure(&self, _: &Cx, _: AssignRole) -> Result<RoleAssignment> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn unassign(&self, _: &Cx, _: UnassignRole) -> Result<()> {
        Err(Error::unimplemented("not in this fake"))
    }
}

async fn sign_in(bearer: &Bearer, token: &str, now: i64) -> Result<Arc<Identity>> {
    let credentials = Credentials::Bearer { token: Secret::new(token) };
    bearer.authenticate(&cx(now), credentials).await
}

async fn kind(bearer: &Bearer, token: &str, now: i64) -> Option<ErrorKind> {
    sign_in(bearer, token, now).await.err().map(|error| error.kind())
}

const REFUSED: Option<ErrorKind> = Some(ErrorKind::Unauthenticated);

#[tokio::test]
async fn the_second_request_asks_nobody_and_the_provider_may_be_away() {
    let world = World::new();
    let bearer = world.bearer_with(|options| options.skip_userinfo = false, |accounts| accounts);
    let token = world.token(json!({}));
    world.provider.people.lock().push((token.clone(), json!({"sub": "1"})));
    let many = (0..20).map(|_| sign_in(&bearer, &token, NOW));
    let answers = futures::future::join_all(many).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().username == "einstein"));
    assert_eq!(world.provider.asked.load(Ordering::Relaxed), 1);
    *world.provider.is_down.lock() = true;
    let identity = sign_in(&bearer, &token, NOW + 299).await.unwrap();
    assert_eq!((&*identity.idp, identity.role), (ISSUER, UserRole::User));
    assert_eq!(world.provider.asked.load(Ordering::Relaxed), 1);
    assert_eq!(kind(&bearer, &token, NOW + 300).await, REFUSED);
    let other = world.token(json!({"jti": "2"}));
    assert_eq!(kind(&bearer, &other, NOW).await, Some(ErrorKind::Unavailable));
    *world.provider.is_down.lock() = false;
    world.provider.people.lock().push((other.clone(), json!({"sub": "1"})));
    assert_eq!(kind(&bearer, &other, NOW).await, None);
}

#[tokio::test]
async fn what_was_remembered_of_one_token_helps_no_other() {
    let world = World::new();
    let bearer = world.bearer();
    let token = world.token(json!({}));
    assert_eq!(kind(&bearer, &token, NOW).await, None);
    for other in [
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        token.rsplit_once('.').unwrap().0.to_owned(),
        format!("{}.", token.rsplit_once('.').unwrap().0),
        token.to_uppercase(),
    ] {
        assert_eq!(kind(&bearer, &other, NOW).await, REFUSED, "{other}");
    }
    // Nor does a refusal of others hurt it.
    assert_eq!(kind(&bearer, &token, NOW).await, None);
    let expired = world.token(json!({"exp": NOW - 1}));
    assert_eq!(kind(&bearer, &expired, NOW).await, REFUSED);
}

#[tokio::test]
async fn opaque_tokens_are_asked_for_again_soon_and_refused_ones_seldom() {
    let world = World::new();
    let bearer = world.bearer_with(|options| options.method = Method::Opaque, |accounts| accounts);
    let asked = || world.provider.asked.load(Ordering::Relaxed);
    let who = json!({"sub": "1", "preferred_username": "marie"});
    world.provider.people.lock().push(("opaque".into(), who));
    assert_eq!(sign_in(&bearer, "opaque", NOW).await.unwrap().username, "marie");
    assert_eq!(kind(&bearer, "opaque", NOW + 9).await, None);
    assert_eq!(asked(), 1);
    world.provider.people.lock().clear();
    assert_eq!(kind(&bearer, "opaque", NOW + 10).await, REFUSED);
    assert_eq!(kind(&bearer, "opaque", NOW + 11).await, REFUSED);
    assert_eq!(asked(), 2);
    assert_eq!(kind(&bearer, "opaque", NOW + 15).await, REFUSED);
    assert_eq!(asked(), 3);
}

#[tokio::test]
async fn unknown_and_disabled_accounts_are_refused_also_with_a_remembered_token() {
    let world = World::new();
    let bearer = world.bearer();
    let unknown = world.token(json!({"preferred_username": "nobody"}));
    assert_eq!(kind(&bearer, &unknown, NOW).await, REFUSED);
    let nameless = world.token(json!({"preferred_username": null}));
    assert_eq!(kind(&bearer, &nameless, NOW).await, REFUSED);
    let token = world.token(json!({}));
    assert_eq!(kind(&bearer, &token, NOW).await, None);
    world.directory.set_enabled("einstein", false).await.unwrap();
    assert_eq!(kind(&bearer, &token, NOW + 1).await, REFUSED);
    world.directory.set_enabled("einstein", true).await.unwrap();
    assert_eq!(kind(&bearer, &token, NOW + 1).await, None);
}

#[tokio::test]
async fn somebody_new_gets_one_account_however_many_requests_come_at_once() {
    let world = World::new();
    let bearer =
        world.bearer_with(|_| {}, |accounts| accounts.provisioned_by(world.provisioning()));
    let about = |session: usize| {
        world.token(json!({"preferred_username": "ada", "name": "Ada", "email": "ada@example.org",
            "groups": ["staff", "physics-lovers"], "sub": "ada-1", "sid": session.to_string()}))
    };
    let tokens: Vec<String> = (0..8).map(about).collect();
    let answers = futures::future::join_all(tokens.iter().map(|t| sign_in(&bearer, t, NOW))).await;
    let ids: Vec<_> = answers.iter().map(|answer| answer.as_ref().unwrap().id.clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let service = Cx::new(Caller::Service("test".into()), cx(NOW).now);
    let user = world.directory.find(&service, FindUser::Username("ada".into())).await.unwrap();
    assert_eq!((user.display_name.as_str(), user.mail.as_str()), ("Ada", "ada@example.org"));
    assert_eq!(
        (user.identities[0].issuer.as_str(), user.identities[0].id.as_str()),
        (ISSUER, "ada-1")
    );
    assert_eq!(user.groups.len(), 2);

    let later = world.token(json!({"preferred_username": "ada", "name": "Ada Lovelace",
        "email": "ada@example.net", "groups": ["STAFF"], "sub": "ada-1"}));
    let identity = sign_in(&bearer, &later, NOW).await.unwrap();
    assert_eq!((identity.id.clone(), identity.groups.len()), (ids[0].clone(), 1));
    assert_eq!(
        (identity.display_name.as_str(), identity.mail.as_str()),
        ("Ada Lovelace", "ada@example.net")
    );

    let little = world.token(json!({"preferred_username": "bob"}));
    assert_eq!(kind(&bearer, &little, NOW).await, REFUSED);
}

#[tokio::test]
async fn the_first_role_of_the_mapping_that_the_claim_holds() {
    let world = World::new();
    let mapping = [(UserRole::Admin, "ocisAdmin"), (UserRole::User, "ocisUser")];
    let mapping = mapping.map(|(role, value)| RoleMapping { role, claim_value: value.into() });
    let roles =
        || RoleFromClaims::new(Arc::clone(&world.roles) as _, "realm.roles", mapping.to_vec());
    let bearer = world.bearer_with(|_| {}, |accounts| accounts.with_roles_from(roles()));
    let with = |roles: Value| world.token(json!({"realm": {"roles": roles}}));
    let both = with(json!(["other", "ocisUser", "ocisAdmin"]));
    assert_eq!(sign_in(&bearer, &both, NOW).await.unwrap().role, UserRole::Admin);
    assert_eq!(sign_in(&bearer, &both, NOW + 5).await.unwrap().role, UserRole::Admin);
    let one = sign_in(&bearer, &with(json!("ocisUser")), NOW).await.unwrap();
    assert_eq!(one.role, UserRole::User);
    assert_eq!(world.roles.0.lock().len(), 2);
    for roles in [json!(["other"]), json!([]), json!(null), json!([1])] {
        let token = with(roles.clone());
        assert_eq!(kind(&bearer, &token, NOW).await, Some(ErrorKind::PermissionDenied), "{roles}");
    }
}

#[tokio::test]
async fn a_session_that_ended_is_out_and_others_stay() {
    let world = World::new();
    let bearer = world.bearer();
    let (mine, other) = (world.token(json!({"sid": "a"})), world.token(json!({"sid": "b"})));
    for token in [&mine, &other] {
        assert_eq!(kind(&bearer, token, NOW).await, None);
    }
    let logout = world.logout(json!({"sid": "a", "sub": "1"}));
    bearer.log_out(&cx(NOW), &logout).await.unwrap();
    assert_eq!(kind(&bearer, &mine, NOW).await, REFUSED);
    assert_eq!(kind(&bearer, &other, NOW).await, None);
    // Also one of that session that was never seen.
    let unseen = world.token(json!({"sid": "a", "jti": "x"}));
    assert_eq!(kind(&bearer, &unseen, NOW).await, REFUSED);
    let forged = Signer::ec("ec").sign(&json!({"iss": ISSUER, "iat": NOW, "sid": "b",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}}}));
    assert!(bearer.log_out(&cx(NOW), &forged).await.is_err());
    assert_eq!(kind(&bearer, &other, NOW).await, None);
}

#[tokio::test]
async fn a_logout_of_a_person_ends_what_began_before_and_a_replay_nothing_new() {
    let world = World::new();
    let bearer = world.bearer();
    let before = world.token(json!({"sid": "a"}));
    let somebody = world.token(json!({"sub": "2", "preferred_username": "marie"}));
    for token in [&before, &somebody] {
        assert_eq!(kind(&bearer, token, NOW).await, None);
    }
    let logout = world.logout(json!({"sub": "1"}));
    bearer.log_out(&cx(NOW + 1), &logout).await.unwrap();
    assert_eq!(kind(&bearer, &before, NOW + 1).await, REFUSED);
    assert_eq!(kind(&bearer, &somebody, NOW + 1).await, None);
    let after = world.token(json!({"iat": NOW + 2}));
    assert_eq!(kind(&bearer, &after, NOW + 2).await, None);
    bearer.log_out(&cx(NOW + 3), &logout).await.unwrap();
    assert_eq!(kind(&bearer, &after, NOW + 3).await, None);
}

#[tokio::test]
async fn a_restart_forgets_no_session_that_ended() {
    let world = World::new();
    let documents = Arc::<MemoryDocuments>::default();
    let start = || world.bearer().remembering_in(Arc::clone(&documents) as _);
    let (mine, other) = (world.token(json!({"sid": "a"})), world.token(json!({"sid": "b"})));
    let bearer = start();
    for token in [&mine, &other] {
        assert_eq!(kind(&bearer, token, NOW).await, None);
    }
    let logout = world.logout(json!({"sid": "a", "sub": "1"}));
    documents.set_broken(true);
    let error = bearer.log_out(&cx(NOW), &logout).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "the provider has to tell it again");
    assert_eq!(kind(&bearer, &mine, NOW).await, REFUSED, "it counts all the same");
    documents.set_broken(false);
    bearer.log_out(&cx(NOW), &logout).await.unwrap();

    let again = start();
    assert_eq!(kind(&again, &mine, NOW).await, REFUSED);
    assert_eq!(kind(&again, &other, NOW).await, None);
    again.log_out(&cx(NOW + 1), &world.logout(json!({"sub": "1"}))).await.unwrap();
    let third = start();
    assert_eq!(kind(&third, &other, NOW + 1).await, REFUSED);
    let after = world.token(json!({"iat": NOW + 2, "sid": "c"}));
    assert_eq!(kind(&third, &after, NOW + 2).await, None);

    documents.set_broken(true);
    assert_eq!(kind(&start(), &after, NOW + 2).await, Some(ErrorKind::Unavailable));
}
