//! What a token looks like, and its hash.
//!
//! A token is `ocis_`, ten characters that name it, and 26 that prove it, all of them letters and
//! digits. The name finds the one hash to compare with, so that the work does not grow with the
//! number of tokens; the proof has 154 bits, so its hash need not be slow. It is argon2id all the
//! same, because that is the form in which reva keeps app tokens (`jsoncs3`), with the smallest
//! parameters that argon2 allows: some 10 µs, and no memory to speak of.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use ocis_core::config::Secret;
use ocis_core::{Error, Result};
use zeroize::Zeroizing;

/// What tells a token from a password.
const PREFIX: &str = "ocis_";
/// The characters of a name.
const NAME: usize = 10;
/// The characters of a proof.
const PROOF: usize = 26;
const SALT_BYTES: usize = 16;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The name of a token: the part that finds it. None when `text` is no token of this form.
pub(super) fn name(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(PREFIX)?;
    let legal = rest.len() == NAME + PROOF && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    rest.get(..NAME).filter(|_| legal)
}

/// A new token, and its hash in the form of PHC (`$argon2id$v=19$m=8,t=1,p=1$…`).
pub(super) fn make() -> Result<(Secret, String)> {
    let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + NAME + PROOF));
    text.push_str(PREFIX);
    let mut random = Zeroizing::new([0; 64]);
    while text.len() < PREFIX.len() + NAME + PROOF {
        getrandom::fill(&mut *random).map_err(no_random)?;
        let missing = PREFIX.len() + NAME + PROOF - text.len();
        // Each character equally often: the two highest of 64 values are passed over.
        let drawn = random.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
        text.extend(drawn.take(missing).map(|byte| char::from(*byte)));
    }
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(no_random)?;
    let hash = argon2()?
        .hash_password_with_salt(text.as_bytes(), &salt)
        .map_err(|error| Error::internal("the token cannot be hashed").because(error))?;
    Ok((Secret::new(text.as_str()), hash.to_string()))
}

/// Whether `hash` is that of the token `text`, compared in constant time.
pub(super) fn is_hash_of(text: &str, hash: &str) -> bool {
    let (Ok(argon2), Ok(hash)) = (argon2(), PasswordHash::new(hash)) else { return false };
    argon2.verify_password(text.as_bytes(), &hash).is_ok()
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(Params::MIN_M_COST, 1, 1, None)
        .map_err(|error| Error::internal("not a legal cost of argon2").because(error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn no_random(error: getrandom::Error) -> Error {
    Error::internal("the system gives no random numbers").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_form_and_matches_its_hash_only() {
        let (token, hash) = make().unwrap();
        let (other, _) = make().unwrap();
        assert_eq!(token.expose().len(), 41);
        assert_eq!(name(token.expose()), token.expose().get(5..15));
        assert_ne!(name(token.expose()), name(other.expose()));
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert!(is_hash_of(token.expose(), &hash));
        assert!(!is_hash_of(other.expose(), &hash));
        assert!(!is_hash_of(token.expose(), "$argon2id$"));
    }

    #[test]
    fn anything_else_is_no_token() {
        let long = format!("ocis_{}", "a".repeat(37));
        let accent = format!("ocis_{}é", "a".repeat(34));
        for text in ["", "ocis_", "relativity", "ocis_short", &long, &accent] {
            assert_eq!(name(text), None, "{text}");
        }
        assert!(name(&format!("ocis_{}", "a".repeat(36))).is_some());
    }
}
