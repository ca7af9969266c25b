//! One log line, as JSON (zerolog's) or for a person (zerolog's console writer).

use std::fmt::Write as _;

use ocis_core::time::Timestamp;
use serde_json::{Map, Value};
use tracing::Level;

use super::fields::Fields;

/// Everything that a line tells.
pub(super) struct Line<'a> {
    pub(super) level: &'a Level,
    pub(super) service: &'a str,
    pub(super) time: Timestamp,
    /// File and line in the source.
    pub(super) position: Option<(&'a str, u32)>,
    pub(super) fields: &'a Fields,
}

impl Line<'_> {
    /// One JSON object with a line end.
    pub(super) fn json(&self) -> String {
        let mut object = Map::new();
        let mut add = |name: &str, value: Value| {
            object.insert(name.to_owned(), value);
        };
        for (name, value) in &self.fields.values {
            add(name, value.clone());
        }
        add("level", self.level.as_str().to_ascii_lowercase().into());
        add("service", self.service.into());
        add("time", self.time().into());
        if let Some((file, line)) = self.position {
            add("line", format!("{file}:{line}").into());
        }
        add("message", self.fields.message.as_str().into());
        let mut text = Value::Object(object).to_string();
        text.push('\n');
        text
    }

    /// `<time> <LVL> <message> <name>=<value> ...` with a line end.
    pub(super) fn pretty(&self, color: bool) -> String {
        let paint = |code: &str, text: &str| match color {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        };
        let (short, code) = match *self.level {
            Level::TRACE => ("TRC", "35"),
            Level::DEBUG => ("DBG", "33"),
            Level::INFO => ("INF", "32"),
            Level::WARN => ("WRN", "31"),
            Level::ERROR => ("ERR", "1;31"),
        };
        let message = harmless(&self.fields.message);
        let mut text = format!("{} {} {message}", paint("90", &self.time()), paint(code, short));
        let mut field = |name: &str, value: &str| {
            let value = match value.is_empty() || value.contains([' ', '"', '=']) {
                true => format!("{value:?}"),
                false => harmless(value),
            };
            // Writing to a string cannot fail.
            let _ = write!(text, " {}{value}", paint("36", &format!("{name}=")));
        };
        for (name, value) in &self.fields.values {
            match value {
                Value::String(value) => field(name, value),
                other => field(name, &other.to_string()),
            }
        }
        if let Some((file, line)) = self.position {
            field("line", &format!("{file}:{line}"));
        }
        field("service", self.service);
        text.push('\n');
        text
    }

    fn time(&self) -> String {
        self.time.date_time().format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

/// Without what could move a terminal's cursor or begin a line of its own.
fn harmless(text: &str) -> String {
    match text.contains(char::is_control) {
        true => text.escape_debug().to_string(),
        false => text.to_owned(),
    }
}
