//! The keys that sign tokens, and the set of public keys by which others check them.
//!
//! Keys are PEM files, as oCIS has them. The first signs; all of them are published and accepted,
//! so a key is rotated by putting the new file in front and taking the old one away once the last
//! token that it signed has expired. Every public key is worked out once, when a file is read.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation};
use ocis_core::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::seal::SECRET_BYTES;

/// Where the keys are and how they are used.
#[derive(Debug, Clone)]
pub struct KeyFiles {
    /// PEM files of private keys (PKCS#1 or PKCS#8), the one that signs first
    /// (`IDP_SIGNING_PRIVATE_KEY_FILES`).
    pub signing: Vec<PathBuf>,
    /// The id of the first key (`IDP_SIGNING_KID`). The others are called as their files, without
    /// the ending.
    pub kid: String,
    /// The algorithm of the first key (`IDP_SIGNING_METHOD`), such as `PS256`.
    pub method: String,
    /// A folder of further PEM files, private or public, whose keys are published and accepted but do not sign
    /// (`IDP_VALIDATION_KEYS_PATH`).
    pub validation: Option<PathBuf>,
    /// The 32 bytes that tag cookies, codes and refresh tokens (`IDP_ENCRYPTION_SECRET_FILE`).
    pub secret: PathBuf,
}

/// The keys, read.
pub(super) struct Keys {
    signing: EncodingKey,
    header: Header,
    accepted: Vec<Accepted>,
    jwks: String,
    pub(super) secret: Zeroizing<Vec<u8>>,
}

struct Accepted {
    kid: String,
    key: DecodingKey,
    algorithms: Vec<Algorithm>,
}

impl Keys {
    /// Reads the keys. The first signing key and the secret are made when they are not there.
    /// Blocks. An error names the file.
    pub(super) fn open(files: &KeyFiles) -> Result<Self> {
        let (first, others) = files
            .signing
            .split_first()
            .ok_or_else(|| Error::invalid("IDP_SIGNING_PRIVATE_KEY_FILES names no file"))?;
        let method: Algorithm = files.method.parse().map_err(|_| {
            Error::invalid(format!(
                "IDP_SIGNING_METHOD is {:?}; right would be PS256, RS256 or ES256, for one",
                files.method
            ))
        })?;
        if !first.exists() {
            make_key(first)?;
        }
        let signing = read_private(first)?;
        let mut keys = vec![(files.kid.clone(), public(&signing, method, first)?, first.clone())];
        for file in others {
            keys.push((stem(file), public(&read_private(file)?, method, file)?, file.clone()));
        }
        for file in pem_files(files.validation.as_deref())? {
            keys.push((stem(&file), read_any(&file, method)?, file));
        }
        let mut accepted: Vec<Accepted> = Vec::new();
        let mut published = Vec::new();
        for (kid, (mut jwk, algorithms), file) in keys {
            if accepted.iter().any(|known| known.kid == kid) {
                continue;
            }
            jwk.common.key_id = Some(kid.clone());
            jwk.common.public_key_use = Some(PublicKeyUse::Signature);
            // The same RSA key serves RS256 and PS256, so no algorithm is named, as in oCIS.
            jwk.common.key_algorithm = None;
            let key = DecodingKey::from_jwk(&jwk).map_err(|error| unreadable(&file, error))?;
            accepted.push(Accepted { kid, key, algorithms });
            published.push(jwk);
        }
        let header = Header { kid: Some(files.kid.clone()), ..Header::new(method) };
        let keys = Self {
            jwks: serde_json::to_string(&JwkSet { keys: published })
                .map_err(|error| Error::internal("no key set").because(error))?,
            secret: read_secret(&files.secret)?,
            signing,
            header,
            accepted,
        };
        // A key that does not go with the method is told now and not at the first sign-in.
        keys.sign(&serde_json::json!({})).map_err(|error| {
            let method = &files.method;
            Error::invalid(format!("the key in {} cannot sign {method}", first.display()))
                .because(error)
        })?;
        Ok(keys)
    }

    /// Signs claims.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String> {
        jsonwebtoken::encode(&self.header, claims, &self.signing)
            .map_err(|error| Error::internal("a token cannot be signed").because(error))
    }

    /// Signs claims under another `typ` than `JWT`.
    pub(super) fn sign_as(&self, kind: &str, claims: &impl Serialize) -> Result<String> {
        let header = Header { typ: Some(kind.to_owned()), ..self.header.clone() };
        jsonwebtoken::encode(&header, claims, &self.signing)
            .map_err(|error| Error::internal("a token cannot be signed").because(error))
    }

    /// The claims of a token that one of the keys signed. Times and audience are not looked at.
    /// None for any other, `alg` of `none` or of a shared secret included.
    pub(super) fn verify<T: DeserializeOwned + Clone>(&self, token: &str) -> Option<T> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let kid = header.kid.as_deref()?;
        let known = self.accepted.iter().find(|known| known.kid == kid)?;
        let mut validation = Validation::new(header.alg);
        validation.algorithms = known.algorithms.clone();
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        jsonwebtoken::decode(token, &known.key, &validation).ok().map(|token| token.claims)
    }

    /// The left half of the digest that goes with the signature (`at_hash`, OpenID Connect Core 1.0
    /// section 3.1.3.6); none for EdDSA, for which no digest is laid down.
    pub(super) fn half_hash(&self, text: &str) -> Option<String> {
        use Algorithm::{ES256, ES384, PS256, PS384, PS512, RS256, RS384, RS512};
        let algorithm = match self.header.alg {
            RS256 | PS256 | ES256 => &digest::SHA256,
            RS384 | PS384 | ES384 => &digest::SHA384,
            RS512 | PS512 => &digest::SHA512,
            _ => return None,
        };
        let digest = digest::digest(algorithm, text.as_bytes());
        let (half, _) = digest.as_ref().split_at(digest.as_ref().len() / 2);
        Some(URL_SAFE_NO_PAD.encode(half))
    }

    /// The public keys as JSON (RFC 7517).
    pub(super) fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The algorithms that tokens may be signed with.
    pub(super) fn algorithms(&self) -> Vec<String> {
        let first = self.accepted.first().map(|key| key.algorithms.as_slice());
        first.unwrap_or_default().iter().map(|alg| format!("{alg:?}")).collect()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("header", &self.header).finish_non_exhaustive()
    }
}

