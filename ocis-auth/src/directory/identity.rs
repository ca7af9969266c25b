//! How oCIS writes in LDAP that another issuer knows an account: `kind $ issuer $ id`, where the
//! kind is usually empty (attribute `oCExternalIdentity`).

use std::fmt;

use ocis_core::user::ExternalIdentity;

/// Reads the text; none when it is of another form.
pub(super) fn external_identity(text: &str) -> Option<ExternalIdentity> {
    let mut parts = text.splitn(3, '$').map(str::trim).skip(1);
    let (issuer, id) = (parts.next()?, parts.next()?);
    let whole = !issuer.is_empty() && !id.is_empty();
    whole.then(|| ExternalIdentity { issuer: issuer.to_owned(), id: id.to_owned() })
}

/// An identity as it is written.
pub(super) struct Written<'a>(pub(super) &'a ExternalIdentity);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$ {} $ {}", self.0.issuer, self.0.id)
    }
}
