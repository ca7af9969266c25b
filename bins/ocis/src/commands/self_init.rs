//! The first `ocis server` on a machine without any configuration: makes one as `ocis init` would,
//! without asking, and shows the admin password this once.

use std::path::{Path, PathBuf};

use ocis_core::config::{Layers, Section as _, Source as _};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Error, Result};
use ocis_runtime::settings::{Global, Idm, Machine, StorageUsers, init};

use super::init::is_true;
use super::layers;
use crate::cli::print;

/// The warning of oCIS's proxy.
const BASIC_AUTH: &str = "basic auth enabled, use only for testing or development";

/// Makes the configuration and says what is where.
pub(super) fn run() -> Result<()> {
    let layers = &layers(&[]);
    let used = [
        StorageUsers::TABLE.row("ocis_root").map(|row| layers.dirs.resolve(row.default)),
        Idm::TABLE.row("directory").map(|row| layers.dirs.resolve(row.default)),
    ];
    for path in used.into_iter().flatten().map(PathBuf::from) {
        refuse_foreign_data(&path, layers)?;
    }
    let variables = Machine.variables();
    let password = ["ADMIN_PASSWORD", "IDM_ADMIN_PASSWORD"]
        .iter()
        .find_map(|name| variables.get(*name).filter(|value| !value.is_empty()));
    let options = init::Options {
        insecure: true,
        config_path: PathBuf::from(&layers.dirs.config),
        admin_password: password.map(ocis_core::config::Secret::new),
        create_demo_users: is_true(&variables, "IDM_CREATE_DEMO_USERS")?,
        enable_basic_auth: true,
        ..init::Options::default()
    };
    let init::Outcome::Written(written) = init::run(&options, SystemClock.now())? else {
        return Ok(());
    };
    let global = Global::load(layers)?;
    print(&format!(
        "\nThere was no configuration yet, so one was made.\n\n\
         \x20 URL           : {}\n\
         \x20 user          : admin\n\
         \x20 password      : {} (shown this once)\n\
         \x20 configuration : {}\n\
         \x20 data          : {}\n\n\
         Clients can sign in with user name and password at every request: {BASIC_AUTH}.\n\
         (PROXY_ENABLE_BASIC_AUTH=false turns that off. The certificate is self-signed.)\n\n",
        global.ocis_url.as_str(),
        written.admin_password.expose(),
        written.config_file.display(),
        layers.dirs.data,
    ));
    Ok(())
}

/// A new configuration has new ids: data that is there would not be accessible any more.
fn refuse_foreign_data(path: &Path, layers: &Layers) -> Result<()> {
    let is_used = path.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    match is_used {
        false => Ok(()),
        true => Err(Error::exists(format!(
            "there is data in {} but no configuration in {}: bring back the ocis.yaml that belongs \
             to the data or set OCIS_CONFIG_DIR to its directory (`ocis init` would make a new one, \
             for which that data is foreign)",
            path.display(),
            layers.dirs.config
        ))),
    }
}
