//! What did accounts choose?

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::port::declare::port;
use crate::setting::{Bundle, SettingValue};

/// Which values to list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListValues {
    /// Whose; values that hold for all are listed with them.
    pub account: UserId,
    /// Only of this bundle.
    pub bundle: Option<String>,
}

/// One value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FindValue {
    /// Whose.
    pub account: UserId,
    /// The setting, such as [`crate::setting::LANGUAGE`].
    pub setting: String,
}

port! {
    /// The settings of accounts. Everybody reads and changes the own ones; for others
    /// [`crate::ErrorKind::PermissionDenied`]. Changes are durable when they are answered.
    pub trait Settings = "settings" {
        /// What an account chose; nothing for a setting that stands at its default.
        async fn values(ListValues) -> Vec<SettingValue>;
        /// What an account chose for one setting.
        async fn find(FindValue) -> Option<SettingValue>;
        /// The value of this id; [`crate::ErrorKind::NotFound`] when there is none or it is somebody
        /// else's.
        async fn value(String) -> SettingValue;
        /// Saves what an account chose, in place of what it had chosen for the setting.
        /// [`crate::ErrorKind::NotFound`] when there is no such setting in the bundle,
        /// [`crate::ErrorKind::InvalidArgument`] when it cannot have this value.
        async fn save(SettingValue) -> SettingValue;
        /// Forgets what an account chose. For parts of this server only.
        async fn forget(UserId) -> ();
        /// The bundles of settings: the profile, and what was added to it.
        async fn bundles(()) -> Vec<Bundle>;
        /// Adds a bundle, or replaces one that was added. Needs `Settings.ReadWrite`; nobody replaces
        /// the profile or a role ([`crate::ErrorKind::PermissionDenied`]).
        async fn save_bundle(Bundle) -> Bundle;
    }
}
