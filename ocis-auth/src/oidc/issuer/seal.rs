//! What this provider hands out and must recognise later, without keeping a copy that could be
//! stolen: a value with a keyed tag.
//!
//! Codes, refresh tokens, session cookies and tokens against cross-site requests are
//! `<what>.<tag>`. What they stand for lies in the store; the key of the tags lies in another file
//! (`IDP_ENCRYPTION_SECRET_FILE`), so that neither of the two is enough to make one.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ocis_core::{Error, Result};

/// How many bytes the secret has, as oCIS makes it.
pub(super) const SECRET_BYTES: usize = 32;

/// What a tag is for. One made for one thing never counts for another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// The session cookie.
    Session,
    /// An authorization code.
    Code,
    /// A refresh token.
    Refresh,
    /// A form of ours.
    Form,
    /// What a browser shares with check-session pages.
    BrowserState,
    /// The secret of a client that registered itself.
    ClientSecret,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Session => b"session",
            Self::Code => b"code",
            Self::Refresh => b"refresh",
            Self::Form => b"form",
            Self::BrowserState => b"browser-state",
            Self::ClientSecret => b"client-secret",
        }
    }
}

/// Makes and checks tags.
pub(super) struct Seal(hmac::Key);

impl Seal {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    fn sign(&self, purpose: Purpose, parts: &[&str]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.label());
        for part in parts {
            // The length keeps `a` + `bc` and `ab` + `c` apart.
            context.update(&part.len().to_le_bytes());
            context.update(part.as_bytes());
        }
        context.sign()
    }

    /// The tag of `parts`, as text that needs no escaping anywhere.
    pub(super) fn tag(&self, purpose: Purpose, parts: &[&str]) -> String {
        URL_SAFE_NO_PAD.encode(self.sign(purpose, parts).as_ref())
    }

    /// Whether `tag` is that of `parts`; takes the same time either way.
    pub(super) fn fits(&self, purpose: Purpose, parts: &[&str], tag: &str) -> bool {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(tag) else { return false };
        let right = self.sign(purpose, parts);
        aws_lc_rs::constant_time::verify_slices_are_equal(right.as_ref(), &tag).is_ok()
    }

    /// `<id>.<tag>`.
    pub(super) fn seal(&self, purpose: Purpose, id: &str) -> String {
        format!("{id}.{}", self.tag(purpose, &[id]))
    }

    /// The id in `<id>.<tag>`, if the tag is right.
    pub(super) fn open<'a>(&self, purpose: Purpose, sealed: &'a str) -> Option<&'a str> {
        let (id, tag) = sealed.rsplit_once('.')?;
        self.fits(purpose, &[id], tag).then_some(id)
    }
}

/// A new id of 128 random bits.
pub(super) fn random() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal("the system gives no random numbers").because(error))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_counts_for_one_thing_only() {
        let seal = Seal::new(&[7; SECRET_BYTES]);
        let sealed = seal.seal(Purpose::Code, "abc");
        assert_eq!(seal.open(Purpose::Code, &sealed), Some("abc"));
        assert_eq!(seal.open(Purpose::Session, &sealed), None);
        assert_eq!(seal.open(Purpose::Code, &sealed.replace("abc", "abd")), None);
        assert_eq!(seal.open(Purpose::Code, "abc"), None);
        assert_eq!(Seal::new(&[8; SECRET_BYTES]).open(Purpose::Code, &sealed), None);
        let tag = seal.tag(Purpose::Form, &["a", "bc"]);
        assert!(seal.fits(Purpose::Form, &["a", "bc"], &tag));
        assert!(!seal.fits(Purpose::Form, &["ab", "c"], &tag));
    }
}
