//! Tests of `ocis init`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use ocis_core::ErrorKind;

use super::*;

/// What oCIS 7 wrote, with the values of [`fixture_values`] and certificates not checked.
pub(in crate::settings) const FIXTURE: &str = r##"token_manager:
  jwt_secret: rrM1ZJV@@Y7Bw0kutOMLGqOEGXbbod.%
machine_auth_api_key: N^IXYV=zP1LZCfW^=rAi6.N@wZom*J.q
system_user_api_key: QlfRoAA%Dcu&4t^0MZeW1Q-$P@hY@bkj
transfer_secret: 54RTxXYWiVNyZ9!LvyHf5^*B%ZEm2aAm
system_user_id: ddb0602e-5f6f-4e89-8edb-ad873667cd6c
admin_user_id: 9181deb3-c90b-4ea4-b1f0-aab7043e920e
graph:
  application:
    id: 9a3c501e-7461-48bd-a8d6-11fcc8082579
  events:
    tls_insecure: true
  spaces:
    insecure: true
  identity:
    ldap:
      bind_password: uhRVn*EetLMw1MK8j%Z=u2I!tg%7Ufbb
  service_account:
    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d
    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=
idp:
  ldap:
    bind_password: Zz.#CU5mq9DOXi0kxjWWHRi2a7Vd%OZA
idm:
  service_user_passwords:
    admin_password: admin
    idm_password: uhRVn*EetLMw1MK8j%Z=u2I!tg%7Ufbb
    reva_password: ^YS%5orKhl*!dQBe=0NsDrpYCggNbr3p
    idp_password: Zz.#CU5mq9DOXi0kxjWWHRi2a7Vd%OZA
collaboration:
  wopi:
    secret: wY73Hk9-fFL3APA.qtZBHX%3Ss&H0ne*
  app:
    insecure: true
proxy:
  oidc:
    insecure: true
  insecure_backends: true
  service_account:
    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d
    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=
frontend:
  app_handler:
    insecure: true
  archiver:
    insecure: true
  service_account:
    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d
    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=
auth_basic:
  auth_providers:
    ldap:
      bind_password: ^YS%5orKhl*!dQBe=0NsDrpYCggNbr3p
auth_bearer:
  auth_providers:
    oidc:
      insecure: true
users:
  drivers:
    ldap:
      bind_password: ^YS%5orKhl*!dQBe=0NsDrpYCggNbr3p
groups:
  drivers:
    ldap:
      bind_password: ^YS%5orKhl*!dQBe=0NsDrpYCggNbr3p
ocdav:
  insecure: true
ocm:
  service_account:
    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d
    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=
thumbnails:
  thumbnail:
    transfer_secret: 4YC#1fjI.urnCbjU7N+Ua.W$jQywS+#x
    webdav_allow_insecure: true
    cs3_allow_insecure: true
search:
  events:
    tls_insecure: true
  service_account:
    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d
    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=
audit:
  events:
    tls_insecure: true
settings:
  service_account_ids:
  - ce435bdd-f368-462c-b194-6b06589d792d
sharing:
  events:
    tls_insecure: true
storage_users:
  events:
    tls_insecure: true
  mount_id: 50020e69-da51-4707-966d-ba8adeeb10d4
  service_account:
    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d
    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=
notifications:
  notifications:
    events:
      tls_insecure: true
  service_account:
    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d
    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=
nats:
  nats:
    tls_skip_verify_client_cert: true
gateway:
  storage_registry:
    storage_users_mount_id: 50020e69-da51-4707-966d-ba8adeeb10d4
userlog:
  service_account:
    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d
    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=
auth_service:
  service_account:
    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d
    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=
clientlog:
  service_account:
    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d
    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=
activitylog:
  service_account:
    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d
    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=
"##;

