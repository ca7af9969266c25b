//! The accounts of a real oCIS, and files that pretend to be such.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ocis_core::ErrorKind;
use ocis_core::id::UserId;
use ocis_core::user::UserType;
use proptest::prelude::*;
use serde_json::Value as Json;
use tempfile::TempDir;

use super::*;
use crate::directory::{Bootstrap, Directory};
use crate::hash::Hasher;
use crate::passwords::Passwords as _;

/// `admin_user_id` in that oCIS's configuration.
const ADMIN: &str = "9181deb3-c90b-4ea4-b1f0-aab7043e920e";

fn now() -> Timestamp {
    Timestamp::from_unix(1_767_225_600, 0).unwrap()
}

/// A file of the data that a real oCIS left.
fn fixture(name: &str) -> Vec<u8> {
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../ocis-storage/tests/fixtures/ocis-7.tar.gz");
    let archive = flate2::read::GzDecoder::new(File::open(archive).unwrap());
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().ends_with(name) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            return bytes;
        }
    }
    panic!("{name} is not in the archive");
}

fn database() -> &'static [u8] {
    static DATABASE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    DATABASE.get_or_init(|| fixture("idm/ocis.boltdb"))
}

fn written(bytes: &[u8]) -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("ocis.boltdb");
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn taken_over(bytes: &[u8]) -> Result<Option<Document>> {
    let (_dir, path) = written(bytes);
    read(&path, now())
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_default()
}

