//! `cargo run -p xtask -- settings`: writes the settings reference from the tables.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use ocis_core::config::{Section as _, reference};
use ocis_runtime::settings;

/// Writes `ocis-runtime/SETTINGS.md`.
pub(crate) fn write() -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ocis-runtime/SETTINGS.md");
    let text = reference::markdown(&settings::tables(), &settings::Global::TABLE);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}
