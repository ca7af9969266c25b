//! Pairs that are made, given, halved and mixed up.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use x509_parser::extensions::GeneralName;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_unix(1_700_000_000, 0).unwrap()
}

fn pair(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("proxy/server.crt"), folder.join("proxy/server.key"))
}

fn names() -> Vec<String> {
    ["localhost", "127.0.0.1", "::1", "cloud.example.org"].map(str::to_owned).into()
}

#[test]
fn a_pair_is_made_once_for_all_names_and_its_key_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = pair(folder.path());
    load_or_make(&certificate, &key, &names(), now()).unwrap();
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);

    let der = CertificateDer::from_pem_file(&certificate).unwrap();
    let (_, parsed) = X509Certificate::from_der(&der).unwrap();
    let told = parsed.subject_alternative_name().unwrap().unwrap();
    let mut dns = told.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(*name),
        _ => None,
    });
    assert!(dns.any(|name| name == "cloud.example.org"));
    let addresses = told.value.general_names.iter();
    assert_eq!(addresses.filter(|name| matches!(name, GeneralName::IPAddress(_))).count(), 2);
    assert!(parsed.validity().not_before.timestamp() < now().unix_seconds());
    let years = (parsed.validity().not_after.timestamp() - now().unix_seconds()) / (365 * 86_400);
    assert_eq!(years, 10);

    let before = (fs::read(&certificate).unwrap(), fs::read(&key).unwrap());
    load_or_make(&certificate, &key, &names(), now()).unwrap();
    assert_eq!(before, (fs::read(&certificate).unwrap(), fs::read(&key).unwrap()));
}

#[test]
fn a_pair_that_was_cut_off_is_made_or_finished() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = pair(folder.path());
    let (private, public) = (unfinished(&key), unfinished(&certificate));
    // The first file only, both, and the certificate under its name.
    fs::create_dir_all(key.parent().unwrap()).unwrap();
    fs::write(&private, b"half").unwrap();
    load_or_make(&certificate, &key, &names(), now()).unwrap();
    fs::rename(&key, &private).unwrap();
    fs::rename(&certificate, &public).unwrap();
    load_or_make(&certificate, &key, &names(), now()).unwrap();
    fs::rename(&key, &private).unwrap();
    load_or_make(&certificate, &key, &names(), now()).unwrap();
    assert!(!private.exists() && !public.exists());
}

#[test]
fn half_a_pair_is_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = pair(folder.path());
    load_or_make(&certificate, &key, &names(), now()).unwrap();
    fs::remove_file(&certificate).unwrap();
    let error = load_or_make(&certificate, &key, &names(), now()).unwrap_err();
    assert!(error.message().contains("server.crt is not"), "{error}");
    assert!(key.exists() && !certificate.exists());
}

#[test]
fn errors_name_the_file_and_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = pair(folder.path());
    load_or_make(&certificate, &key, &names(), now()).unwrap();
    let other = folder.path().join("other");
    let (other_certificate, other_key) = pair(&other);
    load_or_make(&other_certificate, &other_key, &names(), now()).unwrap();
    let rubbish = folder.path().join("rubbish.pem");
    fs::write(&rubbish, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let text = folder.path().join("text");
    fs::write(&text, "hello").unwrap();
    let gone = folder.path().join("gone.pem");
    for (certificate, key, said) in [
        (&gone, &key, "gone.pem: there is no such file"),
        (&certificate, &gone, "gone.pem: there is no such file"),
        (&text, &key, "text: there is no certificate"),
        (&certificate, &text, "text: there is no private key"),
        (&rubbish, &key, "rubbish.pem: its first item is not a certificate"),
        (&certificate, &other_key, "does not belong to the certificate"),
    ] {
        let error = load(certificate, key, now()).unwrap_err();
        assert!(error.message().contains(said), "{said}: {error}");
    }
}

#[test]
fn names_of_this_machine_can_stand_in_a_certificate() {
    let names = names_of_machine(Some("[2001:db8::1]"));
    for name in ["localhost", "127.0.0.1", "::1", "2001:db8::1"] {
        assert_eq!(names.iter().filter(|known| *known == name).count(), 1, "{names:?}");
    }
    assert!(!names_of_machine(Some("bad host")).contains(&"bad host".to_owned()));
    CertificateParams::new(names).unwrap();
}
