//! Environment and files of the machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use ocis_core::config::{File, Source};

/// The machine that the process runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

impl Source for Machine {
    fn variables(&self) -> BTreeMap<String, String> {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
    }

    /// `$HOME` if it is a directory: accounts of services often name one that does not exist.
    fn home(&self) -> Option<String> {
        let home = std::env::var("HOME").ok()?;
        (Path::new(&home).is_absolute() && Path::new(&home).is_dir()).then_some(home)
    }

    fn file(&self, directory: &str, name: &str) -> Result<Option<File>, String> {
        let path = Path::new(directory).join(name);
        let shown = path.display().to_string();
        match fs::read(&path) {
            Ok(bytes) => String::from_utf8(bytes)
                .map(|text| Some(File { path: shown.clone(), text }))
                .map_err(|_| format!("{shown} is not UTF-8; right would be a YAML file in UTF-8")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{shown} cannot be read: {error}")),
        }
    }
}