fn fixture_values() -> Values {
    Values {
        jwt_secret: Secret::new("rrM1ZJV@@Y7Bw0kutOMLGqOEGXbbod.%"),
        machine_auth_api_key: Secret::new("N^IXYV=zP1LZCfW^=rAi6.N@wZom*J.q"),
        system_user_api_key: Secret::new("QlfRoAA%Dcu&4t^0MZeW1Q-$P@hY@bkj"),
        transfer_secret: Secret::new("54RTxXYWiVNyZ9!LvyHf5^*B%ZEm2aAm"),
        system_user_id: "ddb0602e-5f6f-4e89-8edb-ad873667cd6c".to_owned(),
        admin_user_id: "9181deb3-c90b-4ea4-b1f0-aab7043e920e".to_owned(),
        graph_application_id: "9a3c501e-7461-48bd-a8d6-11fcc8082579".to_owned(),
        service_account_id: "ce435bdd-f368-462c-b194-6b06589d792d".to_owned(),
        service_account_secret: Secret::new("9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa="),
        admin_password: Secret::new("admin"),
        idm_password: Secret::new("uhRVn*EetLMw1MK8j%Z=u2I!tg%7Ufbb"),
        reva_password: Secret::new("^YS%5orKhl*!dQBe=0NsDrpYCggNbr3p"),
        idp_password: Secret::new("Zz.#CU5mq9DOXi0kxjWWHRi2a7Vd%OZA"),
        collaboration_wopi_secret: Secret::new("wY73Hk9-fFL3APA.qtZBHX%3Ss&H0ne*"),
        thumbnails_transfer_secret: Secret::new("4YC#1fjI.urnCbjU7N+Ua.W$jQywS+#x"),
        storage_users_mount_id: "50020e69-da51-4707-966d-ba8adeeb10d4".to_owned(),
    }
}

fn now() -> Timestamp {
    "2026-11-23T13:05:09.5Z".parse().unwrap()
}

fn options(dir: &tempfile::TempDir) -> Options {
    Options { config_path: dir.path().join("deep/config"), ..Options::default() }
}

fn written(outcome: Outcome) -> Written {
    match outcome {
        Outcome::Written(written) => written,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_values_give_the_same_bytes_as_ocis() {
    let yaml = Document::new(&fixture_values(), true, false).to_yaml().unwrap();
    assert_eq!(yaml, FIXTURE);
    let checked = Document::new(&fixture_values(), false, false).to_yaml().unwrap();
    assert_eq!(checked, FIXTURE.replace(": true\n", ": false\n"));
}

#[test]
fn demo_users_are_remembered() {
    let demo = Document::new(&fixture_values(), true, true).to_yaml().unwrap();
    let idp = "    idp_password: Zz.#CU5mq9DOXi0kxjWWHRi2a7Vd%OZA\n";
    let ids = "  service_account_ids:\n  - ce435bdd-f368-462c-b194-6b06589d792d\n";
    let expected = FIXTURE
        .replace(idp, &format!("{idp}  create_demo_users: true\n"))
        .replace(ids, &format!("{ids}  set_default_assignments: true\n"));
    assert_eq!(demo, expected);
}

#[test]
fn a_new_file_is_for_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let given = Options { admin_password: Some(Secret::new("yes")), ..options(&dir) };
    let written = written(run(&given, now()).unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&written.config_file), 0o600);
    assert_eq!(mode(&given.config_path), 0o700);
    assert_eq!(mode(&dir.path().join("deep")), 0o700);
    assert_eq!(fs::read_dir(&given.config_path).unwrap().count(), 1, "nothing else is left");
    assert_eq!(written.admin_password.expose(), "yes");
    let shown = written.to_string();
    assert_eq!(
        shown,
        format!(
            "\n=========================================\n generated OCIS Config\n=========================================\n configpath : {}\n user       : admin\n password   : yes\n\n",
            written.config_file.display()
        )
    );
}

