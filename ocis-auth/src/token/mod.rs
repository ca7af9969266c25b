//! The caller's token: who calls, signed for the other parts of this server.
//!
//! It is the one that oCIS's services hand to each other (header `x-access-token`): a JWT, HS256
//! with `jwt_secret`, with the claims of reva's token manager, so that tools that read it go on
//! working. [`mint`] makes it, [`verify`] reads it back into an [`ocis_core::Identity`]. It lives
//! minutes, not the day that it lives in oCIS: it is made for one call.

mod claims;
pub mod mint;
pub mod scope;
#[cfg(test)]
mod tests;
pub mod verify;

pub use mint::Minter;
pub use verify::TokenVerifier;

/// The audience of every such token, as in reva.
const AUDIENCE: &str = "reva";
