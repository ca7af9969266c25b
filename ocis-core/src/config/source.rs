//! The door to environment and files, so that everything behind it can be tested without them.

use std::collections::BTreeMap;

/// Where settings are read from. Implemented by the machine and by [`Memory`].
pub trait Source {
    /// All environment variables, by name.
    fn variables(&self) -> BTreeMap<String, String>;

    /// The home directory, if there is one that exists.
    fn home(&self) -> Option<String>;

    /// The file `name` in `directory`; none when it does not exist. The error is a sentence that
    /// names the file, for one that exists and cannot be read.
    fn file(&self, directory: &str, name: &str) -> Result<Option<File>, String>;
}

/// A configuration file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path to show to a person.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A source made of literals, for tests and for programs that embed a service.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    variables: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    home: Option<String>,
}

impl Memory {
    /// Nothing is set, no file exists, there is no home.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Puts a file into every directory.
    #[must_use]
    pub fn yaml(mut self, name: &str, text: &str) -> Self {
        self.files.insert(name.to_owned(), text.to_owned());
        self
    }

    /// Sets the home directory.
    #[must_use]
    pub fn at_home(mut self, home: &str) -> Self {
        self.home = Some(home.to_owned());
        self
    }
}

impl Source for Memory {
    fn variables(&self) -> BTreeMap<String, String> {
        self.variables.clone()
    }

    fn home(&self) -> Option<String> {
        self.home.clone()
    }

    fn file(&self, directory: &str, name: &str) -> Result<Option<File>, String> {
        Ok(self
            .files
            .get(name)
            .map(|text| File { path: format!("{directory}/{name}"), text: text.clone() }))
    }
}
