//! Paths that lead out of the space, or that no name can be.

use super::{Case, FOLDER};

/// What would climb out of a folder if it were taken for `..`, a separator or an end.
const CLIMBS: &[&str] = &[
    "../../../../../../etc/passwd",
    "%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "%2E%2e%2F%2e%2E%2fetc%2fpasswd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "..%5c..%5c..%5cetc%5cpasswd",
    "..%00/etc/passwd",
    "file%00.txt",
    "%00",
    "%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    "%c0%af..%c0%afetc",
    "%e0%80%af",
    "%f0%80%80%af",
    "%ed%a0%80",
    "%ff%fe",
    "%80",
    "./..",
    "a/../../b",
    "a/%2e%2e/%2e%2e/b",
    "%2e",
    ".",
    "..",
    "..;/..;/etc/passwd",
    "....//....//etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "%u002e%u002e/etc",
    "%",
    "%2",
    "%zz",
    "%2f%2fetc%2fpasswd",
];

/// On every tree, with reading and with changing methods.
pub(super) fn cases() -> Vec<Case> {
    let trees =
        [FOLDER, "/remote.php/webdav", "/webdav", "/remote.php/dav/files/admin", "/dav/spaces"];
    let mut all = Vec::new();
    for climb in CLIMBS {
        for tree in trees {
            for method in ["GET", "PROPFIND", "DELETE"] {
                let what = format!("{method} {tree}/{climb}");
                let case = Case::new(what, method).path(format!("{tree}/{climb}"));
                // `.` and `..` may be resolved before they are looked at, inside the space;
                // and a DELETE of a whole space is refused.
                all.push(if stays_inside(climb) && method != "DELETE" {
                    case.tolerated()
                } else {
                    case
                });
            }
        }
    }
    for name in ["%00", "a%00b", "%ff", "%c0%ae%c0%ae", "..%2fx", "%2e%2e", "a%2fb", "%2e"] {
        for method in ["PUT", "MKCOL"] {
            let body = if method == "PUT" { "x" } else { "" };
            let path = format!("{FOLDER}/{name}");
            all.push(Case::new(format!("{method} {path}"), method).path(path).body(body));
        }
    }
    for name in ["x".repeat(256), "\u{e9}".repeat(200), "%C3%A9".repeat(128)] {
        let path = format!("{FOLDER}/{name}");
        all.push(Case::new("PUT of a long name", "PUT").path(path).body("x"));
    }
    for path in [
        "/dav/files/",
        "/dav/files/none/x",
        "/dav/files/einstein/",
        "/dav/spaces/none",
        "/dav/spaces/..%2f..",
        "/dav/spaces/none$none!none",
        "/dav/spaces/00000000-0000-0000-0000-000000000000",
        "/dav/spaces/a$b!c$d!e",
        "/remote.php/dav/none/",
        "/graph/v1.0/none",
        "/ocs/v1.php/none",
        "/graph/v1.0/me/drives/..%2f..",
    ] {
        let case = Case::new(format!("PROPFIND {path}"), "PROPFIND").path(path);
        all.push(if path == "/dav/files/" { case.tolerated() } else { case });
    }
    all
}

fn stays_inside(climb: &str) -> bool {
    matches!(climb, "%2e" | "." | "./.." | "..")
}

/// The same as the target of COPY and MOVE, and targets on other machines.
pub(super) fn destinations() -> Vec<Case> {
    let mut targets: Vec<String> = CLIMBS
        .iter()
        .filter(|climb| !stays_inside(climb) && !is_a_name(climb))
        .map(|climb| format!("{FOLDER}/{climb}"))
        .collect();
    targets.extend(
        [
            "",
            "/",
            "no-slash",
            "http://",
            "http://example.org/dav/files/admin/x",
            "ftp://localhost/dav/files/admin/x",
            "file:///etc/passwd",
            "//example.org/x",
            "/etc/passwd",
            "/status.php",
            "/graph/v1.0/me",
            "/dav/files/einstein/x",
            "/dav/spaces/none/x",
            "javascript:alert(1)",
            "/dav/files/admin",
            "/dav/files/admin/hostile",
            "/dav/files/admin/hostile/file/below",
        ]
        .map(str::to_owned),
    );
    let mut all = Vec::new();
    for target in targets {
        for method in ["COPY", "MOVE"] {
            let mut case = Case::new(format!("{method} to {target}"), method)
                .header("Destination", target.as_str());
            // The specification's own code for another server (RFC 4918 section 9.8.5).
            if target.contains("example.org") {
                case = case.or(502);
            }
            all.push(case);
        }
    }
    all
}

/// Odd, and yet a legal name once decoded.
fn is_a_name(climb: &str) -> bool {
    climb.starts_with("%252e") || climb.starts_with("..%5c")
}
