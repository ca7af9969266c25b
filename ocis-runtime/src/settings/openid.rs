//! What settings of an external OpenID provider can say.

use ocis_auth::oidc::bearer::{AccountKey, RoleMapping};
use ocis_auth::oidc::verify::Method;
use ocis_core::config::Value;
use ocis_core::user::UserRole;

/// How access tokens are verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerifyMethod(pub Method);

impl Value for VerifyMethod {
    const KIND: &'static str = "text";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "jwt" => Ok(Self(Method::Jwt)),
            "none" => Ok(Self(Method::Opaque)),
            _ => Err("; right would be jwt or none".to_owned()),
        }
    }
}

/// What of an account a claim is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountClaim(pub AccountKey);

impl Value for AccountClaim {
    const KIND: &'static str = "text";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "username" => Ok(Self(AccountKey::Username)),
            "mail" => Ok(Self(AccountKey::Mail)),
            "userid" => Ok(Self(AccountKey::UserId)),
            _ => Err("; right would be username, mail or userid".to_owned()),
        }
    }
}

/// Where the roles of accounts come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RoleDriver {
    /// The server's own assignments.
    #[default]
    Default,
    /// A claim.
    Oidc,
}

impl Value for RoleDriver {
    const KIND: &'static str = "driver";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Self::Default),
            "oidc" => Ok(Self::Oidc),
            _ => Err("; right would be default or oidc".to_owned()),
        }
    }
}

/// Which values of a claim give which roles, the first that fits counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleMappings(pub Vec<RoleMapping>);

impl Value for RoleMappings {
    const KIND: &'static str = "role mapping";

    /// `role:value` with commas between them.
    fn parse(text: &str) -> Result<Self, String> {
        let pair = |item: &str| {
            let (role, value) = item
                .split_once(':')
                .ok_or_else(|| "; right would be role and value with a colon between".to_owned())?;
            mapping(role.trim(), value.trim())
        };
        text.split(',').map(pair).collect::<Result<_, _>>().map(Self)
    }

    fn from_tree(tree: serde_json::Value) -> Result<Self, String> {
        #[derive(serde::Deserialize)]
        struct Entry {
            role_name: String,
            claim_value: String,
        }
        let entries: Vec<Entry> = serde_json::from_value(tree)
            .map_err(|error| format!(": {error}; right would be {}", Self::KIND))?;
        let one = |entry: Entry| mapping(&entry.role_name, &entry.claim_value);
        entries.into_iter().map(one).collect::<Result<_, _>>().map(Self)
    }
}

fn mapping(role: &str, claim_value: &str) -> Result<RoleMapping, String> {
    let names = UserRole::ALL.map(UserRole::name);
    let found = UserRole::ALL.into_iter().find(|known| known.name() == role);
    let role = found.ok_or_else(|| {
        format!(": there is no role {role:?}; right would be one of {}", names.join(", "))
    })?;
    Ok(RoleMapping { role, claim_value: claim_value.to_owned() })
}
