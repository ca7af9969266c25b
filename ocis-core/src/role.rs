//! What the roles of accounts allow: the table of oCIS's settings service, as data.
//!
//! These are the permissions of an account on the whole server. What somebody may do with a file
//! is decided by grants ([`crate::access`]).

use crate::cx::Caller;
use crate::error::{Error, Result};
use crate::user::UserRole;

/// On what a permission of a role reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Constraint {
    /// What is the caller's own.
    Own,
    /// Everything.
    All,
}

/// One permission: what it is, and which roles have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RolePermission {
    /// The name, such as `Accounts.ReadWrite`.
    pub name: &'static str,
    /// The id in oCIS's settings service.
    pub id: &'static str,
    /// The operation, as oCIS writes it without `OPERATION_`.
    pub operation: &'static str,
    /// The kind of resource, as oCIS writes it without `TYPE_`.
    pub resource: &'static str,
    /// The id of the resource; empty where oCIS names none.
    pub resource_id: &'static str,
    admin: Option<Constraint>,
    space_admin: Option<Constraint>,
    user: Option<Constraint>,
    user_light: Option<Constraint>,
}

impl RolePermission {
    /// How far this permission reaches for accounts with `role`; none when they have it not.
    pub fn of(&self, role: UserRole) -> Option<Constraint> {
        match role {
            UserRole::Admin => self.admin,
            UserRole::SpaceAdmin => self.space_admin,
            UserRole::User => self.user,
            UserRole::UserLight => self.user_light,
        }
    }
}

impl Caller {
    /// How far `permission` reaches for this caller. Parts of this server may do everything;
    /// credentials that are good for one node only allow nothing of what a role does.
    pub fn reach(&self, permission: &RolePermission) -> Option<Constraint> {
        match self {
            Self::Service(_) => Some(Constraint::All),
            Self::User(identity) if identity.scope.is_everything() => permission.of(identity.role),
            Self::User(_) | Self::Anonymous => None,
        }
    }

