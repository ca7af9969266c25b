//! Section 6: `ocis init`, its flags, its question, its errors, and the file it writes.

use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use serde_yaml::Value;

use super::Fact;
use ocis_conformance::harness::{Launch, World};

pub(super) const FACTS: &[Fact] = &[
    ("seed-6.insecure", insecure),
    ("seed-6.diff", diff),
    ("seed-6.diff-file", diff),
    ("seed-6.force-overwrite", force),
    ("seed-6.config-path", config_path),
    ("seed-6.admin-password", admin_password),
    ("seed-6.prompt", prompt),
    ("seed-6.errors", errors),
    ("seed-6.backup", backup),
    ("seed-6.key-order", key_order),
    ("seed-6.uuids", uuids),
    ("seed-6.secrets", secrets),
    ("seed-6.same-passwords", same_passwords),
    ("seed-6.insecure-keys", insecure_keys),
    ("seed-6.required", required),
    ("cli-init", writes),
];

/// Nothing set that `ocis init` looks at.
fn bare(world: &World) -> Result<Launch> {
    Ok(world.launch()?.without("IDM_ADMIN_PASSWORD").without("OCIS_INSECURE"))
}

fn text(launch: &Launch) -> Result<String> {
    std::fs::read_to_string(launch.config("ocis.yaml")).context("no ocis.yaml")
}

fn yaml(launch: &Launch) -> Result<Value> {
    Ok(serde_yaml::from_str(&text(launch)?)?)
}

fn at<'a>(value: &'a Value, path: &str) -> Result<&'a str> {
    let found = path.split('.').fold(value, |value, key| &value[key]);
    found.as_str().with_context(|| format!("no {path}"))
}

/// A file written without any question, with a random password.
fn written(world: &World) -> Result<Value> {
    let launch = bare(world)?;
    launch.run(&["init", "--insecure", "no"])?.success("init")?;
    yaml(&launch)
}

const INSECURE: &[&str] = &[
    "graph.events.tls_insecure",
    "graph.spaces.insecure",
    "collaboration.app.insecure",
    "proxy.oidc.insecure",
    "proxy.insecure_backends",
    "frontend.app_handler.insecure",
    "frontend.archiver.insecure",
    "auth_bearer.auth_providers.oidc.insecure",
    "ocdav.insecure",
    "thumbnails.thumbnail.webdav_allow_insecure",
    "thumbnails.thumbnail.cs3_allow_insecure",
    "search.events.tls_insecure",
    "audit.events.tls_insecure",
    "sharing.events.tls_insecure",
    "storage_users.events.tls_insecure",
    "notifications.notifications.events.tls_insecure",
    "nats.nats.tls_skip_verify_client_cert",
];

fn all_insecure(value: &Value, expected: bool) -> Result<()> {
    for path in INSECURE {
        let found = path.split('.').fold(value, |value, key| &value[key]);
        // What is not insecure may be left out, as oCIS does with empty values.
        let is = found.as_bool().unwrap_or(false);
        ensure!(is == expected, "{path} is {found:?}");
    }
    Ok(())
}

fn insecure(world: &World) -> Result<()> {
    for (answer, expected) in
        [("true", true), ("yes", true), ("y", true), ("false", false), ("no", false)]
    {
        let launch = bare(world)?;
        launch.run(&["init", "--insecure", answer])?.success("init")?;
        all_insecure(&yaml(&launch)?, expected).with_context(|| format!("--insecure {answer}"))?;
        let launch = bare(world)?.env("OCIS_INSECURE", answer);
        launch.run(&["init"])?.success("init")?;
        all_insecure(&yaml(&launch)?, expected)
            .with_context(|| format!("OCIS_INSECURE={answer}"))?;
    }
    Ok(())
}

/// The question goes to stderr, so that the banner can be piped.
fn prompt(world: &World) -> Result<()> {
    for (answer, expected) in [
        ("yes\n", true),
        ("y\n", true),
        ("YES\n", true),
        ("Y\n", true),
        ("\n", false),
        ("no\n", false),
        ("what\n", false),
    ] {
        let launch = bare(world)?;
        let finished = launch.run_with_input(&["init"], answer)?.success("init")?;
        let asked = finished.stderr.to_lowercase();
        ensure!(asked.contains("certificate"), "no question on stderr: {}", finished.said());
        all_insecure(&yaml(&launch)?, expected).with_context(|| format!("answer {answer:?}"))?;
    }
    Ok(())
}

