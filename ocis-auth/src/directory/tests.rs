//! The directory as its callers see it, on a real folder.

use std::os::unix::fs::PermissionsExt as _;

use ocis_core::ErrorKind;
use ocis_core::port::{
    ChangeUser, Cursor, FindUser, GetGroup, Groups, ListGroups, ListUsers, PageRequest,
    Provisioning as _, UserChange, Users,
};
use ocis_core::{Caller, Cx};
use tempfile::TempDir;

use super::*;
use crate::hash::Cost;
use crate::passwords::Passwords as _;

const ADMIN: &str = "9181deb3-c90b-4ea4-b1f0-aab7043e920e";

fn now() -> Timestamp {
    Timestamp::from_unix(1_700_000_000, 0).unwrap()
}

fn bootstrap(demo: bool) -> Bootstrap {
    Bootstrap {
        admin_id: UserId::parse(ADMIN).unwrap(),
        admin_password: "first".into(),
        create_demo_users: demo,
        takes_over: None,
        now: now(),
    }
}

fn hasher() -> Hasher {
    Hasher::new(Cost { memory_kib: 16, passes: 1, lanes: 2 }, 2).unwrap()
}

fn open(dir: &TempDir, demo: bool) -> Arc<Directory> {
    Directory::open_with(&dir.path().join("idm"), hasher(), bootstrap(demo)).unwrap()
}

fn cx() -> Cx {
    Cx::new(Caller::Service("test".into()), now())
}

async fn find(directory: &Directory, name: &str) -> Result<ocis_core::user::User> {
    directory.find(&cx(), FindUser::Username(name.into())).await
}

#[tokio::test]
async fn without_demo_users_there_is_the_admin_and_no_group() {
    let dir = TempDir::new().unwrap();
    let directory = open(&dir, false);
    let users = Users::list(&*directory, &cx(), ListUsers::default()).await.unwrap();
    assert_eq!(users.next, None);
    let [admin] = users.items.as_slice() else { panic!("{users:?}") };
    assert_eq!(admin.id.as_str(), ADMIN);
    assert_eq!((admin.username.as_str(), admin.display_name.as_str()), ("admin", "Admin"));
    assert_eq!(admin.mail, "admin@example.org");
    assert!(admin.enabled && admin.groups.is_empty());
    let groups = Groups::list(&*directory, &cx(), ListGroups::default()).await;
    assert!(groups.unwrap().items.is_empty());
}

#[tokio::test]
async fn the_demo_users_are_those_of_ocis() {
    let dir = TempDir::new().unwrap();
    let directory = open(&dir, true);
    // Name, password, display name, groups actually created (seed-gaps 8).
    let expected = [
        ("admin", "first", "Admin", "users"),
        (
            "einstein",
            "relativity",
            "Albert Einstein",
            "users sailing-lovers violin-haters physics-lovers",
        ),
        ("katherine", "gemini", "Katherine Johnson", ""),
        (
            "marie",
            "radioactivity",
            "Marie Skłodowska Curie",
            "users radium-lovers polonium-lovers physics-lovers",
        ),
        ("moss", "vista", "Maurice Moss", "users"),
        (
            "richard",
            "superfluidity",
            "Richard Phillips Feynman",
            "users quantum-lovers philosophy-haters physics-lovers",
        ),
    ];
    let users = Users::list(&*directory, &cx(), ListUsers::default()).await.unwrap().items;
    assert_eq!(users.len(), expected.len());
    for (user, (name, password, display, groups)) in users.iter().zip(expected) {
        assert_eq!((user.username.as_str(), user.display_name.as_str()), (name, display));
        assert!(user.enabled, "{name}");
        assert_eq!(user.mail, format!("{name}@example.org"));
        let mut names = Vec::new();
        for id in &user.groups {
            let group = Groups::get(&*directory, &cx(), GetGroup::Id(id.clone())).await.unwrap();
            assert!(group.members.contains(&user.id));
            names.push(group.name);
        }
        assert_eq!(names.join(" "), groups, "{name}");
        assert_eq!(directory.check(name, password).await.unwrap().as_ref(), Some(user));
    }
    let physics =
        Groups::get(&*directory, &cx(), GetGroup::Name("Physics-Lovers".into())).await.unwrap();
    assert_eq!(physics.id.as_str(), "262982c1-2362-4afa-bfdf-8cbfef64a06e");
    assert_eq!(physics.members.len(), 3);
}

