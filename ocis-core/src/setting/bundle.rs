//! Bundles: which settings there are, and which permissions a role has.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::role::{Constraint, RolePermission};
use crate::user::UserRole;

/// Settings that belong together. A role is a bundle whose settings are permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Bundle {
    /// The id, a UUID.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name, of letters, digits, `-` and `_`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What kind of bundle it is.
    #[serde(rename = "type", skip_serializing_if = "BundleKind::is_unknown")]
    pub kind: BundleKind,
    /// Whose settings they are, such as `ocis-accounts`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub extension: String,
    /// The name to show.
    #[serde(alias = "display_name", skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// The settings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// What they are about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
}

/// The kinds of bundles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BundleKind {
    /// None was given.
    #[default]
    #[serde(rename = "TYPE_UNKNOWN")]
    Unknown,
    /// Settings of accounts.
    #[serde(rename = "TYPE_DEFAULT")]
    Default,
    /// A role.
    #[serde(rename = "TYPE_ROLE")]
    Role,
}

impl BundleKind {
    fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

/// A setting, or a permission of a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Setting {
    /// The id, a UUID.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The name to show.
    #[serde(alias = "display_name", skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// A sentence about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// Which values it can have: one member such as `singleChoiceValue`, in oCIS's form. The server
    /// acts on none of it, clients do.
    #[serde(flatten)]
    pub value: Map<String, Value>,
}

impl Setting {
    /// The texts of which one can be chosen; none where the setting is no such choice.
    pub fn choices(&self) -> Option<Vec<&str>> {
        let options = self.value.get("singleChoiceValue")?.get("options")?.as_array()?;
        let texts = options.iter().filter_map(|option| option.pointer("/value/stringValue"));
        Some(texts.filter_map(Value::as_str).collect())
    }
}

/// What a setting or permission is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// The kind.
    #[serde(rename = "type", skip_serializing_if = "ResourceKind::is_unknown")]
    pub kind: ResourceKind,
    /// Which one; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
}

impl Resource {
    /// A resource without an id.
    pub fn of(kind: ResourceKind) -> Self {
        Self { kind, id: String::new() }
    }
}

/// What there are settings and permissions about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the names of the wire say it")]
pub enum ResourceKind {
    #[default]
    TypeUnknown,
    TypeSystem,
    TypeFile,
    TypeShare,
    TypeSetting,
    TypeBundle,
    TypeUser,
    TypeGroup,
}

impl ResourceKind {
    fn is_unknown(&self) -> bool {
        *self == Self::TypeUnknown
    }
}

impl RolePermission {
    /// What the permission is about.
    pub fn about(&self) -> Resource {
        let kind = match self.resource {
            "USER" => ResourceKind::TypeUser,
            "GROUP" => ResourceKind::TypeGroup,
            "SETTING" => ResourceKind::TypeSetting,
            "SHARE" => ResourceKind::TypeShare,
            "FILE" => ResourceKind::TypeFile,
            _ => ResourceKind::TypeSystem,
        };
        Resource { kind, id: self.resource_id.to_owned() }
    }

    /// The permission as it stands in the bundle of a role that has it so far.
    pub fn value(&self, constraint: Constraint) -> Value {
        let constraint = match constraint {
            Constraint::Own => "CONSTRAINT_OWN",
            Constraint::All => "CONSTRAINT_ALL",
        };
        json!({ "operation": format!("OPERATION_{}", self.operation), "constraint": constraint })
    }
}

impl Bundle {
    /// What is there without anybody adding it: the profile and the roles.
    pub fn built_in() -> Vec<Self> {
        std::iter::once(Self::profile()).chain(UserRole::ALL.map(Self::role)).collect()
    }

    /// The bundle of a role: its permissions.
    pub fn role(role: UserRole) -> Self {
        let settings = RolePermission::ALL.iter().filter_map(|permission| {
            let value = permission.value(permission.of(role)?);
            Some(Setting {
                id: permission.id.to_owned(),
                name: permission.name.to_owned(),
                display_name: permission.name.to_owned(),
                description: String::new(),
                resource: Some(permission.about()),
                value: Map::from_iter([("permissionValue".to_owned(), value)]),
            })
        });
        Self {
            id: role.id().to_owned(),
            name: role.name().to_owned(),
            kind: BundleKind::Role,
            extension: "ocis-roles".to_owned(),
            display_name: role.display_name().to_owned(),
            settings: settings.collect(),
            resource: Some(Resource::of(ResourceKind::TypeSystem)),
        }
    }
}
