//! Scripts for node with packages of npm, as clients that we did not write.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::run;

/// Runs a script, which is to print `ok` at its end. `prepare` gives it what it needs; the folder that
/// it gets is removed afterwards.
pub fn script(
    name: &str,
    text: &str,
    prepare: impl FnOnce(&mut Command, &Path) -> Result<()>,
) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(name);
    fs::write(&path, text)?;
    symlink(node_modules()?, folder.path().join("node_modules"))?;
    let mut command = Command::new("node");
    command
        .arg(&path)
        .env("NODE_NO_WARNINGS", "1")
        // The certificate is self-signed; what is tested here is not TLS.
        .env("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    prepare(&mut command, folder.path())?;
    let finished = run(&mut command, Duration::from_secs(180))?.success(name)?;
    ensure!(finished.stdout.trim_end() == "ok", "{name} broke off: {}", finished.said());
    Ok(())
}

/// Where `.ci/run` installs packages: beside one of the folders in `PATH`.
fn node_modules() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places =
        std::env::split_paths(&path).filter_map(|bin| Some(bin.parent()?.join("node_modules")));
    let mut whole = places.filter(|modules| modules.join("tus-js-client").is_dir());
    whole.next().context("the npm packages are not installed: see install_clients in .ci/run")
}
