//! What secrets are remembered and counted under: keyed hashes that nobody without this process's
//! memory can compute, so that nothing can be guessed offline from what is kept.

use aws_lc_rs::hmac;
use ocis_core::{Error, Result};
use zeroize::Zeroizing;

/// A keyed hash (HMAC-SHA256).
pub(crate) type Digest = [u8; 32];

/// A key that lives as long as this process. [`ocis_core::ErrorKind::Internal`] when the system
/// gives no random numbers.
pub(crate) fn random_key() -> Result<hmac::Key> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *secret)
        .map_err(|error| Error::internal("the system gives no random numbers").because(error))?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &*secret))
}

/// The hash of `parts` in this order. Their lengths are hashed too: `a` + `bc` is not `ab` + `c`.
pub(crate) fn of<'a>(key: &hmac::Key, parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&part.len().to_le_bytes());
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.sign().as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_between_parts_is_no_secret_passage() {
        let key = random_key().unwrap();
        let of = |parts: &[&'static str]| of(&key, parts.iter().map(|part| part.as_bytes()));
        assert_eq!(of(&["a", "bc"]), of(&["a", "bc"]));
        assert_ne!(of(&["a", "bc"]), of(&["ab", "c"]));
        assert_ne!(of(&["a"]), of(&["a", ""]));
        assert_ne!(of(&["a"]), super::of(&random_key().unwrap(), [b"a".as_slice()]));
    }
}
