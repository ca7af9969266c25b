//! Whom a connection over TLS trusts.

use std::path::Path;
use std::sync::Arc;

use ocis_core::{Error, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Trusts what the system trusts and, as oCIS, the certificates in `ca_cert` besides, be they of an
/// authority or of the server itself. Blocks: it reads files. [`ocis_core::ErrorKind::Unavailable`]
/// when the file is not there yet or has no certificate in it.
pub(super) fn trusting(ca_cert: Option<&Path>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    // What the system trusts may be half broken; what is not read is not trusted.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_cert {
        add(&mut roots, path)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal("TLS cannot be used").because(error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<()> {
    let failed = |why: &str| {
        Error::unavailable(format!(
            "the file {} with the certificates to trust for LDAP {why}",
            path.display()
        ))
    };
    let found = CertificateDer::pem_file_iter(path)
        .map_err(|error| failed("cannot be read").because(error))?;
    let before = roots.len();
    for certificate in found {
        let certificate = certificate.map_err(|error| failed("cannot be read").because(error))?;
        roots.add(certificate).map_err(|error| failed("is broken").because(error))?;
    }
    if roots.len() == before {
        return Err(failed("has none in it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocis_core::ErrorKind;

    #[test]
    fn a_file_that_is_not_there_is_waited_for_and_named() {
        let error = trusting(Some(Path::new("/nowhere/ldap.crt"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("/nowhere/ldap.crt"), "{error}");
        let empty = tempfile::NamedTempFile::new().unwrap();
        assert!(trusting(Some(empty.path())).unwrap_err().message().contains("none in it"));
    }
}
