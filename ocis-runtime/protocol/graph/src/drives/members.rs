//! Who may do what in a space, as `permissions` of its root.

use std::collections::HashMap;

use ocis_core::access::{Grant, Grantee};
use ocis_core::permissions::Permissions;
use ocis_core::port::{FindUser, GetGroup, ListGrants};
use ocis_core::reference::Reference;
use ocis_core::space::Space;
use ocis_core::{Caller, Cx, ErrorKind, Result};
use serde::Serialize;

use super::Version;
use crate::account::type_name;
use crate::route::Call;

/// What one member may do. Fields are in the order of their names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Permission {
    /// In place of a role, where the permissions are those of none.
    #[serde(rename = "@libre.graph.permissions.actions", skip_serializing_if = "Vec::is_empty")]
    actions: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    granted_to_identities: Option<[Member; 1]>,
    granted_to_v2: Member,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
enum Member {
    User(Name),
    Group(Name),
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    #[serde(rename = "@libre.graph.userType", skip_serializing_if = "Option::is_none")]
    user_type: Option<&'static str>,
    /// Empty where the account or group is gone.
    display_name: String,
    id: String,
}

/// A role of members of spaces: its id, its name in `v1.0`, and what it allows.
struct Role {
    id: &'static str,
    name: &'static str,
    allows: fn(Permissions) -> bool,
}

/// The letters of oCIS's space roles on disk (`reference/roles.md` section 3).
const ROLES: [Role; 3] = [
    Role {
        id: "a8d5fe5e-96e3-418d-825b-534dbdf22b99",
        name: "viewer",
        allows: |given| given == Permissions::from_letters("txrcuq"),
    },
    Role {
        id: "58c63c02-1d89-4572-916a-870abc5a1b7d",
        name: "editor",
        allows: |given| given == Permissions::from_letters("txrwadcuUvVq"),
    },
    Role {
        id: "312c0871-5ef7-4b3a-85b6-0e4074c64049",
        name: "manager",
        allows: |given| given == Permissions::MANAGER,
    },
];

/// What a permission is called where there is no role, in oCIS's order.
const ACTIONS: [(Permissions, &str); 19] = [
    (Permissions::ADD_GRANT, "libre.graph/driveItem/permissions/create"),
    (Permissions::CREATE_CONTAINER, "libre.graph/driveItem/children/create"),
    (Permissions::DELETE, "libre.graph/driveItem/standard/delete"),
    (Permissions::GET_PATH, "libre.graph/driveItem/path/read"),
    (Permissions::GET_QUOTA, "libre.graph/driveItem/quota/read"),
    (Permissions::DOWNLOAD, "libre.graph/driveItem/content/read"),
    (Permissions::UPLOAD, "libre.graph/driveItem/upload/create"),
    (Permissions::LIST_GRANTS, "libre.graph/driveItem/permissions/read"),
    (Permissions::LIST_CONTAINER, "libre.graph/driveItem/children/read"),
    (Permissions::LIST_VERSIONS, "libre.graph/driveItem/versions/read"),
    (Permissions::LIST_TRASH, "libre.graph/driveItem/deleted/read"),
    (Permissions::MOVE, "libre.graph/driveItem/path/update"),
    (Permissions::REMOVE_GRANT, "libre.graph/driveItem/permissions/delete"),
    (Permissions::PURGE_TRASH, "libre.graph/driveItem/deleted/delete"),
    (Permissions::RESTORE_VERSION, "libre.graph/driveItem/versions/update"),
    (Permissions::RESTORE_TRASH, "libre.graph/driveItem/deleted/update"),
    (Permissions::STAT, "libre.graph/driveItem/basic/read"),
    (Permissions::UPDATE_GRANT, "libre.graph/driveItem/permissions/update"),
    (Permissions::DENY_GRANT, "libre.graph/driveItem/permissions/deny"),
];

/// The members of spaces, whose names are asked for once in a request.
pub(super) struct Members<'a> {
    call: &'a Call<'a>,
    version: Version,
    names: HashMap<Grantee, Member>,
}

impl<'a> Members<'a> {
    pub(super) fn new(call: &'a Call<'a>, version: Version) -> Self {
        Self { call, version, names: HashMap::new() }
    }

    /// The members of a space that the caller sees. Whoever sees a space sees who else is in it,
    /// also who sees it by role alone.
    pub(super) async fn of(&mut self, space: &Space) -> Result<Vec<Permission>> {
        let cx = Cx { caller: Caller::Service("graph".into()), ..self.call.cx.clone() };
        let target = Reference::node(space.root.clone());
        let grants = match self.call.parts.grants.list(&cx, ListGrants { target }).await {
            Ok(grants) => grants,
            // Removed meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut permissions = Vec::with_capacity(grants.len());
        for grant in grants {
            let member = self.member(&grant.grantee).await?;
            permissions.push(permission(self.version, &grant, member));
        }
        Ok(permissions)
    }

    async fn member(&mut self, grantee: &Grantee) -> Result<Member> {
        if let Some(member) = self.names.get(grantee) {
            return Ok(member.clone());
        }
        let (parts, cx) = (self.call.parts, self.call.cx);
        let known = match grantee {
            Grantee::User(id) => parts.users.find(cx, FindUser::Id(id.clone())).await.map(|user| {
                let user_type = Some(type_name(user.user_type));
                Member::User(Name {
                    user_type,
                    display_name: user.display_name,
                    id: id.to_string(),
                })
            }),
            Grantee::Group(id) => {
                parts.groups.get(cx, GetGroup::Id(id.clone())).await.map(|group| {
                    Member::Group(Name {
                        user_type: None,
                        display_name: group.name,
                        id: id.to_string(),
                    })
                })
            }
        };
        let member = match known {
            Ok(member) => member,
            Err(error) if error.kind() == ErrorKind::NotFound => nameless(grantee),
            Err(error) => return Err(error),
        };
        self.names.insert(grantee.clone(), member.clone());
        Ok(member)
    }
}

fn nameless(grantee: &Grantee) -> Member {
    let name = |id: &str| Name { user_type: None, display_name: String::new(), id: id.into() };
    match grantee {
        Grantee::User(id) => Member::User(name(id.as_str())),
        Grantee::Group(id) => Member::Group(name(id.as_str())),
    }
}

fn permission(version: Version, grant: &Grant, member: Member) -> Permission {
    let role = ROLES.iter().find(|role| (role.allows)(grant.permissions));
    let actions = match role {
        Some(_) => Vec::new(),
        None => ACTIONS
            .iter()
            .filter(|(permission, _)| grant.permissions.allows(*permission))
            .map(|(_, action)| *action)
            .collect(),
    };
    let is_v1 = version == Version::V1;
    Permission {
        actions,
        expiration_date_time: grant.expires.map(|end| end.to_string()),
        granted_to_identities: is_v1.then(|| [member.clone()]),
        granted_to_v2: member,
        id: (!is_v1).then(|| match &grant.grantee {
            Grantee::User(id) => format!("u:{id}"),
            Grantee::Group(id) => format!("g:{id}"),
        }),
        roles: role.map(|role| if is_v1 { role.name } else { role.id }).into_iter().collect(),
    }
}
