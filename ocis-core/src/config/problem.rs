//! What is wrong with a configuration, in sentences that say where and what would be right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One thing that keeps a configuration from being used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A value, key or file is wrong; the sentence names the place and what would be right.
    Wrong(String),
    /// A value that a service cannot start without is nowhere.
    Missing {
        /// The service that needs it.
        service: &'static str,
        /// Its path in `ocis.yaml`.
        key: String,
        /// The variable that sets it for all services.
        variable: &'static str,
    },
}

/// Everything that is wrong, each thing once, in the order in which it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds `problem` unless it is already there.
    pub fn push(&mut self, problem: Problem) {
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// Adds a sentence.
    pub fn wrong(&mut self, sentence: impl Into<String>) {
        self.push(Problem::Wrong(sentence.into()));
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        other.0.into_iter().for_each(|problem| self.push(problem));
    }

    /// Only what is wrong, without what is missing: as long as a file cannot be read, nobody knows
    /// what it holds.
    #[must_use]
    pub fn without_missing(mut self) -> Self {
        self.0.retain(|problem| matches!(problem, Problem::Wrong(_)));
        self
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    /// One line a problem; what is missing is grouped by variable and comes last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut missing: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
        let mut lines = Vec::new();
        for problem in &self.0 {
            match problem {
                Problem::Wrong(sentence) => lines.push(sentence.clone()),
                Problem::Missing { service, key, variable } => {
                    let (keys, services) = missing.entry(variable).or_default();
                    keys.insert(key);
                    services.insert(service);
                }
            }
        }
        let has_missing = !missing.is_empty();
        for (variable, (keys, services)) in missing {
            let join = |set: BTreeSet<&str>| set.into_iter().collect::<Vec<_>>().join(", ");
            let variable = match variable {
                "" => String::new(),
                name => format!(" (or the variable {name})"),
            };
            lines.push(format!("missing: {}{variable}, needed by {}", join(keys), join(services)));
        }
        if has_missing {
            lines.push("`ocis init` writes a configuration that has all of these".to_owned());
        }
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Problems {}

impl From<Problems> for crate::Error {
    fn from(problems: Problems) -> Self {
        Self::invalid(problems.to_string())
    }
}

/// Something that does no harm but that the administrator should hear of, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// oCIS 7 knows this name and this version does nothing with it.
    NotActedOn {
        /// The file in which the key stands; none for a variable.
        file: Option<String>,
        /// The variable, or the path of the key with its line.
        name: String,
    },
    /// Nobody knows this name.
    Unknown {
        /// The variable, or file, line and path of the key.
        name: String,
        /// The name that it resembles most.
        nearest: Option<String>,
    },
    /// Anything else, as a sentence.
    Other(String),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotActedOn { file: None, name } => {
                write!(f, "{name} is a setting of oCIS that this version does not act on")
            }
            Self::NotActedOn { file: Some(file), name } => {
                write!(f, "{file}: {name} is a setting of oCIS that this version does not act on")
            }
            Self::Unknown { name, nearest: Some(nearest) } => {
                write!(
                    f,
                    "{name} is not a setting that anybody knows; the nearest known one is {nearest}"
                )
            }
            Self::Unknown { name, nearest: None } => {
                write!(f, "{name} is not a setting that anybody knows")
            }
            Self::Other(sentence) => f.write_str(sentence),
        }
    }
}

/// The warnings as log lines: one for each unknown name, and one for all names of a file, or of
/// the environment, that are known and not acted on.
pub fn lines(warnings: &[Warning]) -> Vec<String> {
    let mut ignored: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
    let mut lines = Vec::new();
    for warning in warnings {
        match warning {
            Warning::NotActedOn { file, name } => {
                ignored.entry(file.as_deref()).or_default().push(name);
            }
            _ => lines.push(warning.to_string()),
        }
    }
    for (file, names) in ignored {
        let place = file.map_or_else(|| "environment".to_owned(), str::to_owned);
        lines.push(format!(
            "{place}: settings of oCIS that this version does not act on: {}",
            names.join(", ")
        ));
    }
    lines
}
