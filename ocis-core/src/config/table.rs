//! A settings table as data: what the loader, `--help`, the reference and the checks read.

/// The settings of one service.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The service's name; `global` and `runtime` for what belongs to no service.
    pub service: &'static str,
    /// The topic in `ocis.yaml`; empty for settings that stand at its top.
    pub key: &'static str,
    /// What the service is.
    pub doc: &'static str,
    /// The settings in the order of the reference.
    pub rows: &'static [Row],
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The field of the struct; unique in its table.
    pub field: &'static str,
    /// The path in YAML, relative to the service's topic; empty if only a variable sets it.
    pub yaml: &'static str,
    /// The variables; a later one wins.
    pub vars: &'static [&'static str],
    /// What a value looks like, in one or two words.
    pub kind: &'static str,
    /// Whether the value must not be shown.
    pub secret: bool,
    /// Whether the service cannot start without a value.
    pub required: bool,
    /// The built-in default as text; `$OCIS_BASE_DATA_PATH` stands for the data directory.
    pub default: &'static str,
    /// One sentence for a person.
    pub doc: &'static str,
}

impl Table {
    /// The path of a setting as it stands in `ocis.yaml`.
    pub fn path(&self, row: &Row) -> String {
        match (self.key, row.yaml) {
            ("", yaml) => yaml.to_owned(),
            (key, yaml) => format!("{key}.{yaml}"),
        }
    }

    /// The row of a field.
    pub fn row(&self, field: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.field == field)
    }
}
