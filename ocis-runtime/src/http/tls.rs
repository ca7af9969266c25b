//! The certificate of the public listener: given as PEM files, or made by the server itself.
//!
//! A pair that the server made lies at `$OCIS_BASE_DATA_PATH/proxy/server.crt` and `server.key`, as
//! in oCIS. It is made once, when neither file is there, and never overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// How long a certificate that the server made is valid: its users have to trust it by hand, so it
/// should not change every year.
const VALID_DAYS: u64 = 3652;
const DAY: u64 = 24 * 3600;

/// The pair at `certificate` and `key`, which is made for `names` when neither file is there.
///
/// Errors ([`ocis_core::ErrorKind::InvalidArgument`]) say which file is to blame and what to do;
/// among them: only one of the two is there.
pub fn load_or_make(
    certificate: &Path,
    key: &Path,
    names: &[String],
    now: Timestamp,
) -> Result<Arc<ServerConfig>> {
    match (certificate.exists(), key.exists()) {
        (false, false) => make(certificate, key, names, now)?,
        // Somebody was stopped while making the pair.
        (true, false) if unfinished(key).exists() => finish(key)?,
        (true, false) => return Err(half(certificate, key)),
        (false, true) => return Err(half(key, certificate)),
        (true, true) => {}
    }
    load(certificate, key, now)
}

/// The pair at `certificate` (PEM: the server's, then intermediate ones) and `key` (PEM).
///
/// Errors ([`ocis_core::ErrorKind::InvalidArgument`]) say which file is to blame: not found or not
/// readable, no certificate or key in it, a key that belongs to another certificate.
pub fn load(certificate: &Path, key: &Path, now: Timestamp) -> Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(certificate, "certificate", error))?;
    let first = chain
        .first()
        .ok_or_else(|| unreadable(certificate, "certificate", pem::Error::NoItemsFound))?;
    warn_of_dates(certificate, first, now)?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, "private key", error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal("TLS cannot be set up").because(error))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| mismatch(certificate, key, error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Clients that come back skip most of the handshake, without the server remembering them.
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()
        .map_err(|error| Error::internal("TLS cannot be set up").because(error))?;
    Ok(Arc::new(config))
}

/// The names for which a pair is made: this machine under all the names by which it may be
/// reached, and `url_host` (of `OCIS_URL`).
pub fn names_of_machine(url_host: Option<&str>) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    names.extend(url_host.map(|host| host.trim_matches(['[', ']']).to_ascii_lowercase()));
    let host = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
    names.push(host);
    // Without the list of interfaces the certificate is still good for the names above.
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let reachable = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    };
    names.extend(
        interfaces.iter().map(if_addrs::Interface::ip).filter(reachable).map(|ip| ip.to_string()),
    );
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| is_name(name) && seen.insert(name.clone()));
    names
}

/// Whether `name` can stand in a certificate: an address, or labels of letters, digits and `-`.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.parse::<IpAddr>().is_ok() || (name.len() <= 253 && name.split('.').all(label))
}

fn make(certificate: &Path, key: &Path, names: &[String], now: Timestamp) -> Result<()> {
    let failed = |error| Error::internal("a TLS certificate cannot be made").because(error);
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Infinite Scale");
    params.distinguished_name.push(DnType::CommonName, "Infinite Scale, self-signed");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let seconds = u64::try_from(now.unix_seconds()).unwrap_or_default();
    // From the day before: the clocks of clients may be behind.
    params.not_before = epoch + Duration::from_secs(seconds.saturating_sub(DAY));
    params.not_after = epoch + Duration::from_secs(seconds + VALID_DAYS * DAY);
    let pair = KeyPair::generate().map_err(failed)?;
    let made = params.self_signed(&pair).map_err(failed)?;
    for path in [certificate, key] {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
        }
    }
    // Both are there whole before one of them has its name, and the key gets its own last: wherever
    // this is cut off, the next start makes the pair or finishes it.
    let private = unfinished(key);
    let public = unfinished(certificate);
    for path in [&private, &public] {
        // Nothing of worth: nobody ever used it.
        let _ = fs::remove_file(path);
    }
    write_new(&private, 0o600, pair.serialize_pem().as_bytes())?;
    write_new(&public, 0o644, made.pem().as_bytes())?;
    fs::rename(&public, certificate).map_err(|error| unwritable(certificate, error))?;
    finish(key)
}

/// Where a file lies until it is whole.
fn unfinished(path: &Path) -> PathBuf {
    path.with_added_extension("new")
}

fn finish(key: &Path) -> Result<()> {
    fs::rename(unfinished(key), key).map_err(|error| unwritable(key, error))
}

fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file: File =
            OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| unwritable(path, error))
}

fn warn_of_dates(path: &Path, certificate: &CertificateDer<'_>, now: Timestamp) -> Result<()> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|error| {
        Error::invalid(format!("{}: its first item is not a certificate", path.display()))
            .because(error)
    })?;
    let (seconds, validity) = (now.unix_seconds(), parsed.validity());
    if seconds < validity.not_before.timestamp() || seconds > validity.not_after.timestamp() {
        tracing::warn!(
            file = %path.display(),
            "not-before" = %validity.not_before,
            "not-after" = %validity.not_after,
            "the TLS certificate is not valid at present; clients will refuse it"
        );
    }
    Ok(())
}

fn half(there: &Path, missing: &Path) -> Error {
    Error::invalid(format!(
        "{} is there, but {} is not: put it back, or move the other one away, and a new pair is \
         made at the next start",
        there.display(),
        missing.display()
    ))
}

fn unreadable(path: &Path, what: &str, error: pem::Error) -> Error {
    let path = path.display();
    let text = match &error {
        pem::Error::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("{path}: there is no such file; a {what} in PEM form is needed there")
        }
        pem::Error::Io(error) => format!("{path}: cannot be read: {error}"),
        _ => format!("{path}: there is no {what} in PEM form in it"),
    };
    Error::invalid(text).because(error)
}

fn mismatch(certificate: &Path, key: &Path, error: rustls::Error) -> Error {
    let (certificate, key) = (certificate.display(), key.display());
    let text = match &error {
        rustls::Error::InconsistentKeys(_) => {
            format!("{key}: this private key does not belong to the certificate {certificate}")
        }
        _ => format!("{certificate} and {key}: not a usable pair: {error}"),
    };
    Error::invalid(text).because(error)
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::unavailable(format!("{}: cannot be written: {error}", path.display())).because(error)
}

#[cfg(test)]
mod tests;
