//! What the LDAP client does when the server is slow, silent, gone or back again.
#![allow(clippy::unwrap_used, reason = "in a test, what must not happen ends it")]
#![allow(clippy::indexing_slicing, reason = "in a test, what must not happen ends it")]
#![allow(clippy::panic, reason = "in a test, what must not happen ends it")]

mod fake;

use std::sync::Arc;
use std::time::Duration;

use fake::{BIND_DN, BIND_PASSWORD, Fake, Mode, PASSWORD, USER};
use futures::future::join_all;
use ocis_auth::ldap::{Ldap, LdapOptions, Limits};
use ocis_auth::passwords::Passwords as _;
use ocis_core::config::Secret;
use ocis_core::port::{FindUser, Provisioning as _, Users as _};
use ocis_core::time::Timestamp;
use ocis_core::user::User;
use ocis_core::{Caller, Cx, ErrorKind, Result};

const SECOND: Duration = Duration::from_secs(1);

fn options(servers: &[&Fake]) -> LdapOptions {
    LdapOptions {
        servers: servers.iter().map(|fake| fake.url()).collect(),
        bind_dn: BIND_DN.into(),
        bind_password: Secret::new(BIND_PASSWORD),
        limits: Limits { connections: 2, ..Limits::default() },
        ..LdapOptions::default()
    }
}

fn client(fake: &Fake) -> Arc<Ldap> {
    Arc::new(Ldap::new(options(&[fake])).unwrap())
}

/// As [`client`], but it waits for no answer longer than a moment.
fn hasty(fake: &Fake) -> Ldap {
    let moment = SECOND / 10;
    let limits = Limits { connect: moment, operation: moment, ..options(&[fake]).limits };
    Ldap::new(LdapOptions { limits, ..options(&[fake]) }).unwrap()
}

fn cx() -> Cx {
    Cx::new(Caller::Service("test".into()), Timestamp::from_unix(1_767_225_600, 0).unwrap())
}

