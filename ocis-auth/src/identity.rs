//! From an account to who signed in.

use std::sync::Arc;

use ocis_core::Identity;
use ocis_core::scope::Scope;
use ocis_core::user::{User, UserRole};

/// Who signed in, as an account of the issuer `idp`.
pub(crate) fn of(user: User, idp: &Arc<str>) -> Identity {
    Identity {
        id: user.id,
        idp: Arc::clone(idp),
        username: user.username,
        display_name: user.display_name,
        mail: user.mail,
        groups: user.groups,
        // Roles are asked of the port `Roles`, by who acts on them.
        role: UserRole::User,
        scope: Scope::Everything,
    }
}
