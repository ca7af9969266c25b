//! Tests of all tables together: against what oCIS 7 knows, against each other, and as a process
//! reads them.

use ocis_core::config::known::{self, Known};
use ocis_core::config::source::Memory;
use ocis_core::config::{Row, Table, Warning};

use super::*;

/// Settings that are not oCIS's, and why.
const OURS: [(&str, &str, &str); 17] = [
    (
        "idm",
        "directory",
        "the embedded directory is no bolt database, so it has a place of its own",
    ),
    ("storage-users", "standby", "oCIS has no process that waits for another one's storage"),
    ("idp", "store_file", "oCIS keeps sessions in cookies, and forgets which codes were used"),
    ("idp", "registration_file", "oCIS writes this file itself and reads no other"),
    ("nats", "max_age", "oCIS keeps every event for ever"),
    ("nats", "max_bytes", "oCIS keeps every event for ever"),
    ("nats", "max_events", "oCIS keeps every event for ever"),
    ("storage-users", "events_max_waiting", "oCIS forgets what its bus does not take"),
    ("auth-app", "database", "oCIS has the file at a place that nobody can choose"),
    ("auth-app", "issuer", "oCIS takes it from the account"),
    ("auth-machine", "issuer", "oCIS takes it from the account"),
    ("auth-service", "issuer", "oCIS takes it from the account"),
    ("ocs", "issuer", "oCIS takes it from the account"),
    ("proxy", "trusted_proxies", "oCIS limits no attempts, so it need not know who makes them"),
    ("proxy", "jwt_secret", "oCIS's proxy has its tokens made by the gateway"),
    ("proxy", "oidc_audiences", "oCIS takes tokens that are meant for anybody"),
    ("proxy", "ocis_url", "oCIS reads the global setting through its shared configuration"),
];

/// The setting of oCIS that a row is.
fn of_ocis(table: &Table, row: &Row) -> Option<&'static Known> {
    let (service, yaml) = match table.service {
        "runtime" => ("global", table.path(row)),
        service => (service, row.yaml.to_owned()),
    };
    known::all().iter().find(|known| {
        let same_name = known.variables().eq(row.vars.iter().copied());
        known.service == service && known.yaml == yaml && (same_name || !yaml.is_empty())
    })
}

/// The default of oCIS in the words of our tables.
fn default_of_ocis(known: &Known) -> String {
    let default = known.default;
    match known.kind {
        "map[string]uint64" => default.trim_matches(['{', '}']).to_owned(),
        "[]Client" | "[]Policy" => String::new(),
        "[]RoleMapping" => "admin:ocisAdmin,spaceadmin:ocisSpaceAdmin,user:ocisUser,\
                            user-light:ocisGuest"
            .to_owned(),
        _ if default.starts_with("(global") || default.starts_with("(= ") => String::new(),
        _ if known.yaml == "log.level" => default.split(' ').next().unwrap().to_owned(),
        "[]string" => {
            let items = default.trim_start_matches('[').trim_end_matches(']');
            items.split(',').map(str::trim).collect::<Vec<_>>().join(",")
        }
        _ => default.to_owned(),
    }
}

#[test]
fn tables_agree_with_ocis() {
    for table in tables() {
        for row in table.rows {
            let name = format!("{}.{}", table.service, row.field);
            if OURS
                .iter()
                .any(|(service, field, _)| (*service, *field) == (table.service, row.field))
            {
                assert!(of_ocis(table, row).is_none(), "{name} is oCIS's after all");
                continue;
            }
            let known = of_ocis(table, row).unwrap_or_else(|| panic!("{name}: no such setting"));
            assert_eq!(row.vars, known.variables().collect::<Vec<_>>(), "{name}: variables");
            assert_eq!(row.default, default_of_ocis(known), "{name}: default");
            assert!(row.doc.trim().ends_with('.'), "{name}: the doc line is a sentence");
            let kinds: &[&str] = match known.kind {
                "bool" => &["true or false"],
                "[]string" => &["list"],
                "map[string]uint64" => &["map"],
                "[]Client" => &["list of mappings"],
                "[]Policy" => &["list of policies"],
                "[]RoleMapping" => &["role mapping"],
                "duration" => &["duration"],
                "int" | "int64" | "uint64" => &["number", "bytes", "seconds"],
                // A text in oCIS that only a number of bytes can be.
                _ if known.yaml == "spaces.default_quota" => &["bytes"],
                _ => {
                    &["text", "secret", "path", "URL", "host:port", "log level", "driver", "number"]
                }
            };
            assert!(kinds.contains(&row.kind), "{name}: {} for {}", row.kind, known.kind);
        }
    }
}

