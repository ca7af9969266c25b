//! Password hashes: argon2id in the form that oCIS stores, `{ARGON2}$argon2id$v=19$m=…`.
//!
//! One verification takes 64 MiB and some 50 ms of a core on purpose. So the work runs on the
//! blocking pool, at most as many at once as a [`Hasher`] allows, and only so many may wait; a flood
//! of sign-ins costs neither memory nor the threads that serve files.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use ocis_core::{Error, Result};
use zeroize::Zeroizing;

use crate::turns::Turns;

/// What stands before the PHC string in oCIS's directory (an RFC 2307 scheme).
const SCHEME: &str = "{ARGON2}";

/// The bytes of a salt, as in oCIS.
const SALT_BYTES: usize = 16;

/// The most hashes at once where nobody says otherwise.
const MOST_AT_ONCE: usize = 4;

/// How many may wait for a turn before further ones are refused.
const QUEUE: usize = 256;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB; at least 8 for each lane.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Independent lanes of the memory.
    pub lanes: u32,
}

impl Default for Cost {
    /// What oCIS uses: 64 MiB, one pass, two lanes.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 1, lanes: 2 }
    }
}

/// Makes and verifies password hashes, so many at a time.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    turns: Turns,
}

impl Hasher {
    /// A hasher that makes hashes of `cost` and works on at most `parallel` (at least 1) at once.
    /// [`ocis_core::ErrorKind::InvalidArgument`] for a cost that argon2 does not allow.
    pub fn new(cost: Cost, parallel: usize) -> Result<Self> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
            .map_err(|error| Error::invalid("not a legal cost of argon2").because(error))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { argon2, turns: Turns::new(parallel, QUEUE) })
    }

    /// A hasher with oCIS's cost that uses as many cores as there are, but no more than four: each
    /// takes 64 MiB while it works.
    pub fn for_this_machine() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::new(Cost::default(), cores.min(MOST_AT_ONCE))
    }

    /// The hash of `password` with a new random salt, in the stored form.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let (hasher, password) = (self.clone(), Zeroizing::new(password.to_owned()));
        self.turns.take(move || hasher.hash_blocking(&password)).await
    }

    /// As [`Self::hash`], on this thread, which it blocks.
    pub fn hash_blocking(&self, password: &str) -> Result<String> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(no_random)?;
        let hash = self
            .argon2
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(|error| Error::internal("the password cannot be hashed").because(error))?;
        Ok(format!("{SCHEME}{hash}"))
    }

    /// Whether `password` is the one that `stored` was made of, compared in constant time.
    /// [`ocis_core::ErrorKind::Internal`] when `stored` is no hash of argon2;
    /// [`ocis_core::ErrorKind::Unavailable`] when too many are waiting.
    pub async fn verify(&self, password: &str, stored: &str) -> Result<bool> {
        let (password, stored) = (Zeroizing::new(password.to_owned()), stored.to_owned());
        self.turns.take(move || verify(&password, &stored)).await
    }

    /// Whether `stored` is easier to guess than what [`Self::hash`] makes today: another kind of
    /// hash, or less memory or fewer passes.
    pub fn is_weak(&self, stored: &str) -> bool {
        let Some(stored) = parse(stored) else { return true };
        let today = self.argon2.params();
        stored.algorithm != Algorithm::Argon2id.ident()
            || stored.version != Some(Version::V0x13.into())
            || Params::try_from(&stored).map_or(true, |params| {
                params.m_cost() < today.m_cost() || params.t_cost() < today.t_cost()
            })
    }

    /// A hash of no password at all. To verify against it costs what it costs to verify against a
    /// real one, so that the time does not tell which accounts exist.
    pub fn decoy(&self) -> Result<String> {
        let mut random = [0; SALT_BYTES + Params::DEFAULT_OUTPUT_LEN];
        getrandom::fill(&mut random).map_err(no_random)?;
        let (salt, output) = random.split_at(SALT_BYTES);
        let broken = |error| Error::internal("the decoy cannot be made").because(error);
        let salt = password_hash::phc::Salt::new(salt).map_err(broken)?;
        let output = password_hash::phc::Output::new(output).map_err(broken)?;
        let cost = self.argon2.params();
        Ok(format!(
            "{SCHEME}$argon2id$v=19$m={},t={},p={}${}${output}",
            cost.m_cost(),
            cost.t_cost(),
            cost.p_cost(),
            salt.to_salt_string(),
        ))
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("cost", self.argon2.params()).finish_non_exhaustive()
    }
}

