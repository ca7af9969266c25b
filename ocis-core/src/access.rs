//! Who may do what: one pure function, asked by the storage on every operation, whichever protocol
//! the request came in by.

use serde::{Deserialize, Serialize};

use crate::cx::{Caller, Identity};
use crate::error::{Error, Result};
use crate::id::{GroupId, ResourceId, UserId};
use crate::permissions::Permissions;
use crate::role::{Constraint, RolePermission};
use crate::time::Timestamp;

/// To whom a grant is given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Grantee {
    /// One account.
    User(UserId),
    /// Everybody in a group.
    Group(GroupId),
}

/// A grant on a node, valid for everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// To whom.
    pub grantee: Grantee,
    /// What; the empty set denies everything.
    pub permissions: Permissions,
    /// Until when; none means for ever.
    pub expires: Option<Timestamp>,
    /// Who gave it, where that is known.
    pub creator: Option<UserId>,
}

/// A node on the way from the root of a space down to the node that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Level<'a> {
    /// Its id.
    pub id: &'a ResourceId,
    /// The grants on it.
    pub grants: &'a [Grant],
}

/// The permissions of `caller` on a node of a space that `owner` owns, given the grants on the node
/// and on its ancestors (`path`: from the root of the space down to the node).
///
/// The owner of a space and the server itself may do everything. Otherwise permissions add up along
/// the path; an expired grant gives nothing; a denial on any level takes everything from there on.
/// Nobody gets more than the scope of the credentials holds.
pub fn permissions<'a>(
    caller: &Caller,
    owner: Option<&UserId>,
    path: impl IntoIterator<Item = Level<'a>, IntoIter: Clone>,
    now: Timestamp,
) -> Permissions {
    let identity = match caller {
        Caller::Service(_) => return Permissions::MANAGER,
        Caller::Anonymous => return Permissions::NONE,
        Caller::User(identity) => identity,
    };
    let path = path.into_iter();
    let most = identity.scope.most(path.clone().map(|level| level.id));
    if owner == Some(&identity.id) {
        return most;
    }
    granted(identity, path, now) & most
}

fn granted<'a>(
    identity: &Identity,
    path: impl Iterator<Item = Level<'a>>,
    now: Timestamp,
) -> Permissions {
    let mut set = Permissions::NONE;
    for level in path {
        for grant in level.grants {
            let meant = match &grant.grantee {
                Grantee::User(user) => *user == identity.id,
                Grantee::Group(group) => identity.groups.contains(group),
            };
            if !meant || grant.expires.is_some_and(|end| end <= now) {
                continue;
            }
            if grant.permissions == Permissions::NONE {
                return Permissions::NONE;
            }
            set = set | grant.permissions;
        }
    }
    set
}

/// What an account may do with spaces because of its role, whoever's the spaces are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpaceRight {
    /// Make project spaces (`Drives.Create`).
    Create,
    /// See all of them (`Drives.List`).
    List,
    /// Change names, aliases, descriptions and pictures (`Drives.ReadWrite`).
    Change,
    /// Put project spaces out of use and take them into use again (`Drives.ReadWriteEnabled`).
    Disable,
    /// Remove disabled project spaces (`Drives.DeleteProject`).
    PurgeProject,
    /// Put personal spaces out of use and remove them (`Drives.DeletePersonal`).
    DeletePersonal,
    /// Set the quota of project spaces (`Drives.ReadWriteProjectQuota`).
    ProjectQuota,
    /// Set the quota of personal spaces (`Drives.ReadWritePersonalQuota`).
    PersonalQuota,
}

/// Whether the role of `caller` gives `right`. The server itself has all of them; credentials that
/// are good for one node only give none.
pub fn has_right(caller: &Caller, right: SpaceRight) -> bool {
    let permission = match right {
        SpaceRight::Create => &RolePermission::DRIVES_CREATE,
        SpaceRight::List => &RolePermission::DRIVES_LIST,
        SpaceRight::Change => &RolePermission::DRIVES_READ_WRITE,
        SpaceRight::Disable => &RolePermission::DRIVES_READ_WRITE_ENABLED,
        SpaceRight::PurgeProject => &RolePermission::DRIVES_DELETE_PROJECT,
        SpaceRight::DeletePersonal => &RolePermission::DRIVES_DELETE_PERSONAL,
        SpaceRight::ProjectQuota => &RolePermission::DRIVES_READ_WRITE_PROJECT_QUOTA,
        SpaceRight::PersonalQuota => &RolePermission::DRIVES_READ_WRITE_PERSONAL_QUOTA,
    };
    caller.reach(permission) == Some(Constraint::All)
}

/// Refuses unless `have` contains `need`. Who may not even see the node is told that there is
/// none ([`crate::ErrorKind::NotFound`]); others get [`crate::ErrorKind::PermissionDenied`].
#[track_caller]
pub fn require(have: Permissions, need: Permissions) -> Result<()> {
    if is_allowed(have, need | Permissions::STAT) {
        Ok(())
    } else if have.allows(Permissions::STAT) {
        Err(Error::denied("you have no permission to do this"))
    } else {
        Err(Error::not_found("no such file or folder"))
    }
}

