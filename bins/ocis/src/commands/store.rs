//! The store that a maintenance command works on: asked through its server, or opened here.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, value_parser};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Caller, Cx, Error, Result};
use ocis_runtime::settings::StorageUsers;
use ocis_runtime::settings::driver::Driver;
use ocis_runtime::stores::{Blobs, Reached, reach};

use super::{layers, load, wait};

/// A flag that takes a value only after `=`, as oCIS's do: `--dry-run`, `--dry-run=false`.
pub(crate) fn switch(name: &'static str, default: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .num_args(0..=1)
        .require_equals(true)
        .default_value(default)
        .default_missing_value("true")
        .value_parser(value_parser!(bool))
        .help(help)
}

/// What such a flag says.
pub(crate) fn is_on(matches: &ArgMatches, name: &str) -> bool {
    matches.get_one(name).copied().unwrap_or_default()
}

/// A required path under a name of oCIS's.
pub(crate) fn root(name: &'static str, short: char) -> Arg {
    Arg::new(name)
        .long(name)
        .short(short)
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("The directory of the storage, such as /var/lib/ocis/storage/users")
}

/// Which contents belong to the store.
pub(crate) fn blobstore() -> Arg {
    Arg::new("blobstore")
        .long("blobstore")
        .short('b')
        .default_value("ocis")
        .value_parser(["none", "ocis", "s3ng"])
        .help("Where contents lie; none leaves them out")
}

/// Runs `work` on the store at the path under `flag`.
pub(crate) fn with_store<T>(
    matches: &ArgMatches,
    flag: &str,
    work: impl AsyncFnOnce(&Path, &Reached, &Cx) -> Result<T>,
) -> Result<T> {
    let no_path = || Error::invalid(format!("--{flag} is missing"));
    let path: &PathBuf = matches.get_one(flag).ok_or_else(no_path)?;
    let blobs = matches.try_get_one::<String>("blobstore").ok().flatten();
    let blobs = match blobs.map(String::as_str) {
        Some("s3ng") => {
            let layers = layers(&["storage-users"]);
            let mut settings: StorageUsers = load(&layers).map_err(Error::from)?;
            settings.driver = Driver::S3ng;
            Blobs::Configured(Box::new(settings))
        }
        _ => Blobs::Beside,
    };
    with_store_at(path, blobs, async |reached, cx| work(path, reached, cx).await)
}

/// Runs `work` on the store of these settings.
pub(crate) fn with_configured<T>(
    settings: StorageUsers,
    work: impl AsyncFnOnce(&Reached, &Cx) -> Result<T>,
) -> Result<T> {
    let root = match settings.driver {
        Driver::Ocis => settings.ocis_root.clone(),
        Driver::S3ng => settings.s3ng_root.clone(),
    };
    with_store_at(&root, Blobs::Configured(Box::new(settings)), work)
}

/// Runs `work` on the store at `path`.
fn with_store_at<T>(
    path: &Path,
    blobs: Blobs,
    work: impl AsyncFnOnce(&Reached, &Cx) -> Result<T>,
) -> Result<T> {
    wait(async {
        let reached = reach(path, blobs).await?;
        let cx = Cx::new(Caller::Service("command line".into()), SystemClock.now());
        let done = work(&reached, &cx).await;
        let closed = reached.close().await;
        done.and_then(|done| closed.map(|()| done))
    })
}

/// Shows how far a long command is, to a person and not in a log.
pub(crate) fn progress(text: &str) {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let _ = write!(out, "\r\x1b[K{text}");
        let _ = out.flush();
    }
}

/// Asks a question; the answer in small letters.
pub(crate) fn ask(question: &str) -> Result<String> {
    let _ = write!(std::io::stderr(), "{question} ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Error::invalid("the answer could not be read").because(error))?;
    Ok(answer.trim().to_lowercase())
}