#[test]
fn a_password_reads_as_it_was_given() {
    use crate::settings::{Idm, Loaded};
    use ocis_core::config::{Section as _, source::Memory};
    for password in [
        "yes", "1e5", "0x10", "007", "null", "~", "# a", "a: b", " lead", "$HOME", "l1\nl2", "é€",
        "'", "\"",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let given = Options { admin_password: Some(Secret::new(password)), ..options(&dir) };
        let written = written(run(&given, now()).unwrap());
        let text = fs::read_to_string(&written.config_file).unwrap();
        let loaded = Loaded::server(&Memory::new().yaml("ocis.yaml", &text)).unwrap();
        assert_eq!(Idm::load(&loaded.layers).unwrap().admin_password.expose(), password);
    }
    let dir = tempfile::tempdir().unwrap();
    let given = Options { admin_password: Some(Secret::new("a${HOME}b")), ..options(&dir) };
    assert_eq!(run(&given, now()).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn an_existing_file_stays_unless_forced() {
    let dir = tempfile::tempdir().unwrap();
    let first = written(run(&options(&dir), now()).unwrap());
    assert_eq!(first.admin_password.expose().len(), 32);
    let before = fs::read_to_string(&first.config_file).unwrap();
    let error = run(&options(&dir), now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(
        error.message(),
        "config file already exists, use --force-overwrite to overwrite or --diff to show diff"
    );
    assert_eq!(fs::read_to_string(&first.config_file).unwrap(), before);

    let forced = Options { force_overwrite: true, ..options(&dir) };
    let second = written(run(&forced, now()).unwrap());
    assert_ne!(fs::read_to_string(&second.config_file).unwrap(), before);
    let backup = second.backup.as_ref().unwrap();
    assert_eq!(backup.file_name().unwrap(), "ocis.yaml.2026-11-23-13-05-09.backup");
    assert_eq!(fs::read_to_string(backup).unwrap(), before);
    assert_eq!(fs::metadata(backup).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(second.to_string().ends_with(&format!(
        "=========================================\nAn older config file has been backuped to\n {}\n\n",
        backup.display()
    )));
}

#[test]
fn two_at_once_cannot_overwrite_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    write::atomically(&path, "one", false).unwrap();
    let error = write::atomically(&path, "two", false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn flags_exclude_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let diff = Options { diff: true, ..options(&dir) };
    let forced = Options { force_overwrite: true, ..diff.clone() };
    let error = run(&forced, now()).unwrap_err();
    assert_eq!(error.message(), "diff and force-overwrite flags are mutually exclusive");
    let with_password = Options { admin_password: Some(Secret::new("x")), ..diff.clone() };
    let error = run(&with_password, now()).unwrap_err();
    assert_eq!(error.message(), "diff and admin-password flags are mutually exclusive");
    assert_eq!(run(&diff, now()).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!options(&dir).config_path.exists(), "nothing was made");
}

#[test]
fn diff_adds_what_is_missing_and_keeps_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let diff = Options { diff: true, insecure: true, ..options(&dir) };
    fs::create_dir_all(&diff.config_path).unwrap();
    let file = diff.config_path.join(CONFIG_FILE);
    fs::write(&file, FIXTURE).unwrap();
    assert_eq!(run(&diff, now()).unwrap(), Outcome::UpToDate);
    assert_eq!(run(&diff, now()).unwrap().to_string(), "no changes, your config is up to date\n");

    let activity = "activitylog:\n  service_account:\n    service_account_id: ce435bdd-f368-462c-b194-6b06589d792d\n    service_account_secret: 9VCNl^R=fxu&kLTlOGr^GPVaF.9IqYa=\n";
    let old = format!("{}log:\n  level: info\n", FIXTURE.replace(activity, ""));
    fs::write(&file, &old).unwrap();
    let Outcome::Patch { text, file: patch } = run(&diff, now()).unwrap() else { panic!() };
    assert_eq!(fs::read_to_string(&file).unwrap(), old, "the file itself is left alone");
    assert_eq!(patch.file_name().unwrap(), PATCH_FILE);
    assert_eq!(fs::read_to_string(&patch).unwrap(), text);
    assert_eq!(fs::metadata(&patch).unwrap().permissions().mode() & 0o777, 0o600);
    let path = file.display();
    assert!(text.starts_with(&format!("--- {path}\n+++ {path}.tmp\n@@ ")), "{text}");
    let added: String = text
        .lines()
        .skip(2)
        .filter_map(|line| line.strip_prefix('+'))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(added, activity);
    assert_eq!(text.lines().skip(2).filter(|line| line.starts_with('-')).count(), 0);
}
