//! Free ports below the range that the kernel hands to outgoing connections, so that nobody takes
//! one between the moment it is chosen and the moment the server binds it.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

const FIRST: u16 = 12_000;
const LAST: u16 = 31_000;

/// The next port on 127.0.0.1 that nobody listens on.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = (std::process::id().wrapping_mul(61) % 16_000) as u16;
    for _ in FIRST..LAST {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + begin.wrapping_add(step) % (LAST - FIRST);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port between {FIRST} and {LAST}")
}

/// The variables that move every listener of the default services to a free port of 127.0.0.1,
/// so that servers of several tests, and one that already runs here, do not meet.
pub fn service_addresses() -> Result<Vec<(String, String)>> {
    let mut variables = Vec::new();
    for (service, kinds) in LISTENERS {
        for kind in kinds.split(' ') {
            let address = format!("127.0.0.1:{}", free_port()?);
            if (service, kind) == (&"IDM", "LDAPS") {
                // Where accounts are looked for, or services would take it for another directory.
                variables.push(("OCIS_LDAP_URI".to_owned(), format!("ldaps://{address}")));
            }
            variables.push((format!("{service}_{kind}_ADDR"), address));
        }
    }
    variables.push(("NATS_NATS_PORT".to_owned(), free_port()?.to_string()));
    variables.push(("OCIS_RUNTIME_PORT".to_owned(), free_port()?.to_string()));
    Ok(variables)
}

/// Prefix of the variables, and which listeners the service has (oCIS's port table).
const LISTENERS: &[(&str, &str)] = &[
    ("ACTIVITYLOG", "HTTP DEBUG"),
    ("APP_PROVIDER", "GRPC DEBUG"),
    ("APP_REGISTRY", "GRPC DEBUG"),
    ("AUTH_BASIC", "GRPC DEBUG"),
    ("AUTH_MACHINE", "GRPC DEBUG"),
    ("AUTH_SERVICE", "GRPC DEBUG"),
    ("CLIENTLOG", "DEBUG"),
    ("EVENTHISTORY", "GRPC DEBUG"),
    ("FRONTEND", "HTTP DEBUG"),
    ("GATEWAY", "GRPC DEBUG"),
    ("GRAPH", "HTTP DEBUG"),
    ("GROUPS", "GRPC DEBUG"),
    ("IDM", "LDAPS DEBUG"),
    ("IDP", "HTTP DEBUG"),
    ("NATS", "DEBUG"),
    ("NOTIFICATIONS", "DEBUG"),
    ("OCDAV", "HTTP DEBUG"),
    ("OCM", "HTTP GRPC DEBUG"),
    ("OCS", "HTTP DEBUG"),
    ("POSTPROCESSING", "DEBUG"),
    ("PROXY", "HTTP DEBUG"),
    ("SEARCH", "GRPC DEBUG"),
    ("SETTINGS", "HTTP GRPC DEBUG"),
    ("SHARING", "GRPC DEBUG"),
    ("SSE", "HTTP DEBUG"),
    ("STORAGE_PUBLICLINK", "GRPC DEBUG"),
    ("STORAGE_SHARES", "GRPC DEBUG"),
    ("STORAGE_SYSTEM", "HTTP GRPC DEBUG"),
    ("STORAGE_USERS", "HTTP GRPC DEBUG"),
    ("THUMBNAILS", "HTTP GRPC DEBUG"),
    ("USERLOG", "HTTP DEBUG"),
    ("USERS", "GRPC DEBUG"),
    ("WEB", "HTTP DEBUG"),
    ("WEBDAV", "HTTP DEBUG"),
    ("WEBFINGER", "HTTP DEBUG"),
];
