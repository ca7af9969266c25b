//! What ends up in the log, read back from files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ocis_core::time::Timestamp;
use serde_json::Value;

use super::*;

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(1_700_000_000, 5).unwrap()
    }
}

fn log(level: LogLevel, file: &Path) -> Log {
    Log { level, file: file.to_str().unwrap().to_owned(), ..Log::default() }
}

fn with(global: &Log, services: &[(&'static str, Log)], speak: impl FnOnce()) {
    let services = services.iter().cloned().collect();
    let layer = ServiceLog::new(global, &services, Arc::new(Fixed)).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), speak);
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_has_the_fields_of_ocis() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    with(&log(LogLevel::Error, &file), &[], || {
        tracing::error!(service = "idm", count = 3, "it\nbroke");
        tracing::warn!("not told");
    });
    assert_eq!(
        lines(&file),
        [serde_json::json!({
            "level": "error", "service": "idm", "time": "2023-11-14T22:13:20Z",
            "count": 3, "message": "it\nbroke",
        })]
    );
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_source_position_is_told_from_info_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    with(&log(LogLevel::Info, &file), &[], || tracing::error!("x"));
    let told = lines(&file);
    let line = told[0]["line"].as_str().unwrap();
    assert!(line.contains("log/tests.rs:"), "{line}");
}

#[test]
fn a_service_has_its_own_level_and_output() {
    let folder = tempfile::tempdir().unwrap();
    let (all, own) = (folder.path().join("all"), folder.path().join("own"));
    with(&log(LogLevel::Error, &all), &[("proxy", log(LogLevel::Debug, &own))], || {
        let span = tracing::info_span!("request", service = "proxy", "request-id" = "r1");
        span.in_scope(|| {
            tracing::debug!("inside");
            tracing::debug!(service = "graph", "another speaks");
        });
        tracing::error!(target: "ocis_graph::me", "outside");
    });
    let own = lines(&own);
    assert_eq!(own.len(), 1);
    assert_eq!((&own[0]["message"], &own[0]["request-id"]), (&"inside".into(), &"r1".into()));
    let all = lines(&all);
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0]["service"], &all[0]["message"]), (&"graph".into(), &"outside".into()));
}

#[test]
fn libraries_speak_up_only_when_something_looks_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    with(&log(LogLevel::Debug, &file), &[], || {
        tracing::debug!(target: "hyper::proto", "chatter");
        tracing::warn!(target: "hyper::proto", "trouble");
    });
    let messages: Vec<_> = lines(&file).iter().map(|line| line["message"].clone()).collect();
    assert_eq!(messages, ["trouble"]);
}

#[test]
fn pretty_lines_cannot_be_forged() {
    let fields = Fields {
        message: "a\n2020-01-01 ERR b".into(),
        values: vec![("name", "\u{1b}[2Jx y".into()), ("n", 1.into())],
    };
    let line = format::Line {
        level: &tracing::Level::WARN,
        service: "ocdav",
        time: Fixed.now(),
        position: None,
        fields: &fields,
    };
    assert_eq!(
        line.pretty(false),
        "2023-11-14T22:13:20Z WRN a\\n2020-01-01 ERR b name=\"\\u{1b}[2Jx y\" n=1 service=ocdav\n"
    );
    assert!(line.pretty(true).starts_with("\u{1b}[90m2023-11-14T22:13:20Z\u{1b}[0m \u{1b}[31mWRN"));
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let settings = log(LogLevel::Error, Path::new("/nonexistent/log"));
    let error = ServiceLog::new(&settings, &HashMap::new(), Arc::new(Fixed)).unwrap_err();
    assert!(error.message().contains("/nonexistent/log"), "{error}");
}
