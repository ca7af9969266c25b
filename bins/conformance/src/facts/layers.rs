//! Section 1: where a setting's value comes from. `PROXY_TLS` shows it on the wire.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};

use super::Fact;
use ocis_conformance::harness::{Client, Launch, World, free_port};

pub(super) const FACTS: &[Fact] = &[
    ("seed-1.environment", |world| speaks(world, Some("false"), true, true, false)),
    ("seed-1.service-file", |world| speaks(world, None, true, true, true)),
    ("seed-1.ocis-file", |world| speaks(world, None, false, true, false)),
    ("seed-1.defaults", |world| speaks(world, None, false, false, true)),
    ("seed-1.directory", directory),
    ("seed-1.file-names", file_names),
    ("seed-1.topic", topic),
    ("seed-1.missing-files", missing_files),
    ("seed-1.substitution", substitution),
];

/// `proxy.yaml` says TLS, `ocis.yaml` says none; whoever is there with the higher rank wins.
fn speaks(
    world: &World,
    environment: Option<&str>,
    service_file: bool,
    ocis_file: bool,
    tls: bool,
) -> Result<()> {
    let mut launch = world.launch()?;
    launch.init()?;
    if ocis_file {
        insert(&launch, "proxy:", "  http:\n    tls: false\n")?;
    }
    if service_file {
        launch.write_config("proxy.yaml", "http:\n  tls: true\n")?;
    }
    if let Some(value) = environment {
        launch = launch.env("PROXY_TLS", value);
    }
    let address = launch.address();
    launch.reached_at(address, tls).start()?;
    Ok(())
}

/// Adds lines below a key of ocis.yaml, or the key itself.
pub(super) fn insert(launch: &Launch, key: &str, lines: &str) -> Result<()> {
    let text = std::fs::read_to_string(launch.config("ocis.yaml"))?;
    let line = format!("\n{key}\n");
    let text = match text.find(&line) {
        Some(at) => {
            let end = at + line.len();
            format!("{}{lines}{}", &text[..end], &text[end..])
        }
        None => format!("{text}{key}\n{lines}"),
    };
    launch.write_config("ocis.yaml", &text)
}

/// Whether a debug address answers.
pub(super) fn healthy(address: &str) -> Result<()> {
    let address: SocketAddr = address.parse()?;
    Client::anonymous(address, false).get("/healthz")?.expect(&[200])?;
    Ok(())
}

fn directory(world: &World) -> Result<()> {
    let launch = world.launch()?;
    let elsewhere = launch.home().join("some where");
    let launch = launch.env("OCIS_CONFIG_DIR", &elsewhere.display().to_string());
    launch.init()?;
    ensure!(elsewhere.join("ocis.yaml").exists(), "ocis init wrote it elsewhere");
    let address = format!("127.0.0.1:{}", free_port()?);
    std::fs::write(elsewhere.join("search.yaml"), format!("debug:\n  addr: {address}\n"))?;
    let server = launch.without("SEARCH_DEBUG_ADDR").start()?;
    healthy(&address)?;
    ensure!(!server.launch().config("ocis.yaml").exists(), "the default place was used too");
    Ok(())
}

fn file_names(world: &World) -> Result<()> {
    let launch = world.launch()?.without("STORAGE_USERS_DEBUG_ADDR");
    launch.init()?;
    let address = format!("127.0.0.1:{}", free_port()?);
    launch.write_config("storage-users.yaml", &format!("debug:\n  addr: {address}\n"))?;
    let _server = launch.start()?;
    healthy(&address)
}

fn topic(world: &World) -> Result<()> {
    let launch = world
        .launch()?
        .without("STORAGE_USERS_DEBUG_ADDR")
        .without("STORAGE_PUBLICLINK_DEBUG_ADDR");
    launch.init()?;
    let (users, links) = (free_port()?, free_port()?);
    insert(&launch, "storage_users:", &format!("  debug:\n    addr: 127.0.0.1:{users}\n"))?;
    insert(&launch, "storage_public:", &format!("  debug:\n    addr: 127.0.0.1:{links}\n"))?;
    let _server = launch.start()?;
    healthy(&format!("127.0.0.1:{users}"))?;
    healthy(&format!("127.0.0.1:{links}"))
}

