//! Taking over the app tokens of oCIS 7, which reva's `json` manager keeps in one file,
//! `appauth.json`: for each account an object of `AppPassword`s under their bcrypt hashes. The file
//! stays as it is.
//!
//! The tokens themselves are nowhere, so their hashes stay bcrypt's. They have no name in them
//! either: each of the account's is tried, one after the other, with some 100 ms of work for each.
//! This is done once; what was verified is remembered.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ocis_core::id::UserId;
use ocis_core::{Error, Result};

use super::document::Record;

/// The most bytes that are read: a hundred thousand tokens.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The length of a token of oCIS, of which half are digits, and no character comes twice.
const LENGTH: usize = 16;

/// The tokens of an account, by the names that they get here.
pub(super) type Found = BTreeMap<UserId, BTreeMap<String, Record>>;

/// Reads oCIS's file; none when there is none. Blocks. [`ocis_core::ErrorKind::Internal`] when it
/// cannot be read or understood, with its name.
pub(super) fn read(path: &Path) -> Result<Option<Found>> {
    let failed = |what: &str| {
        Error::internal(format!(
            "the app tokens of oCIS in {} cannot be taken over: {what}",
            path.display()
        ))
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("it cannot be opened").because(error)),
    };
    let mut bytes = Vec::new();
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| failed("it cannot be read").because(error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed("it is too large"));
    }
    parse(&bytes).map(Some).map_err(|error| failed("it is damaged").because(error))
}

fn parse(bytes: &[u8]) -> serde_json::Result<Found> {
    // The keys are texts of protobuf, whose form changes; the records say whose they are.
    let all: BTreeMap<String, BTreeMap<String, Record>> = serde_json::from_slice(bytes)?;
    let mut found = Found::new();
    for record in all.into_values().flat_map(BTreeMap::into_values) {
        match record.owner() {
            Some(user) if is_of_ocis(record.hash()) => {
                found.entry(user).or_default().insert(name(record.hash()), record);
            }
            _ => tracing::warn!("an app token of oCIS is of nobody, and is left out"),
        }
    }
    Ok(found)
}

/// The name of a token here, always the same for one of oCIS.
fn name(hash: &str) -> String {
    let digest = digest::digest(&digest::SHA256, hash.as_bytes());
    format!("ocis-{}", URL_SAFE_NO_PAD.encode(digest))
}

/// Whether a hash is that of a token that was taken over.
pub(super) fn is_of_ocis(hash: &str) -> bool {
    hash.starts_with("$2")
}

/// Whether `text` has the form of oCIS's tokens. Passwords that have it are rare.
pub(super) fn has_form(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let differ =
        bytes.iter().enumerate().all(|(at, byte)| !bytes.iter().skip(at + 1).any(|b| b == byte));
    bytes.len() == LENGTH
        && digits == LENGTH / 2
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && differ
}

/// Whether `hash` is that of the token `text`. Blocks for some 100 ms.
pub(super) fn is_hash_of(text: &str, hash: &str) -> bool {
    bcrypt::verify(text, hash).unwrap_or(false)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The token of [`OF_OCIS`] that is good, and the one that has expired.
    pub(crate) const TOKENS: [&str; 2] = ["a1B2c3D4e5F6g7H8", "Z9y8X7w6V5u4T3s2"];

    /// As reva's `json` manager writes it, with hashes of the cost 4.
    pub(crate) const OF_OCIS: &str = include_str!("takeover/appauth.json");

    #[test]
    fn the_file_of_ocis_is_read_and_only_that() {
        let found = parse(OF_OCIS.as_bytes()).unwrap();
        assert_eq!(found.keys().map(UserId::as_str).collect::<Vec<_>>(), ["id-marie", "id-moss"]);
        let marie = found.values().next().unwrap();
        assert_eq!(marie.len(), 2);
        let right = |token: &str| marie.values().filter(|r| is_hash_of(token, r.hash())).count();
        assert_eq!(TOKENS.map(right), [1, 1]);
        assert_eq!(right("a1B2c3D4e5F6g7H9"), 0);
        assert!(parse(b"[]").is_err() && parse(b"{").is_err());
        assert!(parse(b"{}").unwrap().is_empty());
        assert!(!is_hash_of(TOKENS[0], "$2a$"));
    }

    #[test]
    fn a_file_that_is_not_there_is_none_and_a_broken_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("appauth.json");
        assert!(read(&file).unwrap().is_none());
        std::fs::write(&file, "{]").unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("appauth.json"));
    }

    #[test]
    fn the_form_of_a_token() {
        assert!(TOKENS.iter().all(|token| has_form(token)));
        for other in ["", "relativity", "a1B2c3D4e5F6g7H", "a1B2c3D4e5F6g7Hh", "a1B2c3D4e5F6g7a8"] {
            assert!(!has_form(other), "{other}");
        }
    }
}
