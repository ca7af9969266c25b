//! Who is calling: directories of accounts and groups, and what proves an account.
//!
//! [`directory::Directory`] owns the accounts and groups on disk and offers them as the ports
//! [`ocis_core::port::Users`] and [`ocis_core::port::Groups`]; [`ldap::Ldap`] is all of this over an
//! LDAP server. Each kind of credentials is an implementation of the port
//! [`ocis_core::port::Authenticate`] of its own: [`basic::Basic`] for user names with passwords,
//! which remembers what it verified and asks the directory through the trait
//! [`passwords::Passwords`]; [`app_token::AppTokens`] for passwords of programs;
//! [`signed_url::SignedUrls`] for links that carry their own proof; [`machine::Machine`] and
//! [`service::ServiceAccounts`] for parts of the server. Failures count on one
//! [`throttle::Throttle`]. [`hash`] is argon2id, bounded in parallel. [`oidc`] is OpenID Connect,
//! both as provider and as the side that accepts a provider's tokens. [`token`] tells other parts of
//! the server who is calling. [`roles`] and [`settings`] keep roles and settings of accounts in
//! documents.

pub mod app_token;
pub mod basic;
mod digest;
pub mod directory;
#[cfg(test)]
mod fixture;
mod flight;
pub mod hash;
mod identity;
pub mod ldap;
pub mod machine;
pub mod oidc;
pub mod passwords;
pub mod read_only;
pub mod roles;
mod rules;
pub mod service;
pub mod settings;
pub mod signed_url;
pub mod throttle;
pub mod token;
mod turns;
