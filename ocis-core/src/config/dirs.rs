//! The two directories that everything else derives from.

use std::collections::BTreeMap;

/// The variable that names the directory of the configuration files.
pub const CONFIG_DIR: &str = "OCIS_CONFIG_DIR";
/// The variable that names the directory below which all data lies.
pub const BASE_DATA_PATH: &str = "OCIS_BASE_DATA_PATH";

/// Where configuration and data lie. `~` is an ordinary character in both, as in oCIS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirs {
    /// Directory of `ocis.yaml` and `<service>.yaml`.
    pub config: String,
    /// Directory below which all data lies.
    pub data: String,
}

impl Dirs {
    /// The variables, else `.ocis/config` and `.ocis` in `home`, else `/etc/ocis` and
    /// `/var/lib/ocis`. An empty variable counts as not set.
    pub fn new(variables: &BTreeMap<String, String>, home: Option<&str>) -> Self {
        let pick = |name: &str, at_home: &str, without_home: &str| {
            variables.get(name).filter(|value| !value.is_empty()).cloned().unwrap_or_else(|| {
                match home {
                    Some(home) => format!("{}/{at_home}", home.trim_end_matches('/')),
                    None => without_home.to_owned(),
                }
            })
        };
        Self {
            config: pick(CONFIG_DIR, ".ocis/config", "/etc/ocis"),
            data: pick(BASE_DATA_PATH, ".ocis", "/var/lib/ocis"),
        }
    }

    /// `text` with `$OCIS_BASE_DATA_PATH` and `$OCIS_CONFIG_DIR` replaced, as built-in defaults
    /// have them.
    pub fn resolve(&self, text: &str) -> String {
        text.replace("$OCIS_BASE_DATA_PATH", self.data.trim_end_matches('/'))
            .replace("$OCIS_CONFIG_DIR", self.config.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_win_then_home_then_the_system() {
        let none = BTreeMap::new();
        let home = Dirs::new(&none, Some("/home/ada/"));
        assert_eq!((&*home.config, &*home.data), ("/home/ada/.ocis/config", "/home/ada/.ocis"));
        let system = Dirs::new(&none, None);
        assert_eq!((&*system.config, &*system.data), ("/etc/ocis", "/var/lib/ocis"));
        let empty = BTreeMap::from([(CONFIG_DIR.to_owned(), String::new())]);
        assert_eq!(Dirs::new(&empty, None).config, "/etc/ocis");
        let set = BTreeMap::from([
            (CONFIG_DIR.to_owned(), "~/c".to_owned()),
            (BASE_DATA_PATH.to_owned(), "/srv/data/".to_owned()),
        ]);
        let dirs = Dirs::new(&set, Some("/home/ada"));
        assert_eq!(dirs.config, "~/c", "a tilde is not expanded");
        assert_eq!(dirs.resolve("$OCIS_BASE_DATA_PATH/storage/users"), "/srv/data/storage/users");
    }
}