/// A file of an older version lacks what a newer one writes; the patch adds that, and nothing that
/// is there changes.
fn diff(world: &World) -> Result<()> {
    for flag in ["--diff", "-d"] {
        let launch = bare(world)?;
        launch.run(&["init", "--insecure", "no"])?.success("init")?;
        let before = without(&text(&launch)?, "system_user_api_key");
        launch.write_config("ocis.yaml", &before)?;
        launch.run(&["init", "--insecure", "no", flag])?.success("init --diff")?;
        let patch = std::fs::read_to_string(launch.config("ocis.config.patch"))
            .context("no ocis.config.patch")?;
        for part in ["--- ", "+++ ", "@@ ", "ocis.yaml", "ocis.yaml.tmp", "\n+system_user_api_key"]
        {
            ensure!(patch.contains(part), "no {part:?} in the patch:\n{patch}");
        }
        ensure!(text(&launch)? == before, "--diff changed ocis.yaml");
        ensure!(!launch.config("ocis.yaml.tmp").exists(), "ocis.yaml.tmp was left");
        let secret = at(&serde_yaml::from_str(&before)?, "transfer_secret")?.to_owned();
        let removed = patch.lines().any(|line| line.starts_with('-') && line.contains(&secret));
        ensure!(!removed, "the patch replaces secrets:\n{patch}");
    }
    Ok(())
}

fn force(world: &World) -> Result<()> {
    for flag in ["--force-overwrite", "-f"] {
        let launch = bare(world)?;
        launch.run(&["init", "--insecure", "no"])?.success("init")?;
        let before = text(&launch)?;
        launch.run(&["init", "--insecure", "no", flag])?.success("init --force")?;
        ensure!(text(&launch)? != before, "nothing was overwritten");
    }
    let launch = bare(world)?.env("OCIS_FORCE_CONFIG_OVERWRITE", "true");
    launch.run(&["init", "--insecure", "no"])?.success("init")?;
    let before = text(&launch)?;
    launch.run(&["init", "--insecure", "no"])?.success("init")?;
    ensure!(text(&launch)? != before, "the variable did not overwrite");
    Ok(())
}

fn backup(world: &World) -> Result<()> {
    let launch = bare(world)?;
    launch.run(&["init", "--insecure", "no"])?.success("init")?;
    let before = text(&launch)?;
    launch.run(&["init", "--insecure", "no", "-f"])?.success("init -f")?;
    let mut backups = Vec::new();
    for entry in std::fs::read_dir(launch.config(""))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".backup") {
            backups.push((name, path));
        }
    }
    ensure!(backups.len() == 1, "{backups:?}");
    let (name, path) = &backups[0];
    let shape: String = name.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    ensure!(shape == "ocis.yaml.0000-00-00-00-00-00.backup", "{name}");
    ensure!(std::fs::read_to_string(path)? == before, "the backup is not the old file");
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    ensure!(mode == 0o600, "the backup has mode {mode:o}");
    Ok(())
}

fn config_path(world: &World) -> Result<()> {
    let launch = bare(world)?;
    let one = launch.home().join("one");
    let path = one.display().to_string();
    launch.run(&["init", "--insecure", "no", "--config-path", &path])?.success("init")?;
    ensure!(one.join("ocis.yaml").exists(), "--config-path is not used");
    let two = launch.home().join("two").display().to_string();
    let three = launch.home().join("three").display().to_string();
    let launch = launch.env("OCIS_BASE_DATA_PATH", &three);
    launch.run(&["init", "--insecure", "no"])?.success("init")?;
    ensure!(launch.home().join("three/ocis.yaml").exists(), "OCIS_BASE_DATA_PATH is not used");
    let launch = launch.env("OCIS_CONFIG_DIR", &two);
    launch.run(&["init", "--insecure", "no"])?.success("init")?;
    ensure!(launch.home().join("two/ocis.yaml").exists(), "OCIS_CONFIG_DIR does not come first");
    Ok(())
}