async fn find(ldap: &Ldap) -> Result<User> {
    ldap.find(&cx(), FindUser::Username(USER.into())).await
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[tokio::test]
async fn connections_are_used_again() {
    let fake = Fake::start().await;
    let ldap = client(&fake);
    for _ in 0..10 {
        assert_eq!(find(&ldap).await.unwrap().display_name, "Albert Einstein");
    }
    assert_eq!(fake.seen.lock().connections, 1);
    assert_eq!(fake.seen.lock().sign_ins, [(BIND_DN.into(), BIND_PASSWORD.into())]);
}

#[tokio::test]
async fn there_are_never_more_connections_than_allowed() {
    let fake = Fake::start().await;
    let ldap = client(&fake);
    let all = join_all((0..40).map(|_| find(&ldap))).await;
    assert!(all.into_iter().all(|user| user.is_ok()));
    assert_eq!(fake.seen.lock().most_open, 2);
}

#[tokio::test]
async fn a_server_that_was_restarted_is_found_again_at_once() {
    let mut fake = Fake::start().await;
    let ldap = client(&fake);
    find(&ldap).await.unwrap();
    fake.kill().await;
    assert_eq!(kind(find(&ldap).await), ErrorKind::Unavailable);
    fake.listen().await;
    find(&ldap).await.unwrap();
    // And without anybody having noticed that it was away.
    fake.kill().await;
    fake.listen().await;
    find(&ldap).await.unwrap();
}

#[tokio::test]
async fn a_question_on_a_connection_that_is_just_closed_is_asked_again() {
    let fake = Fake::start().await;
    let ldap = client(&fake);
    find(&ldap).await.unwrap();
    fake.set(Mode::ClosesOnce);
    find(&ldap).await.unwrap();
    assert_eq!(fake.seen.lock().connections, 2);
    // Once: on a new connection it is the server's last word.
    let ldap = client(&fake);
    fake.set(Mode::ClosesOnce);
    assert_eq!(kind(find(&ldap).await), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_change_is_never_sent_twice() {
    let fake = Fake::start().await;
    let ldap = client(&fake);
    let user = find(&ldap).await.unwrap().id;
    ldap.delete_user(&cx(), user.clone()).await.unwrap();
    let removals = || fake.seen.lock().operations.iter().filter(|op| **op == 10).count();
    assert_eq!(removals(), 1);
    // The connection turns out to be closed before anything is changed.
    fake.seen.lock().operations.clear();
    let before = fake.seen.lock().connections;
    fake.set(Mode::ClosesOnce);
    ldap.delete_user(&cx(), user).await.unwrap();
    assert_eq!((removals(), fake.seen.lock().connections), (1, before + 1));
}

#[tokio::test]
async fn a_silent_server_holds_nobody_up() {
    let fake = Fake::start().await;
    let ldap = hasty(&fake);
    find(&ldap).await.unwrap();
    fake.set(Mode::IsSilent);
    let wait = tokio::time::timeout(20 * SECOND, find(&ldap));
    assert_eq!(kind(wait.await.unwrap()), ErrorKind::Unavailable);
    // As well when it says nothing from the beginning.
    let wait = tokio::time::timeout(20 * SECOND, find(&ldap));
    assert_eq!(kind(wait.await.unwrap()), ErrorKind::Unavailable);
    let many = join_all((0..20).map(|_| find(&ldap)));
    let many = tokio::time::timeout(20 * SECOND, many).await.unwrap();
    assert!(many.into_iter().all(|user| kind(user) == ErrorKind::Unavailable));
    fake.set(Mode::Answers);
    find(&ldap).await.unwrap();
}

#[tokio::test]
async fn who_gives_up_takes_the_connection_along() {
    let fake = Fake::start().await;
    let ldap = client(&fake);
    find(&ldap).await.unwrap();
    fake.set(Mode::IsSilent);
    let request = Arc::clone(&fake.request);
    while futures::FutureExt::now_or_never(request.notified()).is_some() {}
    tokio::select! {
        _ = find(&ldap) => panic!("nobody answered"),
        () = request.notified() => {}
    }
    fake.set(Mode::Answers);
    find(&ldap).await.unwrap();
    assert_eq!(fake.seen.lock().connections, 2);
}

#[tokio::test]
async fn the_next_server_is_asked_when_the_first_is_away() {
    let (mut first, second) = (Fake::start().await, Fake::start().await);
    let ldap = Ldap::new(options(&[&first, &second])).unwrap();
    find(&ldap).await.unwrap();
    first.kill().await;
    find(&ldap).await.unwrap();
    assert_eq!((first.seen.lock().connections, second.seen.lock().connections), (1, 1));
}

#[tokio::test]
async fn passwords_are_asked_about_and_empty_ones_never() {
    let fake = Fake::start().await;
    let ldap = client(&fake);
    let user = ldap.check(USER, PASSWORD).await.unwrap().unwrap();
    assert_eq!(user.username, USER);
    assert!(ldap.check(USER, "wrong").await.unwrap().is_none());
    // Somebody unknown costs as many questions.
    let sign_ins = fake.seen.lock().sign_ins.len();
    assert!(ldap.check("nobody", PASSWORD).await.unwrap().is_none());
    assert_eq!(fake.seen.lock().sign_ins.len(), sign_ins + 1);
    assert!(ldap.check(USER, "").await.unwrap().is_none());
    let seen = fake.seen.lock();
    assert_eq!(seen.sign_ins.len(), sign_ins + 1);
    assert!(seen.sign_ins.iter().all(|(_, password)| !password.is_empty()));
    assert_eq!(seen.connections, 2, "one for questions, one for passwords");
}

#[tokio::test]
async fn a_service_account_that_is_refused_is_no_wrong_password() {
    let fake = Fake::start().await;
    let options = LdapOptions { bind_password: Secret::new("old"), ..options(&[&fake]) };
    let ldap = Ldap::new(options).unwrap();
    assert_eq!(kind(ldap.check(USER, PASSWORD).await), ErrorKind::Unavailable);
}