#[test]
fn tables_agree_with_each_other() {
    assert_eq!(ENTRIES.len(), 34);
    assert!(ENTRIES.is_sorted_by_key(|entry| entry.table.service));
    assert!(OPTIONAL.is_sorted_by_key(|entry| entry.table.service));
    for table in tables() {
        let mut fields: Vec<_> = table.rows.iter().map(|row| row.field).collect();
        fields.sort_unstable();
        let count = fields.len();
        fields.dedup();
        assert_eq!(fields.len(), count, "{}: a field is there twice", table.service);
    }
    for entry in entries() {
        let table = entry.table;
        assert_eq!(table.key, known::topic(table.service));
        assert!(known::services().contains(&table.service), "{}", table.service);
        for name in ["log_level", "log_pretty", "log_color", "log_file", "debug_addr"] {
            assert!(table.row(name).is_some(), "{}: {name}", table.service);
        }
    }
}

#[test]
fn what_starts_a_debug_listener_has_an_address_of_its_own() {
    let mut addresses: Vec<_> = entries()
        .flat_map(|entry| entry.table.rows)
        .filter(|row| row.kind == "host:port")
        .map(|row| row.default)
        .collect();
    let count = addresses.len();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), count);
}

/// A file as `ocis init` writes it.
pub(crate) fn initialised() -> Memory {
    Memory::new().yaml("ocis.yaml", init::tests::FIXTURE)
}

#[test]
fn a_generated_file_is_complete_and_quiet() {
    let loaded = Loaded::server(&initialised()).unwrap();
    assert_eq!(loaded.services.len(), 34);
    assert_eq!(loaded.global.jwt_secret.expose(), "rrM1ZJV@@Y7Bw0kutOMLGqOEGXbbod.%");
    let users = StorageUsers::load(&loaded.layers).unwrap();
    assert_eq!(users.mount_id, "50020e69-da51-4707-966d-ba8adeeb10d4");
    assert_eq!(users.ocis_root.to_str(), Some("/var/lib/ocis/storage/users"));
    assert_eq!(users.jwt_secret, loaded.global.jwt_secret);
    let idm = Idm::load(&loaded.layers).unwrap();
    assert_eq!(idm.admin_user_id, "9181deb3-c90b-4ea4-b1f0-aab7043e920e");
    assert_eq!(idm.admin_password.expose(), "admin");
    let lines = loaded.warning_lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("collaboration.wopi.secret (line 32)"), "{}", lines[0]);
    assert!(loaded.warnings.iter().all(|warning| matches!(warning, Warning::NotActedOn { .. })));
}

#[test]
fn what_is_missing_is_named_with_who_needs_it() {
    let error = Loaded::server(&Memory::new()).unwrap_err().to_string();
    for line in [
        "missing: token_manager.jwt_secret (or the variable OCIS_JWT_SECRET), needed by app-provider, app-registry, auth-basic,",
        "missing: transfer_secret (or the variable OCIS_TRANSFER_SECRET), needed by frontend, gateway",
        "missing: machine_auth_api_key (or the variable OCIS_MACHINE_AUTH_API_KEY), needed by auth-machine, frontend, ocdav, proxy",
        "missing: system_user_id (or the variable OCIS_SYSTEM_USER_ID), needed by settings, sharing, storage-system",
        "missing: system_user_api_key (or the variable OCIS_SYSTEM_USER_API_KEY), needed by settings, sharing, storage-system",
        "missing: graph.application.id (or the variable GRAPH_APPLICATION_ID), needed by graph",
        "missing: storage_users.mount_id (or the variable STORAGE_USERS_MOUNT_ID), needed by storage-users",
        "missing: gateway.storage_registry.storage_users_mount_id (or the variable GATEWAY_STORAGE_USERS_MOUNT_ID), needed by gateway",
        "missing: idm.service_user_passwords.idm_password (or the variable IDM_SVC_PASSWORD), needed by idm",
        "`ocis init` writes a configuration that has all of these",
    ] {
        assert!(error.contains(line), "{line}\nis not in\n{error}");
    }
    let accounts = error.lines().find(|line| line.contains("OCIS_SERVICE_ACCOUNT_ID")).unwrap();
    assert!(accounts.ends_with(
        "needed by auth-service, clientlog, frontend, graph, notifications, ocm, proxy, search, storage-users, userlog"
    ));
    let passwords = error.lines().find(|line| line.contains("OCIS_LDAP_BIND_PASSWORD")).unwrap();
    assert!(passwords.ends_with("needed by auth-basic, graph, groups, idp, users"));
    let one = Loaded::service(&Memory::new(), "storage-shares").unwrap_err().to_string();
    assert!(one.starts_with("missing: token_manager.jwt_secret (or the variable OCIS_JWT_SECRET), needed by storage-shares\n"), "{one}");
}

