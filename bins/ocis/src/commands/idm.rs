//! `ocis idm resetpassword`: a new password for somebody who lost theirs, while idm does not run.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::{Arg, ArgMatches, Command};
use ocis_auth::directory::reset_password as reset;
use ocis_core::Error;
use ocis_core::config::Secret;
use ocis_runtime::settings::Idm;

use super::{layers, load};
use crate::cli::{Failure, print};

pub(crate) fn command() -> Command {
    Command::new("resetpassword").about("Reset admin password").arg(
        Arg::new("user-name").long("user-name").short('u').default_value("admin").help("User name"),
    )
}

pub(crate) fn reset_password(matches: &ArgMatches) -> Result<(), Failure> {
    let idm: Idm = load(&layers(&["idm"])).map_err(Error::from)?;
    let user = matches.get_one::<String>("user-name").map_or("admin", String::as_str);
    let name = format!("uid={user},ou=users,o=libregraph-idm");
    print(&format!("Resetting password for user '{name}'.\n"));
    let password = ask("Enter new password: ")?;
    if ask("Re-enter new password: ")? != password {
        return Err(Error::invalid("Passwords do not match").into());
    }
    reset(&idm.directory, user, password.expose())?;
    print(&format!("Password for user '{name}' updated.\n"));
    Ok(())
}

/// Asks for a password: hidden on a terminal, a line of the standard input otherwise.
fn ask(prompt: &str) -> Result<Secret, Failure> {
    let unreadable = |error| Error::invalid("no password could be read").because(error);
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt)
            .map(Secret::new)
            .map_err(|e| unreadable(e).into());
    }
    print(prompt);
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(unreadable)?;
    print("\n");
    let _ = std::io::stdout().flush();
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}
