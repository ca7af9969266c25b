//! The tables for people: `--help` of a service, and the settings reference.

use std::fmt::Write as _;

use super::table::{Row, Table};

/// The settings of one service for its `--help`; `global` are those to which they fall back.
pub fn help_text(table: &Table, global: &Table) -> String {
    let mut out =
        String::from("Settings (variables, of which a later one wins; key in YAML; default):\n");
    for row in table.rows {
        let vars = if row.vars.is_empty() { "(YAML only)".to_owned() } else { row.vars.join(", ") };
        let key = if row.yaml.is_empty() { "no key" } else { row.yaml };
        let default = match default(table, row, global) {
            Default::Required => "must be set; `ocis init` does".to_owned(),
            Default::Global(key, false) => format!("default: the global {key}"),
            Default::Global(key, true) => {
                format!("must be set here or as the global {key}; `ocis init` does")
            }
            Default::Text("") => "no default".to_owned(),
            Default::Text(text) => format!("default {text}"),
        };
        let _ = write!(out, "\n  {vars}\n      {key} ({}), {default}\n", row.kind);
        let _ = writeln!(out, "      {}", row.doc.trim());
    }
    out
}

/// Where a value comes from when nobody sets it.
enum Default {
    Required,
    /// The key of the global setting, and whether a value is required.
    Global(&'static str, bool),
    Text(&'static str),
}

fn default(table: &Table, row: &Row, global: &Table) -> Default {
    let above =
        global.rows.iter().find(|above| above.vars.iter().any(|name| row.vars.contains(name)));
    match above {
        Some(above) if table.service != global.service && !above.yaml.is_empty() => {
            Default::Global(above.yaml, row.required)
        }
        _ if row.required && row.default.is_empty() => Default::Required,
        _ => Default::Text(row.default),
    }
}

/// The settings reference as Markdown; `global` is one of `tables`.
pub fn markdown(tables: &[&Table], global: &Table) -> String {
    let mut out = String::from(
        "# Settings\n\n\
         Written by `cargo run -p xtask -- settings` from the tables in `ocis-runtime/src/settings`; \
         a test fails when the two differ.\n\n\
         Each value comes from the strongest place that has one: built-in default, `ocis.yaml`, \
         `<service>.yaml`, environment. Of several variables in one row the later one wins. A key \
         stands below the topic of its service in `ocis.yaml` and at the top of `<service>.yaml`. \
         \"init\" marks what must be set and `ocis init` writes; \"global\" what comes from the key of \
         that name at the top of `ocis.yaml`.\n",
    );
    for table in tables {
        let _ = write!(out, "\n## {}\n\n{}", table.service, table.doc.trim());
        match table.key {
            "" => out.push_str(" Keys stand at the top of `ocis.yaml`.\n\n"),
            key => {
                let _ = write!(out, " Topic `{key}`.\n\n");
            }
        }
        out.push_str(
            "| variables | key | type | default | what it does |\n|---|---|---|---|---|\n",
        );
        for row in table.rows {
            let default = match default(table, row, global) {
                Default::Required => "init".to_owned(),
                Default::Global(key, false) => format!("global `{key}`"),
                Default::Global(key, true) => format!("global `{key}` (init)"),
                Default::Text("") => String::new(),
                Default::Text(text) => format!("`{}`", text.replace('|', "\\|")),
            };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {default} | {} |",
                row.vars.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join("<br>"),
                if row.yaml.is_empty() { String::new() } else { format!("`{}`", row.yaml) },
                row.kind,
                row.doc.trim()
            );
        }
    }
    out
}