#[test]
fn an_empty_list_is_missing() {
    let source = initialised().yaml("settings.yaml", "service_account_ids: []\n");
    let error = Loaded::server(&source).unwrap_err().to_string();
    assert!(error.starts_with("missing: settings.service_account_ids (or the variable SETTINGS_SERVICE_ACCOUNT_IDS), needed by settings\n"), "{error}");
}

#[test]
fn the_first_admin_is_needed_with_demo_users() {
    let partial = Memory::new()
        .var("IDM_SVC_PASSWORD", "a")
        .var("IDM_REVASVC_PASSWORD", "b")
        .var("IDM_IDPSVC_PASSWORD", "c");
    Loaded::service(&partial, "idm").unwrap();
    let demo = partial.var("IDM_CREATE_DEMO_USERS", "true");
    let error = Loaded::service(&demo, "idm").unwrap_err().to_string();
    assert!(
        error
            .contains("missing: admin_user_id (or the variable OCIS_ADMIN_USER_ID), needed by idm")
    );
    let named = demo.var("OCIS_ADMIN_USER_ID", "x");
    let error = Loaded::service(&named, "idm").unwrap_err().to_string();
    assert!(error.contains("idm.service_user_passwords.admin_password"), "{error}");
    Loaded::service(&named.var("IDM_ADMIN_PASSWORD", "y"), "idm").unwrap();
}