/// Whether `have` contains `need`, for those who do something else when it does not.
#[track_caller]
pub fn is_allowed(have: Permissions, need: Permissions) -> bool {
    #[cfg(feature = "conformance")]
    if crate::conformance::switch::leaves_out(std::panic::Location::caller()) {
        return true;
    }
    have.allows(need)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Scope;
    use crate::user::UserRole;

    fn caller(id: &str) -> Caller {
        scoped(id, Scope::Everything)
    }

    fn scoped(id: &str, scope: Scope) -> Caller {
        Caller::User(std::sync::Arc::new(Identity {
            id: UserId::parse(id).unwrap(),
            idp: "idp".into(),
            username: id.into(),
            display_name: id.into(),
            mail: String::new(),
            groups: vec![GroupId::parse("g").unwrap()],
            role: UserRole::User,
            scope,
        }))
    }

    fn node(id: &str) -> ResourceId {
        format!("storage$space!{id}").parse().unwrap()
    }

    fn levels<'a>(ids: &'a [ResourceId], path: &'a [Vec<Grant>]) -> Vec<Level<'a>> {
        ids.iter().zip(path).map(|(id, grants)| Level { id, grants }).collect()
    }

    fn grant(grantee: Grantee, permissions: Permissions, expires: Option<i64>) -> Grant {
        let expires = expires.map(|seconds| Timestamp::from_unix(seconds, 0).unwrap());
        Grant { grantee, permissions, expires, creator: None }
    }

    #[test]
    fn owner_grants_expiry_and_denial() {
        let now = Timestamp::from_unix(100, 0).unwrap();
        let owner = UserId::parse("owner").unwrap();
        let user = Grantee::User(UserId::parse("u").unwrap());
        let group = Grantee::Group(GroupId::parse("g").unwrap());
        let ids = [node("space"), node("a")];
        let of = |who: &str, path: &[Vec<Grant>]| {
            permissions(&caller(who), Some(&owner), levels(&ids, path), now)
        };
        assert_eq!(of("owner", &[]), Permissions::MANAGER);
        assert_eq!(of("u", &[]), Permissions::NONE);
        let stat = vec![grant(group, Permissions::STAT, None)];
        let read = vec![grant(user.clone(), Permissions::DOWNLOAD, Some(101))];
        assert_eq!(of("u", &[stat.clone(), read]), Permissions::STAT | Permissions::DOWNLOAD);
        let expired = vec![grant(user.clone(), Permissions::DOWNLOAD, Some(100))];
        assert_eq!(of("u", &[stat.clone(), expired]), Permissions::STAT);
        let denied = vec![grant(user, Permissions::NONE, None)];
        assert_eq!(of("u", &[stat, denied]), Permissions::NONE);
        assert_eq!(permissions(&Caller::Anonymous, Some(&owner), [], now), Permissions::NONE);
    }

    #[test]
    fn a_scope_holds_back_what_the_account_may() {
        let now = Timestamp::from_unix(100, 0).unwrap();
        let owner = UserId::parse("owner").unwrap();
        let ids = [node("space"), node("folder"), node("file")];
        let read = Permissions::STAT | Permissions::DOWNLOAD;
        let scope = Scope::Below { node: node("folder"), permissions: read };
        let all = [vec![], vec![], vec![]];
        let at = |who: &Caller, depth: usize| {
            permissions(who, Some(&owner), levels(&ids[..depth], &all), now)
        };
        let link = scoped("owner", scope.clone());
        assert_eq!([at(&link, 1), at(&link, 2), at(&link, 3)], [Permissions::NONE, read, read]);
        assert_eq!(at(&caller("owner"), 1), Permissions::MANAGER);

        let mut admin = scoped("u", scope);
        if let Caller::User(identity) = &mut admin {
            std::sync::Arc::make_mut(identity).role = UserRole::Admin;
        }
        let user = Grantee::User(UserId::parse("u").unwrap());
        let granted = [vec![grant(user, Permissions::STAT | Permissions::UPLOAD, None)], vec![]];
        let have = permissions(&admin, Some(&owner), levels(&ids[..2], &granted), now);
        assert_eq!(have, Permissions::STAT);
        assert!(!has_right(&admin, SpaceRight::List));
        let permission = &crate::role::RolePermission::ACCOUNTS_READ_WRITE;
        assert_eq!(admin.reach(permission), None);
    }

    #[test]
    fn who_may_not_see_a_node_is_told_that_there_is_none() {
        use crate::error::ErrorKind;
        let kind = |have| require(have, Permissions::DELETE).unwrap_err().kind();
        assert_eq!(kind(Permissions::NONE), ErrorKind::NotFound);
        assert_eq!(kind(Permissions::STAT), ErrorKind::PermissionDenied);
    }
}
