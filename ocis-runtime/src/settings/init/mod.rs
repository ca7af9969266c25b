//! What `ocis init` does: writes an `ocis.yaml` with random secrets, with the keys and in the order
//! of oCIS, so that oCIS starts on it as well.

mod document;
mod patch;
mod values;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};

use ocis_core::config::{Secret, expand};
use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};

use document::Document;
use values::Values;

/// The name of the file that is written.
pub const CONFIG_FILE: &str = "ocis.yaml";
/// The name of the file that `--diff` writes.
pub const PATCH_FILE: &str = "ocis.config.patch";

/// The flags of `ocis init`, all questions answered.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether certificates of other parts of the server are not checked.
    pub insecure: bool,
    /// Write what is missing in an existing file as a patch, and leave the file alone.
    pub diff: bool,
    /// Replace an existing file, after a backup.
    pub force_overwrite: bool,
    /// The directory of the configuration files; made if it is not there.
    pub config_path: PathBuf,
    /// The first password of `admin`; none or empty for a random one.
    pub admin_password: Option<Secret>,
    /// Whether the demo users are made at first start.
    pub create_demo_users: bool,
    /// Whether clients may sign in with user name and password at every request; oCIS's `init`
    /// never writes that.
    pub enable_basic_auth: bool,
}

/// What was done; shown, it is what to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A configuration was written.
    Written(Written),
    /// The existing configuration lacks something.
    Patch {
        /// The file compared with what it should be.
        text: String,
        /// Where the same text was written.
        file: PathBuf,
    },
    /// The existing configuration lacks nothing.
    UpToDate,
}

/// A configuration that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub config_file: PathBuf,
    /// The first password of `admin`.
    pub admin_password: Secret,
    /// Where the file that was there before is now.
    pub backup: Option<PathBuf>,
}

/// Writes a configuration, or with `diff` compares the existing one with what it should be. The
/// new file appears whole or not at all, readable by its owner only, and is on disk when this
/// returns. Errors: [`ocis_core::ErrorKind::InvalidArgument`] for flags that exclude each other,
/// [`ocis_core::ErrorKind::AlreadyExists`] when there is a file and nothing says what to do with it.
pub fn run(options: &Options, now: Timestamp) -> Result<Outcome> {
    let given = options.admin_password.as_ref().filter(|password| !password.is_empty());
    if options.diff && options.force_overwrite {
        return Err(Error::invalid("diff and force-overwrite flags are mutually exclusive"));
    }
    if options.diff && given.is_some() {
        return Err(Error::invalid("diff and admin-password flags are mutually exclusive"));
    }
    if let Some(password) = given {
        check_password(password)?;
    }
    let target = options.config_path.join(CONFIG_FILE);
    if options.diff {
        return compare(options, &target);
    }
    let exists = target.symlink_metadata().is_ok();
    if exists && !options.force_overwrite {
        return Err(already_exists(&target));
    }
    let mut values = Values::random()?;
    if let Some(password) = given {
        values.admin_password = password.clone();
    }
    write::directory(&options.config_path)?;
    let backup = if exists { Some(write::backup(&target, now)?) } else { None };
    let mut document = Document::new(&values, options.insecure, options.create_demo_users);
    if options.enable_basic_auth {
        document.enable_basic_auth();
    }
    match write::atomically(&target, &document.to_yaml()?, options.force_overwrite) {
        Ok(()) => {}
        Err(error) if error.kind() == ocis_core::ErrorKind::AlreadyExists => {
            return Err(already_exists(&target));
        }
        Err(error) => return Err(error),
    }
    let admin_password = values.admin_password;
    Ok(Outcome::Written(Written { config_file: target, admin_password, backup }))
}

/// A password that would read differently from the file than it was given is refused.
fn check_password(password: &Secret) -> Result<()> {
    let text = password.expose();
    if expand::expand(text, |_| None, &mut Vec::new()) == text {
        return Ok(());
    }
    Err(Error::invalid(
        "the admin password must not hold ${NAME}: in a configuration file that stands for a variable",
    ))
}

fn already_exists(target: &Path) -> Error {
    Error::exists(
        "config file already exists, use --force-overwrite to overwrite or --diff to show diff",
    )
    .with("file", target.display())
}

fn compare(options: &Options, target: &Path) -> Result<Outcome> {
    let old = write::read(target)?;
    let Some(text) = patch::missing(&old, options.insecure, target)? else {
        return Ok(Outcome::UpToDate);
    };
    let file = options.config_path.join(PATCH_FILE);
    write::atomically(&file, &text, true)?;
    Ok(Outcome::Patch { text, file })
}

const RULE: &str = "=========================================";

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written(written) => written.fmt(f),
            Self::UpToDate => f.write_str("no changes, your config is up to date\n"),
            Self::Patch { text, file } => {
                write!(f, "{text}\ndiff written to {}\n", file.display())
            }
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\n{RULE}\n generated OCIS Config\n{RULE}\n configpath : {}\n user       : admin\n password   : {}\n\n",
            self.config_file.display(),
            self.admin_password.expose()
        )?;
        match &self.backup {
            Some(backup) => write!(
                f,
                "\n{RULE}\nAn older config file has been backuped to\n {}\n\n",
                backup.display()
            ),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(in crate::settings) mod tests;
