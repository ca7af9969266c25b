//! The tables for people: `--help` of a service, and the settings reference.

use std::fmt::Write as _;

use super::table::{Row, Table};

/// The settings of one service for its `--help`.
pub fn help_text(table: &Table) -> String {
    let mut out =
        String::from("Settings (variables, of which a later one wins; key in YAML; default):\n");
    for row in table.rows {
        let _ = write!(out, "\n  {}\n", row.vars.join(", "));
        let key = if row.yaml.is_empty() { "no key" } else { row.yaml };
        let _ = writeln!(out, "      {key} ({}), {}", row.kind, default_sentence(row));
        let _ = writeln!(out, "      {}", row.doc.trim());
    }
    out
}

fn default_sentence(row: &Row) -> String {
    match (row.required, row.default) {
        (true, _) => "must be set; `ocis init` does".to_owned(),
        (false, "") => "no default".to_owned(),
        (false, default) => format!("default {default}"),
    }
}

/// The settings reference as Markdown.
pub fn markdown(tables: &[&Table]) -> String {
    let mut out = String::from(
        "# Settings\n\n\
         Written by `cargo run -p xtask -- settings` from the tables in `ocis-runtime/src/settings`; \
         a test fails when the two differ.\n\n\
         Each value comes from the strongest place that has one: built-in default, `ocis.yaml`, \
         `<service>.yaml`, environment. Of several variables in one row the later one wins. A key \
         stands below the topic of its service in `ocis.yaml` and at the top of `<service>.yaml`. \
         \"(init)\" marks what must be set and `ocis init` writes.\n",
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
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                row.vars.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join("<br>"),
                if row.yaml.is_empty() { String::new() } else { format!("`{}`", row.yaml) },
                row.kind,
                match (row.required, row.default) {
                    (true, _) => "(init)".to_owned(),
                    (false, "") => String::new(),
                    (false, default) => format!("`{}`", default.replace('|', "\\|")),
                },
                row.doc.trim()
            );
        }
    }
    out
}