/// Without any file, everything from the environment. That malformed files are errors, unlike in
/// oCIS, is in the checks of starting.
fn missing_files(world: &World) -> Result<()> {
    let mut launch = world.launch()?;
    launch.init()?;
    let text = std::fs::read_to_string(launch.config("ocis.yaml"))?;
    let yaml: serde_yaml::Value = serde_yaml::from_str(&text)?;
    std::fs::remove_file(launch.config("ocis.yaml"))?;
    for (path, variable) in VARIABLES {
        let mut value = &yaml;
        for key in path.split('.') {
            value = &value[key];
        }
        let value = value.as_str().with_context(|| format!("{path} in ocis.yaml"))?;
        for name in variable.split(' ') {
            launch = launch.env(name, value);
        }
    }
    let server = launch.start()?;
    server.admin().get("/graph/v1.0/me")?.expect(&[200])?;
    Ok(())
}

/// What `ocis init` writes, and the variables that give the same.
const VARIABLES: &[(&str, &str)] = &[
    ("token_manager.jwt_secret", "OCIS_JWT_SECRET"),
    ("machine_auth_api_key", "OCIS_MACHINE_AUTH_API_KEY"),
    ("system_user_api_key", "OCIS_SYSTEM_USER_API_KEY"),
    ("transfer_secret", "OCIS_TRANSFER_SECRET"),
    ("system_user_id", "OCIS_SYSTEM_USER_ID"),
    ("admin_user_id", "OCIS_ADMIN_USER_ID"),
    ("graph.application.id", "GRAPH_APPLICATION_ID"),
    (
        "graph.service_account.service_account_id",
        "OCIS_SERVICE_ACCOUNT_ID SETTINGS_SERVICE_ACCOUNT_IDS",
    ),
    ("graph.service_account.service_account_secret", "OCIS_SERVICE_ACCOUNT_SECRET"),
    ("idm.service_user_passwords.idm_password", "IDM_SVC_PASSWORD GRAPH_LDAP_BIND_PASSWORD"),
    (
        "idm.service_user_passwords.reva_password",
        "IDM_REVASVC_PASSWORD AUTH_BASIC_LDAP_BIND_PASSWORD USERS_LDAP_BIND_PASSWORD \
         GROUPS_LDAP_BIND_PASSWORD",
    ),
    ("idm.service_user_passwords.idp_password", "IDM_IDPSVC_PASSWORD IDP_LDAP_BIND_PASSWORD"),
    ("storage_users.mount_id", "STORAGE_USERS_MOUNT_ID GATEWAY_STORAGE_USERS_MOUNT_ID"),
    ("collaboration.wopi.secret", "COLLABORATION_WOPI_SECRET"),
    ("thumbnails.thumbnail.transfer_secret", "THUMBNAILS_TRANSFER_TOKEN"),
];

fn substitution(world: &World) -> Result<()> {
    let given = format!("127.0.0.1:{}", free_port()?);
    let fallback = format!("127.0.0.1:{}", free_port()?);
    let launch = world
        .launch()?
        .without("SEARCH_DEBUG_ADDR")
        .without("GRAPH_DEBUG_ADDR")
        .env("MY_OWN_ADDRESS", &given);
    launch.init()?;
    launch.write_config("search.yaml", "debug:\n  addr: ${MY_OWN_ADDRESS}\n")?;
    let text = format!("debug:\n  addr: ${{NOT_SET_AT_ALL|{fallback}}}\n");
    launch.write_config("graph.yaml", &text)?;
    let _server = launch.start()?;
    healthy(&given)?;
    healthy(&fallback)
}