/// The algorithms that a kind of key can be used with.
fn algorithms(family: AlgorithmFamily, method: Algorithm) -> Vec<Algorithm> {
    use Algorithm::{EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match family {
        AlgorithmFamily::Rsa => vec![PS256, PS384, PS512, RS256, RS384, RS512],
        AlgorithmFamily::Ed => vec![EdDSA],
        // An elliptic curve goes with one algorithm only; the curve of the key decides.
        _ if method == Algorithm::ES384 => vec![Algorithm::ES384],
        _ => vec![Algorithm::ES256],
    }
}

/// The public half of a key, and the algorithms that it can be used with.
type Public = (Jwk, Vec<Algorithm>);

fn public(key: &EncodingKey, method: Algorithm, file: &Path) -> Result<Public> {
    let algorithms = algorithms(key.family(), method);
    let algorithm = algorithms.first().copied().unwrap_or_default();
    let jwk = Jwk::from_encoding_key(key, algorithm).map_err(|error| unreadable(file, error))?;
    Ok((jwk, algorithms))
}

/// A key that only has to be accepted: a public one is enough.
fn read_any(file: &Path, method: Algorithm) -> Result<Public> {
    // A public key in PEM passes for a private one until something is asked of it.
    if let Ok(read) = read_private(file).and_then(|key| public(&key, method, file)) {
        return Ok(read);
    }
    let pem = fs::read(file).map_err(|error| unreadable(file, error))?;
    let key = DecodingKey::from_rsa_pem(&pem)
        .or_else(|_| DecodingKey::from_ec_pem(&pem))
        .or_else(|_| DecodingKey::from_ed_pem(&pem))
        .map_err(|error| unreadable(file, error))?;
    let jwk = Jwk::from_decoding_key(&key, None).map_err(|error| unreadable(file, error))?;
    Ok((jwk, algorithms(key.family(), method)))
}

fn read_private(file: &Path) -> Result<EncodingKey> {
    let pem = Zeroizing::new(fs::read(file).map_err(|error| unreadable(file, error))?);
    EncodingKey::from_rsa_pem(&pem)
        .or_else(|_| EncodingKey::from_ec_pem(&pem))
        .or_else(|_| EncodingKey::from_ed_pem(&pem))
        .map_err(|error| unreadable(file, error))
}

fn unreadable(file: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::invalid(format!("{} is not a readable key (PEM)", file.display())).because(error)
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The PEM files of a folder, by name.
fn pem_files(folder: Option<&Path>) -> Result<Vec<PathBuf>> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let lost = |error| {
        let folder = folder.display();
        Error::invalid(format!("IDP_VALIDATION_KEYS_PATH: {folder} cannot be read")).because(error)
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(lost)? {
        let path = entry.map_err(lost)?.path();
        if path.extension().is_some_and(|ending| ending == "pem") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Makes an RSA key of 3072 bits: as strong as the 128 bits of everything else here, and signing
/// with it takes a third of the time that oCIS's 4096 bits take.
fn make_key(file: &Path) -> Result<()> {
    let failed = |_| Error::internal("no RSA key could be made");
    let pair = KeyPair::generate(KeySize::Rsa3072).map_err(failed)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
    let text = Zeroizing::new(STANDARD.encode(der.as_ref()));
    let mut pem = Zeroizing::new(String::from("-----BEGIN PRIVATE KEY-----\n"));
    for line in text.as_bytes().chunks(64) {
        pem.push_str(std::str::from_utf8(line).unwrap_or_default());
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    write_new(file, pem.as_bytes())
}

fn read_secret(file: &Path) -> Result<Zeroizing<Vec<u8>>> {
    if !file.exists() {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        getrandom::fill(&mut *secret).map_err(|error| {
            Error::internal("the system gives no random numbers").because(error)
        })?;
        write_new(file, &*secret)?;
    }
    let secret = Zeroizing::new(fs::read(file).map_err(|error| {
        Error::internal(format!("{} cannot be read", file.display())).because(error)
    })?);
    if secret.len() != SECRET_BYTES {
        return Err(Error::invalid(format!(
            "{} has {} bytes; right would be {SECRET_BYTES}",
            file.display(),
            secret.len()
        )));
    }
    Ok(secret)
}

/// Writes a file that only we can read, durably and whole or not at all.
pub(super) fn write_new(file: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::internal(format!("{} cannot be written", file.display())).because(error)
    };
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = folder.join(name);
    let mut options = fs::OpenOptions::new();
    let mut out = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(failed)?;
    out.write_all(bytes).and_then(|()| out.sync_all()).map_err(failed)?;
    fs::rename(&beside, file).map_err(failed)?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}
