//! Signing in, against a directory that counts how often it is asked.

use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::join_all;
use ocis_core::id::UserId;
use ocis_core::user::User;
use ocis_core::{Caller, ErrorKind};
use parking_lot::Mutex;

use super::*;

/// One account, `marie`.
#[derive(Debug)]
struct Fake {
    password: Mutex<&'static str>,
    asked: AtomicU64,
    revision: AtomicU64,
    broken: Mutex<bool>,
}

#[async_trait]
impl Passwords for Fake {
    async fn check(&self, username: &str, password: &str) -> Result<Option<User>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        // As a slow verification does: others get their turn meanwhile.
        tokio::task::yield_now().await;
        if *self.broken.lock() {
            return Err(Error::unavailable("no directory"));
        }
        let right = username.eq_ignore_ascii_case("marie") && password == *self.password.lock();
        Ok(right.then(|| User {
            id: UserId::parse("m").unwrap(),
            username: "marie".into(),
            display_name: "Marie".into(),
            given_name: String::new(),
            surname: String::new(),
            mail: "marie@example.org".into(),
            groups: Vec::new(),
            enabled: true,
            user_type: ocis_core::user::UserType::Member,
            identities: Vec::new(),
            password_version: String::new(),
        }))
    }

    fn revision(&self, _: &str) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }
}

struct Setting {
    fake: Arc<Fake>,
    basic: Basic,
}

impl Setting {
    fn new() -> Self {
        let fake = Arc::new(Fake {
            password: Mutex::new("radium"),
            asked: AtomicU64::new(0),
            revision: AtomicU64::new(1),
            broken: Mutex::new(false),
        });
        let options = BasicOptions::new("https://localhost:9200");
        Self { basic: Basic::new(Arc::clone(&fake) as _, options).unwrap(), fake }
    }

    async fn sign_in_from(
        &self,
        peer: &str,
        seconds: u64,
        username: &str,
        password: &str,
    ) -> Result<Arc<Identity>> {
        let start = Timestamp::from_unix(1_700_000_000, 0).unwrap();
        let cx = Cx::new(Caller::Anonymous, start.plus(Duration::from_secs(seconds)));
        let credentials = Credentials::Basic {
            username: username.into(),
            password: password.into(),
            peer: Some(peer.parse().unwrap()),
        };
        self.basic.authenticate(&cx, credentials).await
    }

    async fn sign_in(&self, seconds: u64, password: &str) -> Result<Arc<Identity>> {
        self.sign_in_from("192.0.2.1", seconds, "marie", password).await
    }

    async fn kind(&self, seconds: u64, password: &str) -> ErrorKind {
        self.sign_in(seconds, password).await.unwrap_err().kind()
    }

