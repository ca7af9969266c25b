//! Tickets: the right to read or write one content over the data plane, signed and short-lived.
//!
//! A ticket is what its maker wants to know again when it comes back, so nothing has to be
//! remembered in between and any process with the same secret can honour it. Its text is
//! base64url of `MessagePack(expiry, claims) || HMAC-SHA256`. Each purpose and each storage signs
//! with a key of its own, derived from the transfer secret: a ticket for reading is not one for
//! writing, and a storage refuses the tickets of another one that shares the secret.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ocis_core::id::{BlobId, SpaceId, StorageId};
use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How long a ticket is good when the settings say nothing else, as in oCIS
/// (`STORAGE_USERS_TRANSFER_EXPIRES`, 86,400 seconds).
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(86_400);

const TAG_BYTES: usize = 32;

/// What a ticket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To read a content: [`ReadClaims`].
    Read,
    /// To write one: [`crate::upload::WriteClaims`].
    Write,
    /// To add bytes to an upload session: [`crate::session::SessionClaims`].
    Session,
}

/// The content that a ticket for reading stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadClaims {
    /// The space that holds it.
    pub space: SpaceId,
    /// The content; none for a file that was made empty.
    pub blob: Option<BlobId>,
    /// Its length in bytes.
    pub size: u64,
}

/// Signs and verifies the tickets of one storage.
#[derive(Clone)]
pub struct Tickets {
    read: hmac::Key,
    write: hmac::Key,
    session: hmac::Key,
    lifetime: Duration,
}

impl Tickets {
    /// Tickets of `storage`, signed with the transfer secret, good for `lifetime`.
    ///
    /// `InvalidArgument` when the secret is empty: anybody could sign then.
    pub fn new(secret: &[u8], storage: &StorageId, lifetime: Duration) -> Result<Self> {
        if secret.is_empty() {
            return Err(Error::invalid("the transfer secret is empty"));
        }
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derive = |purpose: &str| {
            let tag = hmac::sign(&secret, format!("{purpose} {storage}").as_bytes());
            hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref())
        };
        let [read, write, session] = ["read", "write", "session"].map(derive);
        Ok(Self { read, write, session, lifetime })
    }

    /// A ticket with `claims`, good from `now` for the configured time.
    pub fn sign(
        &self,
        purpose: Purpose,
        claims: &impl Serialize,
        now: Timestamp,
    ) -> Result<String> {
        let expires = now.plus(self.lifetime).unix_seconds();
        let mut ticket = Vec::with_capacity(192);
        (expires, claims)
            .serialize(&mut rmp_serde::Serializer::new(&mut ticket))
            .map_err(|error| Error::internal("a ticket could not be made").because(error))?;
        let tag = hmac::sign(self.key(purpose), &ticket);
        ticket.extend_from_slice(tag.as_ref());
        Ok(URL_SAFE_NO_PAD.encode(&ticket))
    }

    /// What the ticket claims; `PermissionDenied` when it was not signed here for this purpose, was
    /// changed, or has expired. The time taken tells nothing about the signature.
    pub fn verify<T: DeserializeOwned>(
        &self,
        purpose: Purpose,
        ticket: &str,
        now: Timestamp,
    ) -> Result<T> {
        let forged = || Error::denied("the ticket is not valid");
        let bytes = URL_SAFE_NO_PAD.decode(ticket).map_err(|_| forged())?;
        let length = bytes.len().checked_sub(TAG_BYTES).ok_or_else(forged)?;
        let (payload, tag) = bytes.split_at_checked(length).ok_or_else(forged)?;
        hmac::verify(self.key(purpose), payload, tag).map_err(|_| forged())?;
        // Signed by us, so it can only be unreadable when another version made it.
        let (expires, claims): (i64, T) =
            rmp_serde::from_slice(payload).map_err(|error| forged().because(error))?;
        if now.unix_seconds() >= expires {
            return Err(Error::denied("the ticket has expired"));
        }
        Ok(claims)
    }

    fn key(&self, purpose: Purpose) -> &hmac::Key {
        match purpose {
            Purpose::Read => &self.read,
            Purpose::Write => &self.write,
            Purpose::Session => &self.session,
        }
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use ocis_core::ErrorKind;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds, 0).unwrap()
    }

    fn tickets(secret: &str, storage: &str) -> Tickets {
        let storage = StorageId::parse(storage).unwrap();
        Tickets::new(secret.as_bytes(), &storage, Duration::from_secs(60)).unwrap()
    }

    fn claims() -> ReadClaims {
        ReadClaims {
            space: SpaceId::parse("s").unwrap(),
            blob: Some(BlobId::parse("b").unwrap()),
            size: 7,
        }
    }

    fn read(tickets: &Tickets, ticket: &str, now: i64) -> Result<ReadClaims> {
        tickets.verify(Purpose::Read, ticket, at(now))
    }

    #[test]
    fn a_ticket_is_good_until_it_expires() {
        let tickets = tickets("secret", "storage");
        let ticket = tickets.sign(Purpose::Read, &claims(), at(1000)).unwrap();
        assert_eq!(read(&tickets, &ticket, 1000).unwrap(), claims());
        assert_eq!(read(&tickets, &ticket, 1059).unwrap(), claims());
        let error = read(&tickets, &ticket, 1060).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }

    #[test]
    fn foreign_and_changed_tickets_are_refused() {
        let ours = tickets("secret", "storage");
        let ticket = ours.sign(Purpose::Read, &claims(), at(0)).unwrap();
        for other in [tickets("Secret", "storage"), tickets("secret", "elsewhere")] {
            assert_eq!(read(&other, &ticket, 0).unwrap_err().kind(), ErrorKind::PermissionDenied);
        }
        assert!(ours.verify::<ReadClaims>(Purpose::Write, &ticket, at(0)).is_err());
        for index in 0..ticket.len() {
            let mut changed = ticket.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(read(&ours, &changed, 0).is_err(), "{index}");
        }
        for text in ["", "A", "é", "====", &ticket[1..], &ticket[..ticket.len() - 1]] {
            assert!(read(&ours, text, 0).is_err(), "{text}");
        }
    }

    #[test]
    fn the_secret_is_needed_and_never_printed() {
        let storage = StorageId::parse("s").unwrap();
        assert!(Tickets::new(b"", &storage, DEFAULT_LIFETIME).is_err());
        let text = format!("{:?}", tickets("hush", "s"));
        assert!(!text.contains("hush") && !text.contains("Key"), "{text}");
    }
}
