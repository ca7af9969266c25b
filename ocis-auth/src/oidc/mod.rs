//! OpenID Connect. [`issuer`] is the provider: it signs people in and issues tokens. [`verify`] is the
//! side that accepts the tokens of a provider, and [`bearer`] the port
//! [`ocis_core::port::Authenticate`] on top of it.

pub mod bearer;
pub mod issuer;
pub mod verify;