#[test]
fn everything_wrong_is_said_at_once() {
    let source = initialised()
        .var("PROXY_TLS", "maybe")
        .var("OCIS_LOG_LEVEL", "loud")
        .var("STORAGE_USERS_DRIVER", "eos")
        .var("OCIS_RUNTIME_PORT", "http")
        .var("OCIS_ADD_RUN_SERVICES", "serch,antivirus")
        .yaml("proxy.yaml", "http: [1\n")
        .yaml("graph.yaml", "debug:\n  addr: here\n");
    let error = Loaded::server(&source).unwrap_err().to_string();
    for line in [
        "/etc/ocis/proxy.yaml:2:1: ",
        "PROXY_TLS is \"maybe\"; right would be true or false",
        "OCIS_LOG_LEVEL is \"loud\"; right would be panic, fatal, error, warning, info, debug or trace",
        "STORAGE_USERS_DRIVER is \"eos\", a driver of oCIS that this server does not have; right would be ocis or s3ng",
        "OCIS_RUNTIME_PORT is \"http\"; right would be a whole number from 0 to 65535",
        "OCIS_ADD_RUN_SERVICES (runtime.add_services) names \"serch\", and no service is called so; the nearest is search",
        "names \"antivirus\", a service of oCIS that this version does not have",
        "/etc/ocis/graph.yaml:2:3: debug.addr is \"here\"; right would be host:port",
    ] {
        assert_eq!(error.matches(line).count(), 1, "{line}\nis not once in\n{error}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_all_that_is_wrong() {
    let source = Memory::new().yaml("ocis.yaml", "a: [\n").var("PROXY_TLS", "maybe");
    let error = Loaded::server(&source).unwrap_err().to_string();
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    assert!(lines[0].starts_with("/etc/ocis/ocis.yaml:2:1: "), "{error}");
    assert!(lines[1].starts_with("PROXY_TLS is "), "{error}");
}

#[test]
fn services_are_selected_as_in_ocis() {
    let selected = |source: Memory| {
        let layers = Layers::read(&source, &Global::TABLE, &[]);
        Runtime::load(&layers).unwrap().select(&["a", "idm", "proxy", "search"], &["idm", "proxy"])
    };
    let with = |name: &str, value: &str| Memory::new().var(name, value);
    assert_eq!(selected(Memory::new()).unwrap(), ["idm", "proxy"]);
    assert_eq!(selected(with("OCIS_RUN_SERVICES", "search, proxy")).unwrap(), ["proxy", "search"]);
    assert_eq!(selected(with("OCIS_RUN_EXTENSIONS", "search")).unwrap(), ["search"]);
    let both = with("OCIS_RUN_EXTENSIONS", "search").var("OCIS_RUN_SERVICES", "idm");
    assert_eq!(selected(both).unwrap(), ["idm"], "the later name wins");
    assert_eq!(selected(with("OCIS_EXCLUDE_RUN_SERVICES", "idm")).unwrap(), ["proxy"]);
    assert_eq!(selected(with("OCIS_ADD_RUN_SERVICES", "a")).unwrap(), ["a", "idm", "proxy"]);
    let removed_last = with("OCIS_ADD_RUN_SERVICES", "a").var("OCIS_EXCLUDE_RUN_SERVICES", "a,idm");
    assert_eq!(selected(removed_last).unwrap(), ["proxy"]);
    let exactly = with("OCIS_RUN_SERVICES", "a").var("OCIS_EXCLUDE_RUN_SERVICES", "a");
    assert_eq!(selected(exactly).unwrap(), ["a"], "the other two are ignored");
    assert_eq!(selected(with("OCIS_EXCLUDE_RUN_SERVICES", "antivirus")).unwrap(), ["idm", "proxy"]);
    assert!(selected(with("OCIS_EXCLUDE_RUN_SERVICES", "idx")).is_err());
    let yaml = Memory::new().yaml("ocis.yaml", "runtime:\n  services: [a]\n");
    assert_eq!(selected(yaml).unwrap(), ["a"]);
    assert_eq!(Runtime::default().address(), "localhost:9250");
}

#[test]
fn optional_services_run_when_they_are_added() {
    let services = |source: Memory| Loaded::server(&source).unwrap().services;
    assert!(!services(initialised()).contains(&"auth-app"));
    let added = services(initialised().var("OCIS_ADD_RUN_SERVICES", "auth-app"));
    assert_eq!((added.len(), added.contains(&"auth-app")), (35, true));
    assert_eq!(services(initialised().var("OCIS_RUN_SERVICES", "auth-app")), ["auth-app"]);
}

#[test]
fn a_fresh_machine_is_unconfigured() {
    assert!(is_unconfigured(&Memory::new()));
    assert!(is_unconfigured(
        &Memory::new().var("PROXY_HTTP_ADDR", "localhost:1").var("OCIS_JWT_SECRET", "")
    ));
    assert!(!is_unconfigured(&Memory::new().var("OCIS_JWT_SECRET", "x")));
    assert!(!is_unconfigured(&Memory::new().yaml("ocis.yaml", "")));
    assert!(!is_unconfigured(&Memory::new().yaml("proxy.yaml", "{}")));
    assert!(!is_unconfigured(&Memory::new().yaml("ocis.yaml", "[")));
}

#[test]
fn secrets_are_not_shown() {
    let loaded = Loaded::server(&initialised()).unwrap();
    let shown = format!(
        "{:?} {:?} {:?}",
        loaded.global,
        Proxy::load(&loaded.layers).unwrap(),
        Idm::load(&loaded.layers).unwrap()
    );
    for secret in ["rrM1ZJV", "9VCNl", "uhRVn", "N^IXYV"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert!(shown.contains("jwt_secret: ***"));
}

#[test]
fn reference_and_help_are_those_of_the_tables() {
    use ocis_core::config::reference;
    let written = include_str!("../../SETTINGS.md");
    assert!(
        written == reference::markdown(&tables(), &Global::TABLE),
        "SETTINGS.md is old: run `cargo run -p xtask -- settings`"
    );
    for table in tables() {
        let help = reference::help_text(table, &Global::TABLE);
        for row in table.rows {
            let shown = |part: &str| part.is_empty() || help.contains(part);
            let is_global =
                Global::TABLE.rows.iter().any(|above| above.vars.first() == row.vars.first());
            let default = if is_global { "default" } else { row.default };
            let all = [row.yaml, default, row.doc.trim()];
            assert!(all.into_iter().chain(row.vars.iter().copied()).all(shown), "{}", row.field);
        }
    }
}