fn verify(password: &str, stored: &str) -> Result<bool> {
    // The parameters come from the stored hash, not from this value.
    let argon2 = Argon2::default();
    let stored = parse(stored)
        .ok_or_else(|| Error::internal("a stored password is not a hash of argon2"))?;
    match argon2.verify_password(password.as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(Error::internal("a stored password cannot be read").because(error)),
    }
}

fn parse(stored: &str) -> Option<PasswordHash> {
    stored
        .strip_prefix(SCHEME)
        .and_then(|text| PasswordHash::new(text).ok())
        .filter(|stored| stored.salt.is_some() && stored.hash.is_some())
}

fn no_random(error: getrandom::Error) -> Error {
    Error::internal("the system gives no random numbers").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Hasher {
        Hasher::new(Cost { memory_kib: 16, passes: 1, lanes: 2 }, 1).unwrap()
    }

    #[test]
    fn hashes_of_ocis_are_understood() {
        // From the data directory of an oCIS 7 with demo users.
        let marie = "{ARGON2}$argon2id$v=19$m=65536,t=1,p=2$\
            PrsZJPAoi2ApdyIkd54i3A$gjVsGwhNi6+GczrxIWOjSvRPiYxJIzGTn/rzPg9/JVM";
        assert!(verify("radioactivity", marie).unwrap());
        assert!(!verify("relativity", marie).unwrap());
    }

    #[test]
    fn the_form_is_that_of_ocis() {
        let hash = Hasher::for_this_machine().unwrap().hash_blocking("x").unwrap();
        let rest = hash.strip_prefix("{ARGON2}$argon2id$v=19$m=65536,t=1,p=2$").unwrap();
        // 16 and 32 bytes in base64 without padding.
        assert_eq!(rest.split('$').map(str::len).collect::<Vec<_>>(), [22, 43]);
    }

    #[tokio::test]
    async fn a_password_is_verified_and_no_other() {
        let hasher = cheap();
        let (one, two) = (hasher.hash("pässword").await.unwrap(), hasher.hash("pässword").await);
        assert_ne!(one, two.unwrap(), "the salt must be random");
        assert!(hasher.verify("pässword", &one).await.unwrap());
        for wrong in ["", "password", "pässword ", "PÄSSWORD"] {
            assert!(!hasher.verify(wrong, &one).await.unwrap(), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn the_decoy_is_a_hash_that_nothing_matches() {
        let hasher = cheap();
        let decoy = hasher.decoy().unwrap();
        assert!(!hasher.verify("", &decoy).await.unwrap());
        assert_ne!(decoy, hasher.decoy().unwrap());
        let real = hasher.hash("x").await.unwrap();
        let shape = |hash: &str| hash.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!(shape(&decoy), shape(&real));
    }

    #[tokio::test]
    async fn other_schemes_are_an_error_and_not_a_mismatch() {
        for stored in ["", "plain", "{SSHA}abc", "{ARGON2}", "{ARGON2}$argon2id$v=19$m=1"] {
            assert!(cheap().verify("plain", stored).await.is_err(), "{stored:?}");
        }
    }

    #[test]
    fn what_is_cheaper_to_guess_is_weak() {
        let cost = Cost { memory_kib: 32, passes: 2, lanes: 2 };
        let hasher = Hasher::new(cost, 1).unwrap();
        assert!(!hasher.is_weak(&hasher.hash_blocking("x").unwrap()));
        let made = |cost| Hasher::new(cost, 1).unwrap().hash_blocking("x").unwrap();
        assert!(hasher.is_weak(&made(Cost { memory_kib: 16, ..cost })));
        assert!(hasher.is_weak(&made(Cost { passes: 1, ..cost })));
        assert!(!hasher.is_weak(&made(Cost { memory_kib: 64, passes: 3, lanes: 1 })));
        let other = made(cost).replace("argon2id", "argon2i");
        assert!(hasher.is_weak(&other), "{other}");
        assert!(hasher.is_weak("{SSHA}abc"));
    }
}
