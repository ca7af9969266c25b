//! `ocis auth-app create`: a token for the programs of a user, made by the server that runs.

use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use ocis_core::config::Value as _;
use ocis_core::port::{AppTokens, CreateAppToken};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Caller, Cx, Error, ErrorKind};
use ocis_runtime::settings::StorageUsers;
use ocis_runtime::settings::driver::Driver;
use ocis_runtime::stores;

use super::{layers, load, wait};
use crate::cli::{Failure, print};

pub(crate) fn command() -> Command {
    Command::new("create")
        .about("create an app auth token for a user")
        .arg(Arg::new("user-name").long("user-name").help("user to create the app-token for"))
        .arg(
            Arg::new("expiration")
                .long("expiration")
                .default_value("72h")
                .help("expiration of the app password, e.g. 72h, 1h, 1m, 1s"),
        )
}

pub(crate) fn create(matches: &ArgMatches) -> Result<(), Failure> {
    let expiration = matches.get_one::<String>("expiration").map_or("72h", String::as_str);
    let lifetime = Duration::parse(expiration)
        .map_err(|right| Error::invalid(format!("--expiration is {expiration:?}{right}")))?;
    let username = match matches.get_one::<String>("user-name") {
        Some(name) if !name.is_empty() => name.clone(),
        _ => ask("Username to create app token for: ")?,
    };
    // The server leaves in its storage how it can be asked, for its own user only.
    let storage: StorageUsers = load(&layers(&["storage-users"])).map_err(Error::from)?;
    let root = match storage.driver {
        Driver::Ocis => storage.ocis_root,
        Driver::S3ng => storage.s3ng_root,
    };
    let now = SystemClock.now();
    let request = CreateAppToken {
        user: None,
        username: Some(username),
        label: "Generated via CLI".to_owned(),
        expires: now.plus(lifetime),
    };
    let made = wait(async {
        let server = stores::server(&root).await?;
        let cx = Cx::new(Caller::Service("command line".into()), now);
        AppTokens::create(&server, &cx, request).await
    });
    let made = made.map_err(|error| match error.kind() {
        ErrorKind::Unavailable if error.context().any(|(key, _)| key == "port") => {
            Error::unavailable(
                "the server runs without auth-app: start it with OCIS_ADD_RUN_SERVICES=auth-app",
            )
        }
        _ => error,
    })?;
    print(&format!("App token created for {}\n token: {}\n", made.username, made.token.expose()));
    Ok(())
}

fn ask(question: &str) -> Result<String, Failure> {
    print(question);
    let _ = std::io::stdout().flush();
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Error::invalid("no user name could be read").because(error))?;
    match line.trim() {
        "" => Err(Error::invalid("no user name was given").into()),
        name => Ok(name.to_owned()),
    }
}