#[test]
fn accounts_and_groups_are_those_that_ocis_told_of() {
    let document = taken_over(database()).unwrap().unwrap();
    let told: Json = serde_json::from_slice(&fixture("manifest/users.json")).unwrap();
    let told = told["value"].as_array().unwrap();
    let mut names: Vec<_> = document.users.iter().map(|user| user.username.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["admin", "einstein", "katherine", "lise", "marie", "moss", "richard"]);
    assert_eq!(told.len(), names.len(), "and no account of a service");
    for told in told {
        let user = document.users.iter().find(|user| user.id.as_str() == text(told, "id")).unwrap();
        assert_eq!(user.username, text(told, "onPremisesSamAccountName"));
        assert_eq!(user.display_name, text(told, "displayName"));
        assert_eq!(user.given_name, text(told, "givenName"));
        assert_eq!(user.surname, text(told, "surname"));
        assert_eq!(user.mail, text(told, "mail"));
        assert_eq!((user.enabled, user.user_type), (true, UserType::Member));
        assert!(user.password.starts_with("{ARGON2}$argon2id$v=19$m=65536,t=1,p=2$"));
        let identities: Vec<_> = user
            .identities
            .iter()
            .map(|found| serde_json::json!({"issuer": found.issuer, "issuerAssignedId": found.id}))
            .collect();
        let expected = told["identities"].as_array().cloned().unwrap_or_default();
        assert!(identities.is_empty() || identities == expected, "{identities:?}");
    }
    let told: Json = serde_json::from_slice(&fixture("manifest/groups.json")).unwrap();
    let ids = |members: &Json| {
        let members = members.as_array().into_iter().flatten();
        members.map(|member| text(member, "id").to_owned()).collect::<Vec<_>>()
    };
    let told: BTreeMap<_, _> = told["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (text(group, "id"), (text(group, "displayName"), ids(&group["members"]))))
        .collect();
    assert_eq!(told.len(), document.groups.len());
    for group in &document.groups {
        let members: Vec<_> = group.members.iter().map(ToString::to_string).collect();
        assert_eq!(told[group.id.as_str()], (group.name.as_str(), members));
    }
}

#[tokio::test]
async fn people_sign_in_with_the_passwords_that_they_had() {
    let (dir, path) = written(database());
    let idm = dir.path().join("idm");
    let bootstrap = |takes_over| Bootstrap {
        admin_id: UserId::parse(ADMIN).unwrap(),
        admin_password: "not-this-one".into(),
        create_demo_users: true,
        takes_over,
        now: now(),
    };
    let hasher = Hasher::for_this_machine().unwrap();
    let directory =
        Directory::open_with(&idm, hasher.clone(), bootstrap(Some(path.clone()))).unwrap();
    for (name, password) in [("admin", "admin"), ("Lise", "fission-1938"), ("moss", "vista")] {
        let user = directory.check(name, password).await.unwrap();
        assert!(user.is_some(), "{name}");
    }
    assert!(directory.check("admin", "not-this-one").await.unwrap().is_none());
    assert!(directory.check("libregraph", "libregraph").await.unwrap().is_none());
    directory.set_password("lise", "protactinium").await.unwrap();
    drop(directory);
    assert_eq!(std::fs::read(&path).unwrap(), database(), "oCIS's file stays as it was");
    // Once there is a directory of ours, nobody looks into that of oCIS again.
    std::fs::write(&path, "no longer a database").unwrap();
    let directory = Directory::open_with(&idm, hasher, bootstrap(Some(path))).unwrap();
    assert!(directory.check("lise", "protactinium").await.unwrap().is_some());
}

#[test]
fn a_file_that_is_not_understood_is_named_and_nothing_is_made() {
    for bytes in [&b""[..], b"no database", &database()[..5000], &[0; 20_000]] {
        let (dir, path) = written(bytes);
        let idm = dir.path().join("idm");
        let bootstrap = Bootstrap {
            admin_id: UserId::parse(ADMIN).unwrap(),
            admin_password: "first".into(),
            create_demo_users: false,
            takes_over: Some(path.clone()),
            now: now(),
        };
        let error = Directory::open(&idm, bootstrap).unwrap_err();
        assert!(error.message().contains(&path.display().to_string()), "{error}");
        assert!(!idm.join("directory.json").exists());
    }
}

#[test]
fn a_database_in_use_is_left_alone() {
    let (_dir, path) = written(database());
    let ocis = File::open(&path).unwrap();
    ocis.lock().unwrap();
    let error = read(&path, now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("stop oCIS"), "{error}");
}

#[test]
fn the_older_meta_page_serves_when_the_newer_one_is_torn() {
    let newer = |bytes: &[u8]| {
        let transaction = |at: usize| bolt::u64_at(bytes, at + 16 + 48).unwrap();
        if transaction(0) > transaction(4096) { 0 } else { 4096 }
    };
    let mut bytes = database().to_vec();
    let at = newer(&bytes) + 16 + 20;
    bytes[at] ^= 0xFF;
    // What was there one transaction before.
    assert!(taken_over(&bytes).unwrap().unwrap().users.len() >= 6);
}

fn plain(dn: &str, attributes: &[(&str, &[&str])]) -> Entry {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    Entry {
        dn: dn.into(),
        attributes: attributes.iter().map(|(n, values)| ((*n).into(), owned(values))).collect(),
    }
}

#[test]
fn who_was_locked_out_stays_so_and_odd_entries_do_not_matter() {
    let person = |uid: &str, more: &[(&str, &[&str])]| {
        let id = format!("id-{uid}");
        let mut all: Vec<(&str, &[&str])> = vec![("objectclass", &["top", "InetOrgPerson"])];
        let (uid_values, id_values) = ([uid], [id.as_str()]);
        all.push(("uid", &uid_values));
        all.push(("ownclouduuid", &id_values));
        all.extend_from_slice(more);
        plain(&format!("uid={uid},ou=users,o=libregraph-idm"), &all)
    };
    let group = |name: &str, members: &[&str]| {
        let classes: &[&str] = &["groupOfNames"];
        let (id, cn) = ([name], [name]);
        let all =
            [("objectclass", classes), ("ownclouduuid", &id), ("cn", &cn), ("member", members)];
        plain(&format!("cn={name},ou=groups,o=libregraph-idm"), &all)
    };
    let mut nameless = person("x", &[]);
    nameless.attributes.retain(|(name, _)| name != "uid");
    let mut service = person("reva", &[]);
    service.dn = "uid=reva,ou=sysusers,o=libregraph-idm".into();
    let entries = [
        plain("o=libregraph-idm", &[("objectclass", &["organization"])]),
        person("on", &[("ownclouduserenabled", &["TRUE"])]),
        person("off", &[("ownclouduserenabled", &["FALSE"])]),
        person("out", &[("ownclouduserenabled", &["TRUE"])]),
        person(
            "guest",
            &[
                ("owncloudusertype", &["Guest"]),
                ("ocexternalidentity", &["$ https://a $ 7", "nonsense", "x $ https://b $ c $ d"]),
            ],
        ),
        nameless,
        service,
        group("empty", &[""]),
        group("team", &["UID=On, ou=users,o=libregraph-idm", "uid=gone,ou=users,o=libregraph-idm"]),
        group("DisabledUsersGroup", &["uid=out,ou=users,o=libregraph-idm"]),
    ];
    let document = people::document(&entries, now()).unwrap();
    let users: Vec<_> =
        document.users.iter().map(|user| (user.username.as_str(), user.enabled)).collect();
    let expected = [("on", true), ("off", false), ("out", false), ("guest", true)];
    assert_eq!(users, expected);
    assert_eq!(document.users[3].user_type, UserType::Guest);
    let identities: Vec<_> = document.users[3]
        .identities
        .iter()
        .map(|identity| (identity.issuer.as_str(), identity.id.as_str()))
        .collect();
    assert_eq!(identities, [("https://a", "7"), ("https://b", "c $ d")]);
    let groups: Vec<_> =
        document.groups.iter().map(|group| (group.name.as_str(), group.members.len())).collect();
    assert_eq!(groups, [("empty", 0), ("team", 1)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Damage of a real file is an error or other accounts, and neither a panic nor an endless loop.
    #[test]
    fn damaged_files_do_no_harm(
        damage in prop::collection::vec((0..131_072_usize, any::<u8>()), 1..40),
        length in 0..=131_072_usize,
        cut in any::<bool>(),
    ) {
        let mut bytes = database().to_vec();
        for (at, byte) in damage {
            bytes[at] = byte;
        }
        if cut {
            bytes.truncate(length);
        }
        let _ = entries(&bytes);
    }

    /// Damage where it matters: within the gobs.
    #[test]
    fn damaged_gobs_do_no_harm(
        which in 0..20_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let database = Bolt::open(database()).unwrap();
        let bucket = database.bucket("id2entry").unwrap();
        let mut gob = bucket.values().cycle().nth(which).unwrap().to_vec();
        for (at, byte) in damage {
            let at = at.index(gob.len());
            gob[at] = byte;
        }
        let _ = gob::read(&gob).and_then(|value| entry(&value));
    }

    #[test]
    fn nonsense_does_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = gob::read(&bytes);
        let _ = entries(&bytes);
    }
}
