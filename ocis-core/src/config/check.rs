//! Names that do nothing: those of oCIS 7 that this version does not act on, and those that nobody
//! knows, which are mostly typing errors.

use std::collections::BTreeSet;

use super::known::{self, Known};
use super::layers::Layers;
use super::problem::Warning;
use super::table::Table;
use super::yaml::Document;

/// Looks at every variable and every YAML key once. `tables` are all tables of this version,
/// whether their service runs or not; `acted_on` are variables that something else reads, such as
/// the flags of a command.
pub fn names(layers: &Layers, tables: &[&Table], acted_on: &[&str]) -> Vec<Warning> {
    let mut warnings = variables(layers, tables, acted_on);
    if let Some(document) = &layers.shared {
        shared_keys(document, tables, &mut warnings);
    }
    for (service, document) in &layers.own {
        let file = Topic::new(service, "", tables);
        for leaf in document.leaves() {
            let leaf: Vec<_> = leaf.iter().map(String::as_str).collect();
            file.judge(document, &leaf, &leaf, &mut warnings);
        }
    }
    warnings
}

fn variables(layers: &Layers, tables: &[&Table], acted_on: &[&str]) -> Vec<Warning> {
    let rows = tables.iter().flat_map(|table| table.rows);
    let mut acted: BTreeSet<_> = rows.flat_map(|row| row.vars.iter().copied()).collect();
    acted.extend(acted_on);
    let known: BTreeSet<_> = known::all().iter().flat_map(Known::variables).collect();
    let mut prefixes: Vec<_> = known::services().into_iter().map(known::prefix).collect();
    prefixes.push("OCIS_".to_owned());
    let mut warnings = Vec::new();
    for name in layers.variables.keys().map(String::as_str) {
        if acted.contains(name) || layers.used.contains(name) {
            continue;
        }
        let prefix = prefixes.iter().filter_map(|prefix| name.strip_prefix(&**prefix)).next();
        if known.contains(name) {
            warnings.push(Warning::NotActedOn { file: None, name: name.to_owned() });
        } else if prefix.is_some_and(|rest| !is_service_link(rest)) {
            let nearest = known::nearest(name, acted.union(&known).copied());
            warnings.push(Warning::Unknown {
                name: name.to_owned(),
                nearest: nearest.map(str::to_owned),
            });
        }
    }
    warnings
}

/// Whether Kubernetes or a container link put the variable there: a service named `web` gives
/// `WEB_SERVICE_HOST`, `WEB_SERVICE_PORT_HTTP`, `WEB_PORT`, `WEB_PORT_9100_TCP_ADDR`.
fn is_service_link(rest: &str) -> bool {
    let numbered = rest
        .strip_prefix("PORT_")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    matches!(rest, "SERVICE_HOST" | "PORT") || rest.starts_with("SERVICE_PORT") || numbered
}

fn shared_keys(document: &Document, tables: &[&Table], warnings: &mut Vec<Warning>) {
    let services = known::services();
    let topics: Vec<_> =
        services.iter().map(|name| Topic::new(name, &known::topic(name), tables)).collect();
    let mut top = Topic::new("global", "", tables);
    top.paths.extend(Topic::new("runtime", "", tables).paths);
    for leaf in document.leaves() {
        let leaf: Vec<_> = leaf.iter().map(String::as_str).collect();
        let Some((first, rest)) = leaf.split_first() else { continue };
        match topics.iter().find(|topic| topic.key == **first) {
            Some(topic) => topic.judge(document, rest, &leaf, warnings),
            None if top.has_first(first) => top.judge(document, &leaf, &leaf, warnings),
            None => {
                let names = topics.iter().map(|topic| topic.key.as_str()).chain(top.firsts());
                let nearest = known::nearest(first, names).map(str::to_owned);
                let warning = Warning::Unknown { name: document.place(&[first]), nearest };
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
    }
}

/// The paths that may stand below a topic.
struct Topic {
    key: String,
    /// Path, and whether this version acts on it.
    paths: Vec<(String, bool)>,
}

impl Topic {
    fn new(service: &str, key: &str, tables: &[&Table]) -> Self {
        let table = tables.iter().find(|table| table.service == service);
        let rows = table.map_or(&[][..], |table| table.rows);
        // The table of the runtime stands at the top of the file and has its whole path.
        let below = match (service, table) {
            ("runtime", Some(table)) => format!("{}.", table.key),
            _ => String::new(),
        };
        let acted = rows
            .iter()
            .filter(|row| !row.yaml.is_empty())
            .map(|row| (format!("{below}{}", row.yaml), true));
        let known = known::all()
            .iter()
            .filter(|known| known.service == service && !known.yaml.is_empty())
            .map(|known| (known.yaml.to_owned(), false));
        Self { key: key.to_owned(), paths: acted.chain(known).collect() }
    }

    fn firsts(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().filter_map(|(path, _)| path.split('.').next())
    }

    fn has_first(&self, first: &str) -> bool {
        self.firsts().any(|name| name == first)
    }

    /// Judges the key at `path` below this topic, which is `whole` in the file.
    fn judge(
        &self,
        document: &Document,
        path: &[&str],
        whole: &[&str],
        warnings: &mut Vec<Warning>,
    ) {
        let name = path.join(".");
        // A key above a known one holds nothing yet; a key below one belongs to its value.
        let related = |known: &str| {
            let above = known.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.'));
            let below = name.strip_prefix(known).is_some_and(|rest| rest.starts_with('.'));
            name.is_empty() || name == known || above || below
        };
        let Some((known, acted_on)) = self.paths.iter().find(|(known, _)| related(known)) else {
            let names = self.paths.iter().map(|(path, _)| path.as_str());
            let nearest = known::nearest(&name, names).map(str::to_owned);
            warnings.push(Warning::Unknown { name: document.place(whole), nearest });
            return;
        };
        if *acted_on || name.is_empty() {
            return;
        }
        // Of a value that is a tree of its own, only the key above it is named.
        let deeper = path.len().saturating_sub(known.split('.').count());
        let whole = whole.get(..whole.len() - deeper).unwrap_or(whole);
        let line =
            document.position(whole).map_or(String::new(), |(line, _)| format!(" (line {line})"));
        let warning = Warning::NotActedOn {
            file: Some(document.path().to_owned()),
            name: format!("{}{line}", whole.join(".")),
        };
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}
