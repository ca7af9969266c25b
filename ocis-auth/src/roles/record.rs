//! The document of a role assignment, and where it is kept: oCIS's format.

use ocis_core::id::UserId;
use ocis_core::port::RoleAssignment;
use ocis_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// The metadata space of oCIS's settings service.
pub const SETTINGS_SPACE: &str = "f1bdd61a-da7c-49fc-8203-0558109d1b4f";

/// The folder of all accounts.
pub(super) const ACCOUNTS: &str = "settings/accounts";

/// The folder of an account.
pub(super) fn folder(user: &UserId) -> String {
    format!("{ACCOUNTS}/{user}")
}

/// The document of an assignment.
pub(super) fn path(user: &UserId, id: &str) -> String {
    format!("{ACCOUNTS}/{user}/{id}")
}

/// The document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    pub(super) id: String,
    account_uuid: String,
    pub(super) role_id: String,
}

impl Record {
    pub(super) fn of(assignment: &RoleAssignment) -> Self {
        Self {
            id: assignment.id.clone(),
            account_uuid: assignment.user.to_string(),
            role_id: assignment.role.id().to_owned(),
        }
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes)
            .map_err(|error| Error::internal("a role assignment is damaged").because(error))
    }

    pub(super) fn written(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|error| Error::internal("a role cannot be written").because(error))
    }
}