fn admin_password(world: &World) -> Result<()> {
    const PATH: &str = "idm.service_user_passwords.admin_password";
    for flag in ["--admin-password", "--ap"] {
        let launch = bare(world)?;
        launch.run(&["init", "--insecure", "no", flag, "my own"])?.success("init")?;
        ensure!(at(&yaml(&launch)?, PATH)? == "my own", "{flag} is not used");
    }
    let launch = bare(world)?.env("IDM_ADMIN_PASSWORD", "second");
    launch.run(&["init", "--insecure", "no"])?.success("init")?;
    ensure!(at(&yaml(&launch)?, PATH)? == "second", "IDM_ADMIN_PASSWORD is not used");
    let launch = bare(world)?.env("IDM_ADMIN_PASSWORD", "second").env("ADMIN_PASSWORD", "first");
    launch.run(&["init", "--insecure", "no"])?.success("init")?;
    ensure!(at(&yaml(&launch)?, PATH)? == "first", "ADMIN_PASSWORD does not come first");
    let (one, two) = (written(world)?, written(world)?);
    ensure!(at(&one, PATH)?.len() == 32 && at(&one, PATH)? != at(&two, PATH)?, "not random");
    Ok(())
}

fn errors(world: &World) -> Result<()> {
    let launch = bare(world)?;
    launch.run(&["init", "--insecure", "no"])?.success("init")?;
    let before = text(&launch)?;
    for arguments in [
        vec!["init", "--insecure", "no"],
        vec!["init", "--insecure", "no", "--diff", "--force-overwrite"],
        vec!["init", "--insecure", "no", "--diff", "--admin-password", "x"],
    ] {
        let finished = launch.run(&arguments)?;
        ensure!(finished.code() == 1 && !finished.stderr.is_empty(), "{}", finished.said());
        ensure!(text(&launch)? == before, "{arguments:?} changed the file");
    }
    let exists = launch.run(&["init", "--insecure", "no"])?.stderr;
    ensure!(exists.contains("ocis.yaml") && exists.contains("exist"), "{exists}");
    Ok(())
}

fn key_order(world: &World) -> Result<()> {
    let launch = bare(world)?;
    launch.run(&["init", "--insecure", "yes"])?.success("init")?;
    let mut keys = Vec::new();
    paths(&yaml(&launch)?, "", &mut keys);
    let expected: Vec<&str> = include_str!("ocis.yaml.keys").lines().collect();
    for (number, (is, should)) in keys.iter().zip(&expected).enumerate() {
        ensure!(is == should, "key {number} is {is} instead of {should}");
    }
    ensure!(keys.len() == expected.len(), "{} keys instead of {}", keys.len(), expected.len());
    Ok(())
}

fn paths(value: &Value, before: &str, into: &mut Vec<String>) {
    let Some(mapping) = value.as_mapping() else {
        into.push(before.to_owned());
        return;
    };
    for (key, inner) in mapping {
        let key = key.as_str().unwrap_or_default();
        let path = if before.is_empty() { key.to_owned() } else { format!("{before}.{key}") };
        paths(inner, &path, into);
    }
}

