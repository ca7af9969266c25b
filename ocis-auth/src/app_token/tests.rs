//! App tokens over accounts and documents in memory.

use ocis_core::conformance::MemoryDocuments;
use ocis_core::port::AppTokens as _;
use ocis_core::time::Timestamp;

use super::*;
use crate::fixture::{Accounts, IDP, at, outside};
use crate::throttle::Limits;

struct Setting {
    documents: Arc<MemoryDocuments>,
    accounts: Arc<Accounts>,
    tokens: AppTokens,
}

impl Setting {
    fn new() -> Self {
        Self::with(AppTokenOptions::new(IDP))
    }

    fn with(options: AppTokenOptions) -> Self {
        let (documents, accounts) = (Arc::<MemoryDocuments>::default(), Arc::<Accounts>::default());
        let throttle = Arc::new(Throttle::new(Limits::default()).unwrap());
        let (store, users) = (Arc::clone(&documents) as _, Arc::clone(&accounts) as _);
        let tokens = AppTokens::new(store, users, throttle, options).unwrap();
        Self { documents, accounts, tokens }
    }

    /// A token of `marie`, made in the beginning, good for an hour.
    async fn token(&self) -> Secret {
        let cx = self.accounts.signed_in("marie", 0);
        self.tokens.create(&cx, request(at(3600))).await.unwrap().token
    }

    async fn sign_in(&self, seconds: u64, name: &str, token: &Secret) -> Result<Arc<Identity>> {
        let credentials = Credentials::AppToken {
            username: name.into(),
            token: token.clone(),
            peer: "2001:db8::1".parse().ok(),
        };
        self.tokens.authenticate(&outside(seconds), credentials).await
    }

    async fn kind(&self, seconds: u64, name: &str, token: &Secret) -> ErrorKind {
        self.sign_in(seconds, name, token).await.unwrap_err().kind()
    }
}

fn request(expires: Timestamp) -> CreateAppToken {
    CreateAppToken { user: None, username: None, label: "rclone".into(), expires }
}

fn wrong() -> Secret {
    token::make().unwrap().0
}

#[tokio::test]
async fn a_token_signs_its_owner_in_and_nobody_else() {
    let setting = Setting::new();
    let token = setting.token().await;
    for name in ["marie", "Marie"] {
        let identity = setting.sign_in(1, name, &token).await.unwrap();
        assert_eq!((identity.id.as_str(), &*identity.idp), ("id-marie", IDP));
    }
    assert_eq!(setting.kind(1, "moss", &token).await, ErrorKind::Unauthenticated);
    assert_eq!(setting.kind(1, "nobody", &token).await, ErrorKind::Unauthenticated);
    assert_eq!(setting.kind(1, "marie", &wrong()).await, ErrorKind::Unauthenticated);
    let marie = UserId::parse("id-marie").unwrap();
    let document = setting.documents.get(&own_account(&outside(0)), document::key(&marie)).await;
    let document = String::from_utf8(document.unwrap().unwrap().content).unwrap();
    assert!(!document.contains(token.expose()), "only its hash is kept: {document}");
}