#[tokio::test]
async fn users_are_found_without_regard_to_case() {
    let dir = TempDir::new().unwrap();
    let directory = open(&dir, true);
    let id = find(&directory, "MARIE").await.unwrap().id;
    for request in [FindUser::Id(id.clone()), FindUser::Mail("Marie@Example.ORG".into())] {
        assert_eq!(directory.find(&cx(), request).await.unwrap().id, id);
    }
    for request in [FindUser::Mail(String::new()), FindUser::Username("curie".into())] {
        let error = directory.find(&cx(), request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    let search = Some("SKŁODOWSKA".into());
    let found = Users::list(&*directory, &cx(), ListUsers { search, ..ListUsers::default() })
        .await
        .unwrap();
    assert_eq!(found.items.iter().map(|user| &user.id).collect::<Vec<_>>(), [&id]);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let dir = TempDir::new().unwrap();
    let directory = open(&dir, true);
    for limit in [0, 1, 2, 5, 6, 7] {
        let (mut names, mut cursor, mut pages) = (Vec::new(), None::<Cursor>, 0);
        loop {
            let page = PageRequest { cursor, limit };
            let page =
                Users::list(&*directory, &cx(), ListUsers { search: None, page }).await.unwrap();
            assert!(page.items.len() <= limit.max(1) as usize);
            names.extend(page.items.into_iter().map(|user| user.username));
            pages += 1;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(names, ["admin", "einstein", "katherine", "marie", "moss", "richard"]);
        assert_eq!(pages, 6_u32.div_ceil(limit.max(1)), "limit {limit}");
    }
}

#[tokio::test]
async fn strangers_learn_nothing() {
    let dir = TempDir::new().unwrap();
    let directory = open(&dir, true);
    let cx = Cx::new(Caller::Anonymous, now());
    let error = Users::list(&*directory, &cx, ListUsers::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    let error = Groups::get(&*directory, &cx, GetGroup::Name("users".into())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn the_configured_password_is_taken_once() {
    let dir = TempDir::new().unwrap();
    drop(open(&dir, false));
    let again = Bootstrap { admin_password: "second".into(), ..bootstrap(true) };
    let directory = Directory::open_with(&dir.path().join("idm"), hasher(), again).unwrap();
    assert!(directory.check("admin", "first").await.unwrap().is_some());
    assert!(directory.check("admin", "second").await.unwrap().is_none());
    assert!(find(&directory, "einstein").await.is_err(), "demo users come at the first start");
}

#[tokio::test]
async fn a_changed_password_and_a_disabled_account_outlive_a_restart() {
    let dir = TempDir::new().unwrap();
    let directory = open(&dir, true);
    let (marie, moss) = (directory.revision("marie"), directory.revision("moss"));
    directory.set_password("Marie", "polonium").await.unwrap();
    assert_ne!(directory.revision("marie"), marie);
    assert_eq!(directory.revision("moss"), moss, "others are not concerned");
    directory.set_enabled("moss", false).await.unwrap();
    assert_ne!(directory.revision("moss"), moss);
    assert_eq!(directory.revision("nobody"), 0);
    drop(directory);
    let directory = open(&dir, false);
    assert!(directory.check("marie", "polonium").await.unwrap().is_some());
    assert!(directory.check("marie", "radioactivity").await.unwrap().is_none());
    assert!(directory.check("moss", "vista").await.unwrap().is_none());
    assert!(!find(&directory, "moss").await.unwrap().enabled);
    let error = directory.set_password("nobody", "x").await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::NotFound, "there is no user 'nobody'"));
    let error = directory.set_password("marie", "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn a_weak_hash_is_replaced_when_its_password_is_known() {
    let dir = TempDir::new().unwrap();
    drop(open(&dir, true));
    let stronger = Hasher::new(Cost { memory_kib: 32, passes: 1, lanes: 2 }, 2).unwrap();
    let idm = dir.path().join("idm");
    let hashes = || {
        let file = std::fs::read_to_string(idm.join("directory.json")).unwrap();
        file.lines().filter(|line| line.contains("m=32,")).count()
    };
    let directory = Directory::open_with(&idm, stronger, bootstrap(true)).unwrap();
    assert!(directory.check("marie", "wrong").await.unwrap().is_none());
    assert_eq!(hashes(), 0);
    for _ in 0..2 {
        assert!(directory.check("marie", "radioactivity").await.unwrap().is_some());
        assert_eq!(hashes(), 1, "hers alone, and once");
    }
    let revision = directory.revision("marie");
    assert!(directory.check("marie", "radioactivity").await.unwrap().is_some());
    assert_eq!(directory.revision("marie"), revision, "what is strong is left alone");
    assert_eq!(find(&directory, "marie").await.unwrap().password_version, "0", "still the first");
}

#[tokio::test]
async fn every_new_password_is_another_version_and_a_new_hash_of_an_old_one_is_none() {
    let dir = TempDir::new().unwrap();
    let directory = open(&dir, false);
    let version =
        async |directory: &Directory| find(directory, "admin").await.unwrap().password_version;
    let mut seen = vec![version(&directory).await];
    directory.set_password("admin", "second").await.unwrap();
    seen.push(version(&directory).await);
    let admin = find(&directory, "admin").await.unwrap();
    let change = |change| ChangeUser { user: admin.id.clone(), change };
    let editor = Editor::new(Arc::clone(&directory));
    let password = Some(ocis_core::config::Secret::new("third"));
    let request = change(UserChange { password, ..UserChange::default() });
    editor.change_user(&cx(), request).await.unwrap();
    seen.push(version(&directory).await);
    let mail = Some("root@example.org".to_owned());
    let request = change(UserChange { mail, ..UserChange::default() });
    editor.change_user(&cx(), request).await.unwrap();
    assert_eq!(seen.last(), Some(&version(&directory).await), "the mail address is no password");
    drop((directory, editor));
    reset_password(&dir.path().join("idm"), "admin", "fourth").unwrap();
    let directory = open(&dir, false);
    seen.push(version(&directory).await);
    directory.check("admin", "fourth").await.unwrap().unwrap();
    assert_eq!(seen.last(), Some(&version(&directory).await), "it was only looked at");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[tokio::test]
async fn a_reset_is_refused_while_the_directory_is_owned() {
    let dir = TempDir::new().unwrap();
    let idm = dir.path().join("idm");
    let error = reset_password(&idm, "admin", "new").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(!idm.exists(), "a refused reset makes nothing");
    let directory = open(&dir, false);
    let error = reset_password(&idm, "admin", "new").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("owned by another process"), "{error}");
    let error = Directory::open_with(&idm, hasher(), bootstrap(false)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    drop(directory);
    let error = reset_password(&idm, "nobody", "new").unwrap_err();
    assert_eq!(error.message(), "there is no user 'nobody'");
    assert_eq!(reset_password(&idm, "admin", "").unwrap_err().kind(), ErrorKind::InvalidArgument);
    reset_password(&idm, "admin", "new").unwrap();
    let directory = open(&dir, false);
    assert!(directory.check("admin", "new").await.unwrap().is_some());
    assert!(directory.check("admin", "first").await.unwrap().is_none());
}

#[test]
fn nobody_else_may_read_the_files() {
    let dir = TempDir::new().unwrap();
    let idm = dir.path().join("idm");
    std::fs::create_dir(&idm).unwrap();
    // What a crash in the middle of a change leaves behind.
    std::fs::write(idm.join("directory.json.new"), "{ half").unwrap();
    drop(open(&dir, false));
    for entry in std::fs::read_dir(&idm).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    assert!(!idm.join("directory.json.new").exists());
}

#[test]
fn a_broken_file_is_named_and_kept() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("idm/directory.json");
    drop(open(&dir, false));
    let good = std::fs::read_to_string(&file).unwrap();
    let newer = good.replace("\"format\": 1", "\"format\": 2");
    let twice = good.replace("\"groups\": []", "\"groups\": [{\"id\":\"g\",\"name\":\"a\",\"members\":[]},{\"id\":\"g\",\"name\":\"b\",\"members\":[]}]");
    for broken in ["{", &newer, &twice] {
        std::fs::write(&file, broken).unwrap();
        let error =
            Directory::open_with(&dir.path().join("idm"), hasher(), bootstrap(false)).unwrap_err();
        assert!(!error.message().is_empty());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), *broken);
    }
}

#[test]
fn a_first_start_needs_a_password() {
    let dir = TempDir::new().unwrap();
    let empty = Bootstrap { admin_password: String::new(), ..bootstrap(false) };
    let error = Directory::open_with(dir.path(), hasher(), empty).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("IDM_ADMIN_PASSWORD"), "{error}");
}

#[test]
fn secrets_do_not_reach_logs() {
    let dir = TempDir::new().unwrap();
    let directory = open(&dir, true);
    let text = format!("{directory:?} {:?}", bootstrap(true));
    assert!(!text.contains("argon2id$v") && !text.contains("first"), "{text}");
}

/// The other process of the next test, nothing when run otherwise: owns the directory until its
/// input ends or it is killed.
#[test]
fn owner_in_another_process() {
    let Some(dir) = std::env::var_os("OCIS_TEST_DIRECTORY") else { return };
    let _directory = Directory::open_with(Path::new(&dir), hasher(), bootstrap(false)).unwrap();
    println!("owned");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_directory_is_owned_across_processes() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let dir = TempDir::new().unwrap();
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "directory::tests::owner_in_another_process"])
        .env("OCIS_TEST_DIRECTORY", dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("owned")));
    let error = reset_password(dir.path(), "admin", "new").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    other.kill().unwrap();
    other.wait().unwrap();
    reset_password(dir.path(), "admin", "new").unwrap();
}
