//! What an existing `ocis.yaml` lacks, as a unified diff.
//!
//! Every key that `ocis init` writes and the file does not have is added; values that the file has
//! are used for the new keys that must equal them (`graph` must know the password that `idm`
//! keeps), and nothing that the administrator wrote is taken away, comments excepted.

use std::path::Path;

use ocis_core::config::Secret;
use ocis_core::{Error, Result};
use serde_yaml::Value;
use similar::TextDiff;

use super::document::Document;
use super::values::Values;

/// The diff that adds to `old` what is missing; none if nothing is.
pub(super) fn missing(old: &str, insecure: bool, path: &Path) -> Result<Option<String>> {
    let tree: Value = serde_yaml::from_str(old).map_err(|error| {
        Error::invalid(format!("{} is not a YAML file: {error}", path.display()))
    })?;
    let values = kept(&tree, Values::random()?);
    let mut full = tree.clone();
    let changed = add(&mut full, Document::new(&values, insecure, false).to_tree()?);
    if !changed {
        return Ok(None);
    }
    let new = serde_yaml::to_string(&full)
        .map_err(|error| Error::internal("the configuration cannot be written").because(error))?;
    let shown = path.display().to_string();
    let diff = TextDiff::from_lines(old, &new);
    Ok(Some(diff.unified_diff().header(&shown, &format!("{shown}.tmp")).to_string()))
}

/// Adds the keys of `full` that `tree` lacks; says whether there were any.
fn add(tree: &mut Value, full: Value) -> bool {
    match (tree, full) {
        (Value::Mapping(tree), Value::Mapping(full)) => {
            let mut changed = false;
            for (key, value) in full {
                match tree.get_mut(&key) {
                    Some(there) => changed |= add(there, value),
                    None => {
                        tree.insert(key, value);
                        changed = true;
                    }
                }
            }
            changed
        }
        (tree, full) if tree.is_null() || tree.as_str() == Some("") => {
            *tree = full;
            true
        }
        _ => false,
    }
}

/// `fresh` with the values that `tree` has.
fn kept(tree: &Value, fresh: Values) -> Values {
    let text = |path: &str| {
        let value = path.split('.').try_fold(tree, |value, key| value.get(key))?;
        value.as_str().filter(|text| !text.is_empty())
    };
    let id = |path: &str, fresh: String| text(path).map_or(fresh, str::to_owned);
    let secret = |path: &str, fresh: Secret| text(path).map_or(fresh, Secret::new);
    Values {
        jwt_secret: secret("token_manager.jwt_secret", fresh.jwt_secret),
        machine_auth_api_key: secret("machine_auth_api_key", fresh.machine_auth_api_key),
        system_user_api_key: secret("system_user_api_key", fresh.system_user_api_key),
        transfer_secret: secret("transfer_secret", fresh.transfer_secret),
        system_user_id: id("system_user_id", fresh.system_user_id),
        admin_user_id: id("admin_user_id", fresh.admin_user_id),
        graph_application_id: id("graph.application.id", fresh.graph_application_id),
        service_account_id: id(
            "graph.service_account.service_account_id",
            fresh.service_account_id,
        ),
        service_account_secret: secret(
            "graph.service_account.service_account_secret",
            fresh.service_account_secret,
        ),
        admin_password: secret("idm.service_user_passwords.admin_password", fresh.admin_password),
        idm_password: secret("idm.service_user_passwords.idm_password", fresh.idm_password),
        reva_password: secret("idm.service_user_passwords.reva_password", fresh.reva_password),
        idp_password: secret("idm.service_user_passwords.idp_password", fresh.idp_password),
        collaboration_wopi_secret: secret(
            "collaboration.wopi.secret",
            fresh.collaboration_wopi_secret,
        ),
        thumbnails_transfer_secret: secret(
            "thumbnails.thumbnail.transfer_secret",
            fresh.thumbnails_transfer_secret,
        ),
        storage_users_mount_id: id(
            "gateway.storage_registry.storage_users_mount_id",
            fresh.storage_users_mount_id,
        ),
    }
}