    /// [`crate::ErrorKind::PermissionDenied`] unless the caller has `permission` for everything;
    /// [`crate::ErrorKind::Unauthenticated`] for who is nobody.
    pub fn require(&self, permission: &RolePermission) -> Result<()> {
        match (self, self.reach(permission)) {
            (Self::Anonymous, _) => Err(Error::unauthenticated("you are not signed in")),
            (_, Some(Constraint::All)) => Ok(()),
            _ => Err(Error::denied(format!("this needs the permission {}", permission.name))),
        }
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $constant:ident = $permission:expr;)*) => {
        impl RolePermission {
            /// Every permission, by name.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];
            $($(#[$doc])* pub const $constant: Self = $permission;)*
        }
    };
}

const ALL: Option<Constraint> = Some(Constraint::All);
const OWN: Option<Constraint> = Some(Constraint::Own);

const fn permission(
    [name, id, operation, resource, resource_id]: [&'static str; 5],
    [admin, space_admin, user, user_light]: [Option<Constraint>; 4],
) -> RolePermission {
    RolePermission {
        name,
        id,
        operation,
        resource,
        resource_id,
        admin,
        space_admin,
        user,
        user_light,
    }
}

permissions! {
    /// `Accounts.ReadWrite`.
    ACCOUNTS_READ_WRITE = permission(
        ["Accounts.ReadWrite", "8e587774-d929-4215-910b-a317b1e80f73", "READWRITE", "USER", "all"],
        [ALL, None, None, None],
    );
    /// `AutoAcceptShares.ReadWriteDisabled`.
    AUTO_ACCEPT_SHARES_READ_WRITE_DISABLED = permission(
        ["AutoAcceptShares.ReadWriteDisabled", "4e41363c-a058-40a5-aec8-958897511209", "READWRITE", "SETTING", "ec3ed4a3-3946-4efc-8f9f-76d38b12d3a9"],
        [OWN, OWN, OWN, OWN],
    );
    /// `Drives.Create`.
    DRIVES_CREATE = permission(
        ["Drives.Create", "79e13b30-3e22-11eb-bc51-0b9f0bad9a58", "READWRITE", "SYSTEM", ""],
        [ALL, ALL, OWN, None],
    );
    /// `Drives.DeletePersonal`.
    DRIVES_DELETE_PERSONAL = permission(
        ["Drives.DeletePersonal", "5de9fe0a-4bc5-4a47-b758-28f370caf169", "DELETE", "SYSTEM", ""],
        [ALL, None, None, None],
    );
    /// `Drives.DeleteProject`.
    DRIVES_DELETE_PROJECT = permission(
        ["Drives.DeleteProject", "fb60b004-c1fa-4f09-bf87-55ce7d46ac61", "DELETE", "SYSTEM", ""],
        [ALL, ALL, None, None],
    );
    /// `Drives.List`.
    DRIVES_LIST = permission(
        ["Drives.List", "016f6ddd-9501-4a0a-8ebe-64a20ee8ec82", "READ", "SYSTEM", ""],
        [ALL, ALL, None, None],
    );
    /// `Drives.ReadWrite`.
    DRIVES_READ_WRITE = permission(
        ["Drives.ReadWrite", "b44b4054-31a2-42b8-bb71-968b15cfbd4f", "READWRITE", "SYSTEM", ""],
        [ALL, ALL, None, None],
    );
    /// `Drives.ReadWriteEnabled`.
    DRIVES_READ_WRITE_ENABLED = permission(
        ["Drives.ReadWriteEnabled", "cf3faa8c-50d9-4f84-9650-ff9faf21aa9d", "READWRITE", "SYSTEM", ""],
        [ALL, ALL, None, None],
    );
    /// `Drives.ReadWritePersonalQuota`.
    DRIVES_READ_WRITE_PERSONAL_QUOTA = permission(
        ["Drives.ReadWritePersonalQuota", "4e6f9709-f9e7-44f1-95d4-b762d27b7896", "READWRITE", "SYSTEM", ""],
        [ALL, None, None, None],
    );
    /// `Drives.ReadWriteProjectQuota`.
    DRIVES_READ_WRITE_PROJECT_QUOTA = permission(
        ["Drives.ReadWriteProjectQuota", "977f0ae6-0da2-4856-93f3-22e0a8482489", "READWRITE", "SYSTEM", ""],
        [ALL, ALL, None, None],
    );
    /// `EmailNotifications.ReadWriteDisabled`.
    EMAIL_NOTIFICATIONS_READ_WRITE_DISABLED = permission(
        ["EmailNotifications.ReadWriteDisabled", "ad5bb5e5-dc13-4cd3-9304-09a424564ea8", "READWRITE", "SETTING", "33ffb5d6-cd07-4dc0-afb0-84f7559ae438"],
        [OWN, OWN, OWN, OWN],
    );
    /// `EmailSendingInterval.ReadWrite`.
    EMAIL_SENDING_INTERVAL_READ_WRITE = permission(
        ["EmailSendingInterval.ReadWrite", "7dc204ee-799a-43b6-b85d-425fb3b1fa5a", "READWRITE", "SETTING", "08dec2fe-3f97-42a9-9d1b-500855e92f25"],
        [OWN, OWN, OWN, OWN],
    );
    /// `Event.PostprocessingStepFinished.ReadWrite`.
    EVENT_POSTPROCESSING_STEP_FINISHED_READ_WRITE = permission(
        ["Event.PostprocessingStepFinished.ReadWrite", "27ba8e97-0bdf-4b18-97d4-df44c9568cda", "READWRITE", "SETTING", "fe0a3011-d886-49c8-b797-33d02fa426ef"],
        [OWN, OWN, OWN, None],
    );
    /// `Event.ShareCreated.ReadWrite`.
    EVENT_SHARE_CREATED_READ_WRITE = permission(
        ["Event.ShareCreated.ReadWrite", "8a50540c-1cdd-481f-b85f-44654393c8f0", "READWRITE", "SETTING", "872d8ef6-6f2a-42ab-af7d-f53cc81d7046"],
        [OWN, OWN, OWN, None],
    );
    /// `Event.ShareExpired.ReadWrite`.
    EVENT_SHARE_EXPIRED_READ_WRITE = permission(
        ["Event.ShareExpired.ReadWrite", "7d4f961b-d471-451b-b1fd-ac6a9d59ce88", "READWRITE", "SETTING", "e1aa0b7c-1b0f-4072-9325-c643c89fee4e"],
        [OWN, OWN, OWN, None],
    );
    /// `Event.ShareRemoved.ReadWrite`.
    EVENT_SHARE_REMOVED_READ_WRITE = permission(
        ["Event.ShareRemoved.ReadWrite", "5ef55465-8e39-4a6c-ba97-1d19f5b07116", "READWRITE", "SETTING", "d7484394-8321-4c84-9677-741ba71e1f80"],
        [OWN, OWN, OWN, None],
    );
    /// `Event.SpaceDeleted.ReadWrite`.
    EVENT_SPACE_DELETED_READ_WRITE = permission(
        ["Event.SpaceDeleted.ReadWrite", "2083c280-b140-4b73-a931-9a4af2931531", "READWRITE", "SETTING", "094ceca9-5a00-40ba-bb1a-bbc7bccd39ee"],
        [OWN, OWN, OWN, None],
    );
    /// `Event.SpaceDisabled.ReadWrite`.
    EVENT_SPACE_DISABLED_READ_WRITE = permission(
        ["Event.SpaceDisabled.ReadWrite", "896194c2-5055-4ea3-94a3-0a1419187a00", "READWRITE", "SETTING", "eb5c716e-03be-42c6-9ed1-1105d24e109f"],
        [OWN, OWN, OWN, None],
    );
    /// `Event.SpaceMembershipExpired.ReadWrite`.
    EVENT_SPACE_MEMBERSHIP_EXPIRED_READ_WRITE = permission(
        ["Event.SpaceMembershipExpired.ReadWrite", "a3cc45bf-9720-4e08-b403-b9133fe33f0b", "READWRITE", "SETTING", "7275921e-b737-4074-ba91-3c2983be3edd"],
        [OWN, OWN, OWN, None],
    );
    /// `Event.SpaceShared.ReadWrite`.
    EVENT_SPACE_SHARED_READ_WRITE = permission(
        ["Event.SpaceShared.ReadWrite", "feb16d2c-614c-4f79-ac37-755a028f5616", "READWRITE", "SETTING", "694d5ee1-a41c-448c-8d14-396b95d2a918"],
        [OWN, OWN, OWN, None],
    );
    /// `Event.SpaceUnshared.ReadWrite`.
    EVENT_SPACE_UNSHARED_READ_WRITE = permission(
        ["Event.SpaceUnshared.ReadWrite", "4f979732-631b-4f27-9be7-a89fb223a6d2", "READWRITE", "SETTING", "26c20e0e-98df-4483-8a77-759b3a766af0"],
        [OWN, OWN, OWN, None],
    );
    /// `Favorites.List`.
    FAVORITES_LIST = permission(
        ["Favorites.List", "4ebaa725-bfaa-43c5-9817-78bc9994bde4", "READ", "SYSTEM", ""],
        [OWN, OWN, OWN, None],
    );
    /// `Favorites.Write`.
    FAVORITES_WRITE = permission(
        ["Favorites.Write", "a54778fd-1c45-47f0-892d-655caf5236f2", "WRITE", "FILE", ""],
        [OWN, OWN, OWN, None],
    );
    /// `Groups.ReadWrite`.
    GROUPS_READ_WRITE = permission(
        ["Groups.ReadWrite", "522adfbe-5908-45b4-b135-41979de73245", "READWRITE", "GROUP", "all"],
        [ALL, None, None, None],
    );
    /// `Language.ReadWrite`.
    LANGUAGE_READ_WRITE = permission(
        ["Language.ReadWrite", "7d81f103-0488-4853-bce5-98dcce36d649", "READWRITE", "SETTING", "aa8cfbe5-95d4-4f7e-a032-c3c01f5f062f"],
        [ALL, OWN, OWN, OWN],
    );
    /// `Logo.Write`.
    LOGO_WRITE = permission(
        ["Logo.Write", "ed83fc10-1f54-4a9e-b5a7-fb517f5f3e01", "READWRITE", "SYSTEM", ""],
        [ALL, None, None, None],
    );
    /// `PublicLink.Write`.
    PUBLIC_LINK_WRITE = permission(
        ["PublicLink.Write", "11516bbd-7157-49e1-b6ac-d00c820f980b", "WRITE", "SHARE", ""],
        [ALL, ALL, ALL, None],
    );
    /// `ReadOnlyPublicLinkPassword.Delete`.
    READ_ONLY_PUBLIC_LINK_PASSWORD_DELETE = permission(
        ["ReadOnlyPublicLinkPassword.Delete", "e9a697c5-c67b-40fc-982b-bcf628e9916d", "WRITE", "SHARE", ""],
        [ALL, ALL, None, None],
    );
    /// `Roles.ReadWrite`.
    ROLES_READ_WRITE = permission(
        ["Roles.ReadWrite", "a53e601e-571f-4f86-8fec-d4576ef49c62", "READWRITE", "USER", "all"],
        [ALL, None, None, None],
    );
    /// `Self.ReadWrite`.
    SELF_READ_WRITE = permission(
        ["Self.ReadWrite", "e03070e9-4362-4cc6-a872-1c7cb2eb2b8e", "READWRITE", "USER", "me"],
        [None, OWN, OWN, None],
    );
    /// `Settings.ReadWrite`.
    SETTINGS_READ_WRITE = permission(
        ["Settings.ReadWrite", "3d58f441-4a05-42f8-9411-ef5874528ae1", "READWRITE", "USER", "all"],
        [ALL, None, None, None],
    );
    /// `Shares.Write`.
    SHARES_WRITE = permission(
        ["Shares.Write", "069c08b1-e31f-4799-9ed6-194b310e7244", "WRITE", "SHARE", ""],
        [ALL, ALL, ALL, None],
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_are_unique_and_sorted() {
        let all = RolePermission::ALL;
        assert!(all.windows(2).all(|pair| pair[0].name < pair[1].name));
        for (index, one) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other.id != one.id), "{}", one.name);
        }
    }

    #[test]
    fn who_may_manage_accounts() {
        let reach = |role| RolePermission::ACCOUNTS_READ_WRITE.of(role);
        assert_eq!(reach(UserRole::Admin), Some(Constraint::All));
        assert_eq!(reach(UserRole::SpaceAdmin), None);
        assert_eq!(RolePermission::SELF_READ_WRITE.of(UserRole::User), Some(Constraint::Own));
        assert_eq!(RolePermission::SELF_READ_WRITE.of(UserRole::UserLight), None);
        assert!(Caller::Anonymous.require(&RolePermission::ACCOUNTS_READ_WRITE).is_err());
        assert!(Caller::Service("x".into()).require(&RolePermission::ACCOUNTS_READ_WRITE).is_ok());
    }
}
