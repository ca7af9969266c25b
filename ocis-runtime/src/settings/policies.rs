//! Routes of the public listener as `proxy.policies` and `proxy.additional_policies` have them.

use ocis_core::config::Value;
use serde::Deserialize;

/// How a route is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteKind {
    /// By the beginning of the path.
    #[default]
    Prefix,
    /// By the beginning of the path and by parameters of the query.
    Query,
    /// By an expression that is found somewhere in path and query.
    Regex,
}

/// A route, in oCIS's words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRoute {
    /// How it is found.
    #[serde(default, rename = "type")]
    pub kind: RouteKind,
    /// The one method that it is for; empty for all.
    #[serde(default)]
    pub method: String,
    /// What is looked for.
    #[serde(default)]
    pub endpoint: String,
    /// The URL of a service elsewhere.
    #[serde(default)]
    pub backend: String,
    /// The name of a service of this server, such as `com.owncloud.web.ocdav`.
    #[serde(default)]
    pub service: String,
    /// Whether the service is asked under the name in its own URL.
    #[serde(default)]
    pub apache_vhost: bool,
    /// Whether nobody has to sign in.
    #[serde(default)]
    pub unprotected: bool,
}

/// Routes under a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The name.
    pub name: String,
    /// The routes.
    #[serde(default)]
    pub routes: Vec<PolicyRoute>,
}

/// Several of them. Only YAML can hold them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies(pub Vec<Policy>);

impl Value for Policies {
    const KIND: &'static str = "list of policies";
    const EMPTY: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(Self::default()) } else { Err(right()) }
    }

    fn from_list(items: Vec<String>) -> Result<Self, String> {
        if items.is_empty() { Ok(Self::default()) } else { Err(right()) }
    }

    fn from_tree(tree: serde_json::Value) -> Result<Self, String> {
        serde_json::from_value(tree)
            .map(Self)
            .map_err(|error| format!(": {error}; right would be {}", Self::KIND))
    }
}

fn right() -> String {
    format!("; right would be {}", Policies::KIND)
}