    fn asked(&self) -> u64 {
        self.fake.asked.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn an_identity_is_that_of_the_account() {
    let setting = Setting::new();
    let identity = setting.sign_in_from("::1", 0, "MARIE", "radium").await.unwrap();
    assert_eq!((identity.id.as_str(), identity.username.as_str()), ("m", "marie"));
    assert_eq!(&*identity.idp, "https://localhost:9200");
}

#[tokio::test]
async fn wrong_unknown_and_empty_are_one_answer() {
    let setting = Setting::new();
    let mut answers = Vec::new();
    for (name, password) in [("marie", "polonium"), ("nobody", "radium"), ("marie", ""), ("", "x")]
    {
        let error = setting.sign_in_from("::1", 0, name, password).await.unwrap_err();
        answers.push(format!("{error:?}"));
    }
    assert_eq!(answers, ["unauthenticated: user name or password is wrong"; 4]);
}

#[tokio::test]
async fn what_was_right_is_believed_for_a_while() {
    let setting = Setting::new();
    for second in [0, 1, 299] {
        setting.sign_in(second, "radium").await.unwrap();
        assert_eq!(setting.asked(), 1, "at {second}");
    }
    setting.sign_in(300, "radium").await.unwrap();
    assert_eq!(setting.asked(), 2);
    setting.sign_in(599, "radium").await.unwrap();
    assert_eq!(setting.asked(), 2);
    // A clock that was set back.
    setting.sign_in(0, "radium").await.unwrap();
    assert_eq!(setting.asked(), 3);
}

#[tokio::test]
async fn what_changed_is_forgotten_at_once() {
    let setting = Setting::new();
    setting.sign_in(0, "radium").await.unwrap();
    *setting.fake.password.lock() = "polonium";
    setting.fake.revision.store(2, Ordering::Relaxed);
    assert_eq!(setting.kind(1, "radium").await, ErrorKind::Unauthenticated);
    setting.sign_in(1, "polonium").await.unwrap();
}

#[tokio::test]
async fn many_at_once_are_verified_once() {
    let setting = Setting::new();
    let right = join_all((0..50).map(|_| setting.sign_in(0, "radium"))).await;
    assert!(right.iter().all(Result::is_ok));
    assert_eq!(setting.asked(), 1);
    let wrong = join_all((0..50).map(|_| setting.sign_in(0, "polonium"))).await;
    assert!(wrong.iter().all(|it| it.as_ref().unwrap_err().kind() == ErrorKind::Unauthenticated));
    assert_eq!(setting.asked(), 2);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_only_for_the_guesser() {
    let setting = Setting::new();
    setting.sign_in_from("192.0.2.9", 0, "marie", "radium").await.unwrap();
    for guess in 0..5 {
        assert_eq!(setting.kind(0, &guess.to_string()).await, ErrorKind::Unauthenticated);
    }
    let asked = setting.asked();
    assert_eq!(setting.kind(0, "6").await, ErrorKind::ResourceExhausted);
    assert_eq!(setting.asked(), asked, "a refused attempt costs nothing");
    // The guesser does not even learn that a guess was right, in whatever case the name is.
    let error = setting.sign_in_from("192.0.2.1", 0, "Marie", "radium").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    setting.sign_in_from("192.0.2.2", 0, "marie", "radium").await.unwrap();
    setting.sign_in_from("192.0.2.9", 299, "marie", "radium").await.unwrap();
    setting.sign_in(1, "radium").await.unwrap();
    assert_eq!(setting.kind(1, "7").await, ErrorKind::Unauthenticated, "success forgives");
}

#[tokio::test]
async fn guesses_at_the_same_time_count_too() {
    let setting = Setting::new();
    let guesses: Vec<String> = (0..50).map(|guess| guess.to_string()).collect();
    join_all(guesses.iter().map(|guess| setting.sign_in(0, guess))).await;
    assert_eq!(setting.asked(), 5);
}

#[tokio::test]
async fn who_was_right_before_does_not_wait_for_guessers_behind_the_same_address() {
    let setting = Setting::new();
    setting.sign_in(0, "radium").await.unwrap();
    for guess in 0..6 {
        let _ = setting.sign_in(1000, &guess.to_string()).await;
    }
    assert_eq!(setting.kind(1000, "7").await, ErrorKind::ResourceExhausted);
    setting.sign_in(1000, "radium").await.unwrap();
}

#[tokio::test]
async fn a_directory_that_does_not_answer_is_no_failure_of_the_caller() {
    let setting = Setting::new();
    *setting.fake.broken.lock() = true;
    for _ in 0..20 {
        assert_eq!(setting.kind(0, "radium").await, ErrorKind::Unavailable);
    }
    *setting.fake.broken.lock() = false;
    setting.sign_in(0, "radium").await.unwrap();
}

#[tokio::test]
async fn what_is_remembered_is_no_help_for_guessers() {
    let setting = Setting::new();
    setting.sign_in(0, "radium").await.unwrap();
    // From elsewhere: a right guess made while waiting is refused like any other.
    let elsewhere = "198.51.100.1";
    for guess in 0..5 {
        let _ = setting.sign_in_from(elsewhere, 0, "marie", &guess.to_string()).await;
    }
    let error = setting.sign_in_from(elsewhere, 0, "marie", "radium").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    // From the same address: after too many guesses.
    for guess in 0..105 {
        let _ = setting.sign_in(0, &guess.to_string()).await;
    }
    assert_eq!(setting.kind(0, "radium").await, ErrorKind::ResourceExhausted);
    setting.sign_in(60, "radium").await.unwrap();
}

#[test]
fn an_address_is_part_of_what_is_remembered() {
    let Setting { basic, .. } = Setting::new();
    let peer = "192.0.2.1".parse().ok();
    assert_eq!(basic.digest("a", "b", peer), basic.digest("a", "b", peer));
    assert_ne!(basic.digest("a", "b", None), basic.digest("a", "b", peer));
    assert_ne!(basic.digest("a", "b", None), Setting::new().basic.digest("a", "b", None));
}