#[tokio::test]
async fn a_token_ends_with_its_account_and_when_it_is_revoked() {
    let setting = Setting::new();
    let (token, other) = (setting.token().await, setting.token().await);
    setting.sign_in(1, "marie", &token).await.unwrap();
    setting.accounts.change("marie", |user| user.enabled = false);
    assert_eq!(setting.kind(1, "marie", &token).await, ErrorKind::Unauthenticated);
    assert_eq!(setting.kind(1, "marie", &other).await, ErrorKind::Unauthenticated);
    setting.accounts.change("marie", |user| user.enabled = true);
    setting.sign_in(1, "marie", &token).await.unwrap();

    let moss = setting.accounts.signed_in("moss", 1);
    let given = RevokeAppToken { token: token.clone() };
    let error = setting.tokens.revoke(&moss, given.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let marie = setting.accounts.signed_in("marie", 1);
    setting.tokens.revoke(&marie, given).await.unwrap();
    assert_eq!(setting.kind(1, "marie", &token).await, ErrorKind::Unauthenticated);
    setting.sign_in(1, "marie", &other).await.unwrap();

    let listed = setting.tokens.list(&marie, ListAppTokens {}).await.unwrap();
    assert_eq!(listed.len(), 1);
    let hash = Secret::new(listed.first().unwrap().hash.clone());
    setting.tokens.revoke(&marie, RevokeAppToken { token: hash }).await.unwrap();
    assert_eq!(setting.kind(1, "marie", &other).await, ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_token_is_good_until_its_last_second() {
    let setting = Setting::new();
    let (token, other) = (setting.token().await, setting.token().await);
    setting.sign_in(3599, "marie", &token).await.unwrap();
    assert_eq!(setting.kind(3600, "marie", &token).await, ErrorKind::Unauthenticated);
    assert_eq!(setting.kind(3600, "marie", &other).await, ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn what_was_verified_is_not_verified_again() {
    let setting = Setting::new();
    let token = setting.token().await;
    setting.sign_in(1, "marie", &token).await.unwrap();
    setting.documents.set_broken(true);
    setting.sign_in(2, "marie", &token).await.unwrap();
    assert_eq!(setting.kind(2, "marie", &wrong()).await, ErrorKind::Unavailable);
    // The account as it is now, all the same.
    setting.accounts.change("marie", |user| user.display_name = "Marie Curie".into());
    let identity = setting.sign_in(2, "marie", &token).await.unwrap();
    assert_eq!(identity.display_name, "Marie Curie");
    setting.accounts.change("marie", |user| user.username = "curie".into());
    assert_eq!(setting.kind(2, "marie", &token).await, ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn guessing_is_slowed_down_whether_or_not_there_is_the_account() {
    for name in ["marie", "nobody"] {
        let setting = Setting::new();
        let mut answers = Vec::new();
        for _ in 0..7 {
            answers.push(format!("{:?}", setting.sign_in(0, name, &wrong()).await.unwrap_err()));
        }
        assert_eq!(answers[..5], ["unauthenticated: user name or app token is wrong"; 5]);
        assert!(answers[5].starts_with("resource_exhausted: too many failed"), "{answers:?}");
    }
    let setting = Setting::new();
    for _ in 0..100 {
        // A password is not for this place to judge, and costs no attempt.
        let password = Secret::new("radioactivity");
        assert_eq!(setting.kind(0, "marie", &password).await, ErrorKind::Unauthenticated);
    }
    let token = setting.token().await;
    setting.sign_in(0, "marie", &token).await.unwrap();
}

#[tokio::test]
async fn guesses_at_tokens_and_passwords_count_together() {
    use crate::basic::{Basic, BasicOptions};
    #[derive(Debug)]
    struct Nobody;
    #[async_trait]
    impl crate::passwords::Passwords for Nobody {
        async fn check(&self, _: &str, _: &str) -> Result<Option<User>> {
            Ok(None)
        }
        fn revision(&self, _: &str) -> u64 {
            0
        }
    }
    let setting = Setting::new();
    let throttle = Some(Arc::clone(&setting.tokens.throttle));
    let options = BasicOptions { throttle, ..BasicOptions::new(IDP) };
    let basic = Basic::new(Arc::new(Nobody), options).unwrap();
    let guess = |password: &str| Credentials::Basic {
        username: "MARIE".into(),
        password: password.into(),
        peer: "2001:db8::ffff".parse().ok(),
    };
    for password in ["a", "b", "c", "d", "e"] {
        let error = basic.authenticate(&outside(0), guess(password)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }
    // Another address of the same network, another kind of credentials.
    assert_eq!(setting.kind(0, "marie", &wrong()).await, ErrorKind::ResourceExhausted);
}

#[tokio::test]
async fn who_may_make_tokens_for_whom() {
    let for_marie = |user: Option<&str>, username: Option<&str>| CreateAppToken {
        user: user.map(|id| UserId::parse(id).unwrap()),
        username: username.map(str::to_owned),
        ..request(at(3600))
    };
    let setting = Setting::new();
    let admin = setting.accounts.signed_in("admin", 0);
    let service = Cx::new(Caller::Service("command line".into()), at(0));
    let named = for_marie(None, Some("marie"));
    let kind = |result: Result<NewAppToken>| result.unwrap_err().kind();
    let tokens = &setting.tokens;
    assert_eq!(kind(tokens.create(&admin, named.clone()).await), ErrorKind::PermissionDenied);
    assert_eq!(kind(tokens.create(&outside(0), request(at(1))).await), ErrorKind::Unauthenticated);
    let made = tokens.create(&service, named.clone()).await.unwrap();
    assert_eq!(made.username, "marie");
    assert_eq!(setting.sign_in(0, "marie", &made.token).await.unwrap().id.as_str(), "id-marie");

    let setting =
        Setting::with(AppTokenOptions { impersonation: true, ..AppTokenOptions::new(IDP) });
    let tokens = &setting.tokens;
    let moss = setting.accounts.signed_in("moss", 0);
    assert_eq!(kind(tokens.create(&moss, named.clone()).await), ErrorKind::PermissionDenied);
    for (user, name) in [(None, Some("Marie")), (Some("id-marie"), None)] {
        let made = tokens.create(&admin, for_marie(user, name)).await.unwrap();
        assert_eq!(made.username, "marie");
    }
    let mismatch = for_marie(Some("id-marie"), Some("moss"));
    assert_eq!(kind(tokens.create(&admin, mismatch).await), ErrorKind::InvalidArgument);
    let nobody = for_marie(None, Some("nobody"));
    assert_eq!(kind(tokens.create(&admin, nobody).await), ErrorKind::NotFound);
}

#[tokio::test]
async fn tokens_are_bounded_and_expired_ones_make_room() {
    let setting = Setting::with(AppTokenOptions { most: 2, ..AppTokenOptions::new(IDP) });
    let create = async |seconds: u64, expires: u64| {
        let cx = setting.accounts.signed_in("marie", seconds);
        setting.tokens.create(&cx, request(at(expires))).await
    };
    assert_eq!(create(10, 10).await.unwrap_err().kind(), ErrorKind::InvalidArgument);
    create(0, 60).await.unwrap();
    create(1, 3600).await.unwrap();
    assert_eq!(create(2, 3600).await.unwrap_err().kind(), ErrorKind::ResourceExhausted);
    let cx = setting.accounts.signed_in("marie", 60);
    let created = |tokens: Vec<AppToken>| tokens.iter().map(|t| t.created).collect::<Vec<_>>();
    let listed = setting.tokens.list(&cx, ListAppTokens {}).await.unwrap();
    assert_eq!(created(listed), [at(0), at(1)]);
    create(60, 3600).await.unwrap();
    let listed = setting.tokens.list(&cx, ListAppTokens {}).await.unwrap();
    assert_eq!(created(listed), [at(1), at(60)]);
}

#[tokio::test]
async fn tokens_that_are_made_at_once_are_all_kept() {
    let setting = Setting::new();
    let made = futures::future::join_all((0..3).map(|_| setting.token())).await;
    for token in &made {
        setting.sign_in(0, "marie", token).await.unwrap();
    }
}

#[tokio::test]
async fn tokens_of_ocis_go_on_and_one_that_was_revoked_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("appauth.json");
    std::fs::write(&file, takeover::tests::OF_OCIS).unwrap();
    let options = AppTokenOptions { takes_over: Some(file), ..AppTokenOptions::new(IDP) };
    let mut setting = Setting::with(options.clone());
    let [good, expired] = takeover::tests::TOKENS.map(Secret::new);
    for _ in 0..2 {
        setting.sign_in(1, "marie", &good).await.unwrap();
    }
    assert_eq!(setting.kind(1, "marie", &expired).await, ErrorKind::Unauthenticated);
    assert_eq!(setting.kind(1, "moss", &good).await, ErrorKind::Unauthenticated);
    assert_eq!(setting.kind(3600, "marie", &good).await, ErrorKind::Unauthenticated, "in time");
    // A password of this form is nobody's failure where there is no token of oCIS.
    for _ in 0..100 {
        assert_eq!(setting.kind(1, "admin", &good).await, ErrorKind::Unauthenticated);
    }

    let own = setting.token().await;
    let marie = setting.accounts.signed_in("marie", 2);
    let list = setting.tokens.list(&marie, ListAppTokens {}).await.unwrap();
    let kept = list.iter().find(|token| token.hash.starts_with("$2a$")).unwrap();
    assert_eq!((list.len(), kept.label.as_str()), (2, "Generated via API"), "{list:?}");
    let revoke = RevokeAppToken { token: Secret::new(kept.hash.as_str()) };
    setting.tokens.revoke(&marie, revoke).await.unwrap();
    assert_eq!(setting.kind(2, "marie", &good).await, ErrorKind::Unauthenticated);

    let throttle = Arc::new(Throttle::new(Limits::default()).unwrap());
    let (store, users) = (Arc::clone(&setting.documents) as _, Arc::clone(&setting.accounts) as _);
    setting.tokens = AppTokens::new(store, users, throttle, options).unwrap();
    assert_eq!(setting.kind(3, "marie", &good).await, ErrorKind::Unauthenticated, "it came back");
    setting.sign_in(3, "marie", &own).await.unwrap();
}
