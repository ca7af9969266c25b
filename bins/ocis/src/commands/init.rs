//! `ocis init`: the flags, variables and the question; what is written stands in
//! [`ocis_runtime::settings::init`].

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use ocis_core::config::dirs::{BASE_DATA_PATH, CONFIG_DIR};
use ocis_core::config::{Dirs, Secret, Source as _, Value as _};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Error, Result};
use ocis_runtime::settings::{Machine, init};

use crate::cli::{Failure, print};

pub(crate) fn command() -> Command {
    Command::new("init")
        .arg(
            Arg::new("insecure")
                .long("insecure")
                .help("Allow insecure oCIS config: yes, no or ask [OCIS_INSECURE] [default: ask]"),
        )
        .arg(
            Arg::new("diff")
                .long("diff")
                .short('d')
                .action(ArgAction::SetTrue)
                .help("Show the difference between the current config and the new one"),
        )
        .arg(
            Arg::new("force-overwrite")
                .long("force-overwrite")
                .short('f')
                .action(ArgAction::SetTrue)
                .help("Force overwrite existing config file [OCIS_FORCE_CONFIG_OVERWRITE]"),
        )
        .arg(
            Arg::new("config-path")
                .long("config-path")
                .help("Config path for the ocis runtime [OCIS_CONFIG_DIR, OCIS_BASE_DATA_PATH]"),
        )
        .arg(
            Arg::new("admin-password")
                .long("admin-password")
                .visible_alias("ap")
                .help("Set admin password instead of using a random generated one [ADMIN_PASSWORD, IDM_ADMIN_PASSWORD]"),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let variables = Machine.variables();
    let first = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| variables.get(*name).filter(|value| !value.is_empty()))
            .cloned()
    };
    let flag = |name: &str| matches.get_one::<String>(name).cloned();
    let config_path = flag("config-path")
        .or_else(|| first(&[CONFIG_DIR, BASE_DATA_PATH]))
        .unwrap_or_else(|| Dirs::new(&variables, Machine.home().as_deref()).config);
    let password =
        flag("admin-password").or_else(|| first(&["ADMIN_PASSWORD", "IDM_ADMIN_PASSWORD"]));
    let options = init::Options {
        insecure: is_insecure(flag("insecure").or_else(|| first(&["OCIS_INSECURE"])))?,
        diff: matches.get_flag("diff"),
        force_overwrite: matches.get_flag("force-overwrite")
            || is_true(&variables, "OCIS_FORCE_CONFIG_OVERWRITE")?,
        config_path: PathBuf::from(config_path),
        admin_password: password.map(Secret::new),
        create_demo_users: is_true(&variables, "IDM_CREATE_DEMO_USERS")?,
        ..init::Options::default()
    };
    let outcome = init::run(&options, SystemClock.now())?;
    print(&outcome.to_string());
    Ok(())
}

/// A variable that is true or false; false when it is not set.
pub(super) fn is_true(variables: &BTreeMap<String, String>, name: &str) -> Result<bool> {
    match variables.get(name).map(String::as_str) {
        None | Some("") => Ok(false),
        Some(text) => {
            bool::parse(text).map_err(|wrong| Error::invalid(format!("{name} is {text:?}{wrong}")))
        }
    }
}

fn is_insecure(given: Option<String>) -> Result<bool> {
    let given = match given.as_deref() {
        None | Some("ask") => ask()?,
        Some(given) => given.to_owned(),
    };
    Ok(["true", "yes", "y"].contains(&given.to_lowercase().as_str()))
}

fn ask() -> Result<String> {
    let _ = write!(
        std::io::stderr(),
        "Do you want to configure Infinite Scale with certificate checking disabled?\n \
         This is not recommended for public instances! [yes | no = default] "
    );
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Error::invalid("the answer could not be read").because(error))?;
    Ok(answer.trim().to_owned())
}
