//! Gives the layers a meaning, setting by setting, and gathers what is wrong.

use super::Log;
use super::layers::Layers;
use super::problem::{Problem, Problems};
use super::table::{Row, Table};
use super::units::{LogLevel, Value};
use super::yaml::{Document, Found};

/// Reads the settings of one table.
#[derive(Debug)]
pub struct Reader<'a> {
    layers: &'a Layers,
    table: Table,
    problems: Problems,
}

/// A value and where it comes from.
struct Raw {
    found: Found,
    /// The sentence's beginning for an error; none for a built-in default.
    place: Option<String>,
}

impl<'a> Reader<'a> {
    /// Reads `table` from `layers`.
    pub fn new(layers: &'a Layers, table: Table) -> Self {
        Self { layers, table, problems: Problems::default() }
    }

    /// The value of a field, or its type's default if there is something wrong with it, which is
    /// then among the problems.
    pub fn value<T: Value>(&mut self, field: &str) -> T {
        let Some(row) = self.table.row(field) else { return T::default() };
        let raw = match self.resolve(row, T::EMPTY) {
            Ok(raw) => raw,
            Err(sentence) => {
                self.problems.wrong(sentence);
                return T::default();
            }
        };
        let is_empty = match &raw.found {
            Found::Text(text) => text.is_empty(),
            Found::List(items) => items.is_empty(),
            Found::Map(_) | Found::Tree(_) => false,
        };
        if row.required && is_empty {
            self.problems.push(self.missing(row));
        }
        let parsed = match raw.found {
            Found::Text(text) if text.is_empty() && !T::EMPTY => return T::default(),
            Found::Text(text) => T::parse(&text).map_err(|right| match T::SECRET {
                true => right,
                false => format!(" is {text:?}{right}"),
            }),
            Found::List(items) => T::from_list(items),
            Found::Map(entries) => T::from_map(entries),
            Found::Tree(tree) => T::from_tree(tree),
        };
        let right = match parsed {
            Ok(value) => return value,
            Err(right) => right,
        };
        if let Some(place) = raw.place {
            self.problems.wrong(place + &right);
        }
        T::default()
    }

    /// The `log` block, which is the service's own if it has one in YAML, else the global one.
    pub fn log(&mut self) -> Log {
        let log = Log {
            level: self.value::<LogLevel>("log_level"),
            pretty: self.value("log_pretty"),
            color: self.value("log_color"),
            file: self.value("log_file"),
        };
        if log.pretty && !log.file.is_empty() {
            let place = |field: &str| {
                let raw = self.table.row(field).and_then(|row| self.resolve(row, true).ok());
                raw.and_then(|raw| raw.place).unwrap_or_default()
            };
            let sentence = format!(
                "{} is true and {} is {:?}: a log file must not be pretty; right would be one of the two",
                place("log_pretty"),
                place("log_file"),
                log.file
            );
            self.problems.wrong(sentence);
        }
        log
    }

    /// Everything that is wrong, after `check` had a look at the section as a whole.
    pub fn finish(mut self, check: impl FnOnce(&mut Check<'_>)) -> Problems {
        let table = self.table;
        check(&mut Check { table, layers: self.layers, problems: &mut self.problems });
        self.problems
    }

    fn missing(&self, row: &Row) -> Problem {
        missing(self.layers, &self.table, row)
    }

    fn resolve(&self, row: &'static Row, empty_counts: bool) -> Result<Raw, String> {
        let counts = |text: &str| empty_counts || !text.is_empty();
        for variable in row.vars.iter().rev() {
            if let Some(text) = self.layers.variables.get(*variable) {
                // The last variable that is set decides, even if it is empty.
                if counts(text) {
                    let found = Found::Text(text.clone());
                    return Ok(Raw { found, place: Some((*variable).to_owned()) });
                }
                break;
            }
        }
        for (document, path) in self.candidates(row)? {
            match document.find(&path)? {
                Some(Found::Text(text)) if !counts(&text) => {}
                Some(found) => return Ok(Raw { found, place: Some(document.place(&path)) }),
                None => {}
            }
        }
        Ok(Raw { found: Found::Text(self.layers.dirs.resolve(row.default)), place: None })
    }

    /// Where the setting may stand in YAML, the strongest place first.
    fn candidates(
        &self,
        row: &'static Row,
    ) -> Result<Vec<(&'a Document, Vec<&'static str>)>, String> {
        let mut places = Vec::new();
        let own = self.layers.own.get(self.table.service);
        let shared = self.layers.shared.as_ref();
        let relative: Vec<_> = row.yaml.split('.').collect();
        if !row.yaml.is_empty() {
            places.extend(own.map(|document| (document, relative.clone())));
            let topic = [self.table.key].into_iter().filter(|key| !key.is_empty());
            places.extend(shared.map(|document| (document, topic.chain(relative).collect())));
        }
        let is_log = row.yaml.starts_with("log.");
        if !(is_log && self.has_own_log()?)
            && let (Some(document), Some(global)) = (shared, global(self.layers, row))
        {
            places.push((document, global.yaml.split('.').collect()));
        }
        Ok(places)
    }

    /// Whether the service has a log block of its own, which then replaces the global one.
    fn has_own_log(&self) -> Result<bool, String> {
        if self.table.key.is_empty() {
            return Ok(false);
        }
        let in_own = match self.layers.own.get(self.table.service) {
            Some(document) => document.find(&["log"])?.is_some(),
            None => false,
        };
        let in_shared = match &self.layers.shared {
            Some(document) => document.find(&[self.table.key, "log"])?.is_some(),
            None => false,
        };
        Ok(in_own || in_shared)
    }
}

/// What a section's own check may look at and add to.
#[derive(Debug)]
pub struct Check<'a> {
    table: Table,
    layers: &'a Layers,
    problems: &'a mut Problems,
}

impl Check<'_> {
    /// Adds a sentence.
    pub fn wrong(&mut self, sentence: impl Into<String>) {
        self.problems.wrong(sentence);
    }

    /// Says that `field` is needed after all.
    pub fn missing(&mut self, field: &str) {
        if let Some(row) = self.table.row(field) {
            let problem = missing(self.layers, &self.table, row);
            self.problems.push(problem);
        }
    }
}

/// The global setting that shares a variable with `row`.
fn global(layers: &Layers, row: &Row) -> Option<&'static Row> {
    layers.globals.iter().find(|global| {
        !global.yaml.is_empty() && global.vars.iter().any(|name| row.vars.contains(name))
    })
}

fn missing(layers: &Layers, table: &Table, row: &Row) -> Problem {
    Problem::Missing {
        service: table.service,
        key: global(layers, row).map_or_else(|| table.path(row), |global| global.yaml.to_owned()),
        variable: row.vars.first().copied().unwrap_or_default(),
    }
}
