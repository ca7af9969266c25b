//! Settings of accounts, and the bundles that say which there are: the vocabulary of oCIS's
//! settings service.
//!
//! What accounts chose is stored as it goes over the wire: oCIS writes the JSON of its protocol
//! buffers into documents. So these types read and write that form: what is empty is left out, names
//! are read in both spellings (`accountUuid`, `account_uuid`), and 64-bit numbers may be strings.

mod bundle;
mod profile;
mod value;

pub use bundle::{Bundle, BundleKind, Resource, ResourceKind, Setting};
pub use profile::{
    AUTO_ACCEPT_SHARES, DISABLE_EMAIL_NOTIFICATIONS, EMAIL_SENDING_INTERVAL, LANGUAGE, PROFILE,
};
pub use value::{Choice, Choices, Int, SettingValue};
