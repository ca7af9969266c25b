//! Who may do what in a space, as `permissions` of its root.

use std::collections::HashMap;

use ocis_core::access::{Grant, Grantee};
use ocis_core::port::{FindUser, GetGroup, ListGrants};
use ocis_core::reference::Reference;
use ocis_core::space::Space;
use ocis_core::{Caller, Cx, ErrorKind, Result};
use serde::Serialize;

use super::Version;
use crate::account::type_name;
use crate::route::Call;
use crate::unified_roles::{UnifiedRole, actions};

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
            permissions.push(permission(self.call, self.version, &grant, member));
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

fn permission(call: &Call<'_>, version: Version, grant: &Grant, member: Member) -> Permission {
    let role = UnifiedRole::in_space(call, grant.permissions);
    let actions = match role {
        Some(_) => Vec::new(),
        None => actions(grant.permissions),
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
        roles: role.map(|role| if is_v1 { role.legacy } else { role.id }).into_iter().collect(),
    }
}
