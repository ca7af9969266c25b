//! The fields of an event and of the spans around it.

use std::fmt;

use serde_json::Value;
use tracing::field::{Field, Visit};

/// Names and values in the order in which they were recorded.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) message: String,
    pub(super) values: Vec<(&'static str, Value)>,
}

impl Fields {
    /// Adds the fields of a span further out, except those that are told already.
    pub(super) fn add_outer(&mut self, outer: &Self) {
        for (name, value) in &outer.values {
            self.add(name, value.clone());
        }
    }

    /// The service that the fields name.
    pub(super) fn take_service(&mut self) -> Option<String> {
        let at = self.values.iter().position(|(name, _)| *name == "service")?;
        match self.values.remove(at) {
            (_, Value::String(service)) => Some(service),
            _ => None,
        }
    }

    fn add(&mut self, name: &'static str, value: Value) {
        if !self.values.iter().any(|(known, _)| *known == name) {
            self.values.push((name, value));
        }
    }

    fn text(&mut self, field: &Field, text: String) {
        match field.name() {
            "message" => self.message = text,
            name => self.add(name, Value::String(text)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), value.into());
    }
}
