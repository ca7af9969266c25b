//! The values that an installation has of its own.

use ocis_core::config::Secret;
use ocis_core::{Error, Result};
use uuid::Uuid;

const LENGTH: usize = 32;
const ALPHABET: &[u8; 74] =
    b"-=+!@#$%^&*.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Ids and secrets of an installation. A `Default` one is all empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    pub(super) jwt_secret: Secret,
    pub(super) machine_auth_api_key: Secret,
    pub(super) system_user_api_key: Secret,
    pub(super) transfer_secret: Secret,
    pub(super) system_user_id: String,
    pub(super) admin_user_id: String,
    pub(super) graph_application_id: String,
    pub(super) service_account_id: String,
    pub(super) service_account_secret: Secret,
    pub(super) admin_password: Secret,
    pub(super) idm_password: Secret,
    pub(super) reva_password: Secret,
    pub(super) idp_password: Secret,
    pub(super) collaboration_wopi_secret: Secret,
    pub(super) thumbnails_transfer_secret: Secret,
    pub(super) storage_users_mount_id: String,
}

impl Values {
    /// New random values.
    pub(super) fn random() -> Result<Self> {
        let id = || Uuid::new_v4().to_string();
        Ok(Self {
            jwt_secret: secret()?,
            machine_auth_api_key: secret()?,
            system_user_api_key: secret()?,
            transfer_secret: secret()?,
            system_user_id: id(),
            admin_user_id: id(),
            graph_application_id: id(),
            service_account_id: id(),
            service_account_secret: secret()?,
            admin_password: secret()?,
            idm_password: secret()?,
            reva_password: secret()?,
            idp_password: secret()?,
            collaboration_wopi_secret: secret()?,
            thumbnails_transfer_secret: secret()?,
            storage_users_mount_id: id(),
        })
    }
}

fn secret() -> Result<Secret> {
    let mut text = String::with_capacity(LENGTH);
    let mut bytes = [0_u8; 2 * LENGTH];
    while text.len() < LENGTH {
        getrandom::fill(&mut bytes).map_err(|error| {
            Error::internal(format!("the system gives no random numbers: {error}"))
        })?;
        let letters = bytes.iter().filter_map(|byte| letter(*byte));
        text.extend(letters.take(LENGTH - text.len()));
    }
    Ok(Secret::new(text))
}

/// A letter, each with the same chance; none for the bytes that would favour some of them.
fn letter(byte: u8) -> Option<char> {
    let count = ALPHABET.len() as u8;
    let fair = u8::MAX - u8::MAX % count;
    (byte < fair)
        .then(|| ALPHABET.get(usize::from(byte % count)).map(|letter| char::from(*letter)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_random_and_of_the_alphabet() {
        let (one, two) = (secret().unwrap(), secret().unwrap());
        assert_ne!(one, two);
        for secret in [one, two] {
            assert_eq!(secret.expose().len(), 32);
            let fits = |c: char| c.is_ascii_alphanumeric() || "-=+!@#$%^&*.".contains(c);
            assert!(secret.expose().chars().all(fits));
        }
        let letters: std::collections::BTreeSet<_> = (0..=255).filter_map(letter).collect();
        assert_eq!(letters.len(), 74);
    }
}
