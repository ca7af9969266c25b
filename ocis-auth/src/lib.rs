//! Who is calling: directories of accounts and groups, and what proves an account.
//!
//! [`directory::Directory`] owns the accounts and groups on disk and offers them as the ports
//! [`ocis_core::port::Users`] and [`ocis_core::port::Groups`]. [`basic::Basic`] is the port
//! [`ocis_core::port::Authenticate`] for user names with passwords: it remembers what it verified,
//! slows down who guesses, and asks the directory through the trait [`passwords::Passwords`].
//! [`ldap::Ldap`] is all of this over an LDAP server. [`hash`] is argon2id, bounded in parallel.
//! [`oidc`] is OpenID Connect, both as provider and as the side that accepts a provider's tokens.
//! [`token`] tells other parts of the server who is calling. [`roles`]
//! and [`settings`] keep roles and settings of accounts in documents.

pub mod basic;
mod digest;
pub mod directory;
mod flight;
pub mod hash;
pub mod ldap;
pub mod oidc;
pub mod passwords;
pub mod read_only;
pub mod roles;
mod rules;
pub mod settings;
pub mod throttle;
pub mod token;
