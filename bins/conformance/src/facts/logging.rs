//! Section 4: what is logged, how it looks, and where it goes.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Fact;
use super::layers::insert;
use ocis_conformance::harness::{Launch, World};

pub(super) const FACTS: &[Fact] = &[
    ("seed-4.level", level),
    ("seed-4.color", color),
    ("seed-4.pretty", pretty),
    ("seed-4.file", file),
    ("seed-4.topic", topic),
    ("seed-4.service-block", service_block),
    ("seed-4.service-variables", service_variables),
    ("seed-4.line", line),
];

/// A server that was started once before, so that nothing but the log is printed.
fn prepared(world: &World) -> Result<Launch> {
    let launch = world.launch()?;
    launch.init()?;
    Ok(launch)
}

/// Starts, makes two requests, one of which is refused, stops, and returns what was printed.
fn log(launch: Launch) -> Result<String> {
    let mut server = launch.start()?;
    server.admin().get("/graph/v1.0/me")?.expect(&[200])?;
    server.anonymous().get("/graph/v1.0/me")?.expect(&[401])?;
    server.terminate(std::time::Duration::from_secs(20))?;
    Ok(server.log())
}

/// Lines that are JSON objects, as oCIS's are.
fn objects(text: &str) -> Vec<Value> {
    let parsed = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    parsed.filter(Value::is_object).collect()
}

fn levels(text: &str) -> Vec<String> {
    let mut all: Vec<String> = objects(text)
        .iter()
        .filter_map(|line| line["level"].as_str())
        .map(str::to_lowercase)
        .collect();
    all.sort();
    all.dedup();
    all
}

fn level(world: &World) -> Result<()> {
    let at = |level: &str| -> Result<Vec<String>> {
        let text = log(prepared(world)?.env("OCIS_LOG_LEVEL", level))?;
        Ok(levels(&text))
    };
    for quiet in ["panic", "fatal", "error", "ERROR"] {
        let seen = at(quiet)?;
        ensure!(seen.iter().all(|level| level == "error"), "{quiet} shows {seen:?}");
    }
    for warning in ["warn", "warning", "Warning"] {
        let seen = at(warning)?;
        let fits = seen.iter().all(|level| level == "error" || level.starts_with("warn"));
        ensure!(fits, "{warning} shows {seen:?}");
    }
    let seen = at("info")?;
    let fits = seen.contains(&"info".to_owned()) && !seen.contains(&"debug".to_owned());
    ensure!(fits, "info shows {seen:?}");
    for talkative in ["debug", "trace", "DEBUG"] {
        let seen = at(talkative)?;
        ensure!(seen.contains(&"debug".to_owned()), "{talkative} shows {seen:?}");
    }
    Ok(())
}

fn color(world: &World) -> Result<()> {
    let with = |color: &str| -> Result<String> {
        let launch = prepared(world)?.env("OCIS_LOG_LEVEL", "info").env("OCIS_LOG_PRETTY", "true");
        log(launch.env("OCIS_LOG_COLOR", color))
    };
    ensure!(with("true")?.contains("\u{1b}["), "no colour");
    ensure!(!with("false")?.contains('\u{1b}'), "colour");
    Ok(())
}

fn pretty(world: &World) -> Result<()> {
    let with = |pretty: &str| -> Result<String> {
        log(prepared(world)?.env("OCIS_LOG_LEVEL", "info").env("OCIS_LOG_PRETTY", pretty))
    };
    let (plain, pretty) = (with("false")?, with("true")?);
    ensure!(objects(&plain).len() > 2, "no JSON lines:\n{plain}");
    ensure!(objects(&pretty).is_empty() && pretty.lines().count() > 2, "not for people:\n{pretty}");
    Ok(())
}

fn file(world: &World) -> Result<()> {
    let launch = prepared(world)?.env("OCIS_LOG_LEVEL", "info");
    let path = launch.home().join("ocis.log");
    let launch = launch.env("OCIS_LOG_FILE", &path.display().to_string());
    let printed = log(launch.clone())?;
    let written = std::fs::read_to_string(&path).context("no log file")?;
    ensure!(objects(&written).len() > 2, "not in the file: {written}");
    ensure!(objects(&printed).is_empty(), "printed as well: {printed}");
    let both = launch.env("OCIS_LOG_PRETTY", "true").run(&["server"])?;
    ensure!(both.code() == 1, "{}", both.said());
    let named = both.stderr.to_lowercase();
    ensure!(named.contains("file") && named.contains("pretty"), "{}", both.said());
    Ok(())
}

fn topic(world: &World) -> Result<()> {
    let launch = prepared(world)?;
    insert(&launch, "log:", "  level: debug\n")?;
    let seen = levels(&log(launch)?);
    ensure!(seen.contains(&"debug".to_owned()), "log: level: debug in ocis.yaml shows {seen:?}");
    Ok(())
}

/// The proxy's own block says nothing of `pretty`, so its lines are JSON, and the others' are not.
fn service_block(world: &World) -> Result<()> {
    let launch = prepared(world)?;
    insert(&launch, "log:", "  level: debug\n  pretty: true\n  color: false\n")?;
    insert(&launch, "proxy:", "  log:\n    level: debug\n")?;
    let text = log(launch)?;
    let lines = objects(&text);
    ensure!(!lines.is_empty(), "no line of the proxy is JSON:\n{text}");
    let others: Vec<&Value> = lines.iter().filter(|line| line["service"] != "proxy").collect();
    ensure!(others.is_empty(), "others are JSON too: {others:?}");
    ensure!(text.lines().count() > lines.len(), "nothing is pretty:\n{text}");
    Ok(())
}

fn service_variables(world: &World) -> Result<()> {
    let launch = prepared(world)?.env("OCIS_LOG_LEVEL", "error").env("PROXY_LOG_LEVEL", "debug");
    let text = log(launch)?;
    let talkative: Vec<Value> =
        objects(&text).into_iter().filter(|line| line["level"] == "debug").collect();
    ensure!(!talkative.is_empty(), "no debug line of the proxy:\n{text}");
    let others: Vec<&Value> = talkative.iter().filter(|line| line["service"] != "proxy").collect();
    ensure!(others.is_empty(), "debug lines of others: {others:?}");
    let launch = prepared(world)?.env("PROXY_LOG_LEVEL", "debug");
    let path = launch.home().join("proxy.log");
    log(launch.clone().env("PROXY_LOG_FILE", &path.display().to_string()))?;
    let written = std::fs::read_to_string(&path).context("no PROXY_LOG_FILE")?;
    ensure!(objects(&written).iter().all(|line| line["service"] == "proxy"), "{written}");
    Ok(())
}

fn line(world: &World) -> Result<()> {
    for level in ["info", "debug"] {
        let lines = objects(&log(prepared(world)?.env("OCIS_LOG_LEVEL", level))?);
        ensure!(!lines.is_empty(), "nothing is logged at {level}");
        for object in &lines {
            let position = object["line"].as_str().unwrap_or_default();
            ensure!(position.contains(".rs:"), "no position: {object}");
            for field in ["level", "time", "message", "service"] {
                ensure!(!object[field].is_null(), "no {field}: {object}");
            }
        }
    }
    let quiet = objects(&log(prepared(world)?.env("OCIS_LOG_LEVEL", "warn"))?);
    ensure!(quiet.iter().all(|object| object["line"].is_null()), "a position at warn: {quiet:?}");
    Ok(())
}
