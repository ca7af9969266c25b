//! Everything that was read, in layers: defaults < `ocis.yaml` < `<service>.yaml` < environment.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::dirs::Dirs;
use super::problem::{Problems, Warning};
use super::source::Source;
use super::table::{Row, Table};
use super::yaml::Document;

/// The configuration as it was read, before it is given a meaning.
#[derive(Debug, Clone)]
pub struct Layers {
    /// Where configuration and data lie.
    pub dirs: Dirs,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) shared: Option<Document>,
    pub(super) own: BTreeMap<String, Document>,
    pub(super) globals: &'static [Row],
    /// Variables that a file refers to.
    pub(super) used: BTreeSet<String>,
    problems: Problems,
    warnings: Vec<Warning>,
}

impl Default for Layers {
    /// Nothing but the built-in defaults.
    fn default() -> Self {
        let variables = BTreeMap::new();
        Self {
            dirs: Dirs::new(&variables, None),
            variables,
            shared: None,
            own: BTreeMap::new(),
            globals: &[],
            used: BTreeSet::new(),
            problems: Problems::default(),
            warnings: Vec::new(),
        }
    }
}

impl Layers {
    /// Reads environment, `ocis.yaml` and the files of `services`. A file that cannot be used does
    /// not end this: it is among [`Self::problems`]. The rows of `global` stand at the top of `ocis.yaml`; every service's setting that
    /// one of the same variables sets falls back to them.
    pub fn read(source: &dyn Source, global: &Table, services: &[&str]) -> Self {
        let variables = source.variables();
        let dirs = Dirs::new(&variables, source.home().as_deref());
        let mut layers = Self { dirs, variables, globals: global.rows, ..Self::default() };
        layers.shared = layers.document(source, "ocis");
        layers.read_own(source, services);
        layers
    }

    /// Reads the files of `services` as well.
    pub fn read_own(&mut self, source: &dyn Source, services: &[&str]) {
        for service in services {
            if let Some(document) = self.document(source, service) {
                self.own.insert((*service).to_owned(), document);
            }
        }
    }

    fn document(&mut self, source: &dyn Source, name: &str) -> Option<Document> {
        let file = match source.file(&self.dirs.config, &format!("{name}.yaml")) {
            Ok(file) => file?,
            Err(sentence) => {
                self.problems.wrong(sentence);
                return None;
            }
        };
        let path = file.path.clone();
        let mut unset = Vec::new();
        let used = RefCell::new(BTreeSet::new());
        let lookup = |name: &str| {
            used.borrow_mut().insert(name.to_owned());
            self.variables.get(name).cloned()
        };
        let parsed = Document::parse(file, lookup, &mut unset);
        self.used.append(&mut used.into_inner());
        self.warnings.extend(unset.into_iter().map(|name| {
            Warning::Other(format!(
                "{path}: ${{{name}}} is not set and has no default: it is taken as empty"
            ))
        }));
        parsed.map_err(|sentence| self.problems.wrong(sentence)).ok()
    }

    /// Files that cannot be read or are not YAML.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// What was noticed while reading.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The files that were read.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.shared.iter().chain(self.own.values()).map(Document::path)
    }

    /// Whether `ocis.yaml` or any other file was read.
    pub fn has_files(&self) -> bool {
        self.files().next().is_some()
    }

    /// The value of an environment variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }
}
