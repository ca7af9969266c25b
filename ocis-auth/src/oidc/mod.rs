//! OpenID Connect. [`issuer`] is the provider: it signs people in and issues tokens.

pub mod issuer;
