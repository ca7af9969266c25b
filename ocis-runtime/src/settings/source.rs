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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_or_not_or_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().to_str().unwrap();
        assert_eq!(Machine.file(at, "ocis.yaml"), Ok(None));
        assert_eq!(Machine.file(&format!("{at}/none"), "ocis.yaml"), Ok(None));
        fs::write(dir.path().join("ocis.yaml"), "a: 1\n").unwrap();
        let file = File { path: format!("{at}/ocis.yaml"), text: "a: 1\n".to_owned() };
        assert_eq!(Machine.file(at, "ocis.yaml"), Ok(Some(file)));
        fs::write(dir.path().join("bytes.yaml"), b"a: \xff\n").unwrap();
        let error = Machine.file(at, "bytes.yaml").unwrap_err();
        assert!(error.starts_with(&format!("{at}/bytes.yaml is not UTF-8")), "{error}");
        fs::create_dir(dir.path().join("dir.yaml")).unwrap();
        let error = Machine.file(at, "dir.yaml").unwrap_err();
        assert!(error.starts_with(&format!("{at}/dir.yaml cannot be read: ")), "{error}");
    }
}