fn uuids(world: &World) -> Result<()> {
    let file = written(world)?;
    for path in [
        "system_user_id",
        "admin_user_id",
        "graph.application.id",
        "storage_users.mount_id",
        "gateway.storage_registry.storage_users_mount_id",
        "graph.service_account.service_account_id",
    ] {
        let id = at(&file, path)?;
        let shape: String =
            id.chars().map(|c| if c.is_ascii_hexdigit() { 'x' } else { c }).collect();
        ensure!(shape == "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "{path}: {id}");
        ensure!(id.as_bytes().get(14) == Some(&b'4'), "{path} is no version 4: {id}");
    }
    let mount = at(&file, "storage_users.mount_id")?;
    let same = at(&file, "gateway.storage_registry.storage_users_mount_id")?;
    ensure!(mount == same, "the mount id differs");
    let account = at(&file, "graph.service_account.service_account_id")?;
    for service in ["proxy", "frontend", "search", "storage_users", "userlog", "ocm"] {
        let path = format!("{service}.service_account.service_account_id");
        ensure!(at(&file, &path)? == account, "{path} differs");
    }
    ensure!(file["settings"]["service_account_ids"][0] == *account, "settings does not know it");
    Ok(())
}

fn secrets(world: &World) -> Result<()> {
    let file = written(world)?;
    let mut all = Vec::new();
    for path in [
        "token_manager.jwt_secret",
        "machine_auth_api_key",
        "system_user_api_key",
        "transfer_secret",
        "idm.service_user_passwords.admin_password",
        "idm.service_user_passwords.idm_password",
        "idm.service_user_passwords.reva_password",
        "idm.service_user_passwords.idp_password",
        "collaboration.wopi.secret",
        "thumbnails.thumbnail.transfer_secret",
        "graph.service_account.service_account_secret",
    ] {
        let secret = at(&file, path)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "-=+!@#$%^&*.".contains(c);
        ensure!(secret.len() == 32 && secret.chars().all(fits), "{path}: {secret}");
        all.push(secret);
    }
    all.sort_unstable();
    all.dedup();
    ensure!(all.len() == 11, "two secrets are the same");
    Ok(())
}

fn same_passwords(world: &World) -> Result<()> {
    let file = written(world)?;
    let account = |name: &str| at(&file, &format!("idm.service_user_passwords.{name}"));
    for (path, name) in [
        ("graph.identity.ldap.bind_password", "idm_password"),
        ("idp.ldap.bind_password", "idp_password"),
        ("auth_basic.auth_providers.ldap.bind_password", "reva_password"),
        ("users.drivers.ldap.bind_password", "reva_password"),
        ("groups.drivers.ldap.bind_password", "reva_password"),
    ] {
        ensure!(at(&file, path)? == account(name)?, "{path} is not {name}");
    }
    Ok(())
}

fn insecure_keys(world: &World) -> Result<()> {
    let launch = bare(world)?;
    launch.run(&["init", "--insecure", "yes"])?.success("init")?;
    all_insecure(&yaml(&launch)?, true)
}

/// Each value that is taken out of the file is named, with the key and a variable.
fn required(world: &World) -> Result<()> {
    let launch = world.launch()?;
    launch.init()?;
    let whole = text(&launch)?;
    // Not among them: `settings.service_account_ids`, which has a default (`service-user-id`).
    for (key, names) in [
        ("jwt_secret", "OCIS_JWT_SECRET"),
        ("transfer_secret", "OCIS_TRANSFER_SECRET"),
        ("machine_auth_api_key", "OCIS_MACHINE_AUTH_API_KEY"),
        ("system_user_id", "OCIS_SYSTEM_USER_ID"),
        ("system_user_api_key", "OCIS_SYSTEM_USER_API_KEY"),
        ("service_account_id", "OCIS_SERVICE_ACCOUNT_ID"),
        ("service_account_secret", "OCIS_SERVICE_ACCOUNT_SECRET"),
        ("bind_password", "OCIS_LDAP_BIND_PASSWORD"),
        ("idm_password", "IDM_SVC_PASSWORD"),
        ("reva_password", "IDM_REVASVC_PASSWORD"),
        ("idp_password", "IDM_IDPSVC_PASSWORD"),
        ("mount_id", "STORAGE_USERS_MOUNT_ID"),
        ("id", "GRAPH_APPLICATION_ID"),
    ] {
        launch.write_config("ocis.yaml", &without(&whole, key))?;
        let finished = launch.run(&["server"]).with_context(|| format!("without {key}"))?;
        let said = &finished.stderr;
        let named = said.contains(key) && said.contains(names);
        ensure!(finished.code() == 1 && named, "without {key}: {}", finished.said());
    }
    Ok(())
}

/// The text without the lines of a key, and without the list below it.
fn without(text: &str, key: &str) -> String {
    let begin = format!("{key}:");
    let mut kept = String::new();
    let mut below = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        below = trimmed.starts_with(&begin) || (below && trimmed.starts_with("- "));
        if !below {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn writes(world: &World) -> Result<()> {
    let launch = bare(world)?;
    let finished = launch.run(&["init", "--insecure", "no"])?.success("init")?;
    let mode = |path: &str| -> Result<u32> {
        Ok(std::fs::metadata(launch.config(path))?.permissions().mode() & 0o777)
    };
    ensure!(mode("")? == 0o700 && mode("ocis.yaml")? == 0o600, "modes");
    let password = yaml(&launch)?;
    let password = at(&password, "idm.service_user_passwords.admin_password")?;
    let path = launch.config("").display().to_string();
    for line in [
        format!("configpath : {}", path.trim_end_matches('/')),
        "user       : admin".to_owned(),
        format!("password   : {password}"),
    ] {
        ensure!(finished.stdout.contains(&line), "no `{line}`: {}", finished.said());
    }
    Ok(())
}
