//! How far a token reaches, in the words of reva's scopes.

use std::collections::BTreeMap;

use ocis_core::scope::Scope;
use serde_json::json;

use super::claims::{self, Entry};

/// The key of the scope that holds nothing back.
const USER: &str = "user";

/// The beginning of the key of a scope of ours, which reva does not know and therefore refuses.
const BELOW: &str = "below:";

const OWNER: u8 = 1;
const VIEWER: u8 = 3;

pub(super) fn written(scope: &Scope) -> BTreeMap<String, claims::Scope> {
    let (key, resource, role) = match scope {
        Scope::Everything => (USER.to_owned(), Entry::json(&json!({"path": "/"})), OWNER),
        Scope::Below { node, .. } => (format!("{BELOW}{node}"), Entry::json(scope), VIEWER),
    };
    BTreeMap::from([(key, claims::Scope { resource, role })])
}

/// The scope of a token; none when it has none that is known here. A token with several of them is
/// not one of ours, and would have to be as narrow as the narrowest.
pub(super) fn read(scopes: &BTreeMap<String, claims::Scope>) -> Option<Scope> {
    let mut scopes = scopes.iter();
    let (key, scope) = scopes.next()?;
    if scopes.next().is_some() {
        return None;
    }
    match key.strip_prefix(BELOW) {
        Some(below) => match scope.resource.read()? {
            Scope::Below { node, permissions } if node.to_string() == below => {
                Some(Scope::Below { node, permissions })
            }
            _ => None,
        },
        None => (key == USER && scope.role == OWNER).then_some(Scope::Everything),
    }
}
