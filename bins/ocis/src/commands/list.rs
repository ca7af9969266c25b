//! `ocis list`: the services that run in a runtime.

use clap::{Arg, ArgMatches, Command, value_parser};
use ocis_runtime::control;
use ocis_runtime::settings::Runtime;
use ocis_runtime::supervisor::{State, Status};

use super::{layers, load, wait};
use crate::cli::{Failure, print};
use crate::table::draw;

pub(crate) fn command() -> Command {
    Command::new("list")
        .arg(
            Arg::new("hostname")
                .long("hostname")
                .help("Hostname of the runtime [OCIS_RUNTIME_HOST, else localhost]"),
        )
        .arg(
            Arg::new("port")
                .long("port")
                .value_parser(value_parser!(u16))
                .help("Port of the runtime [OCIS_RUNTIME_PORT, else 9250]"),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let runtime: Runtime = load(&layers(&[])).map_err(ocis_core::Error::from)?;
    let host = matches.get_one::<String>("hostname").unwrap_or(&runtime.host);
    let port = matches.get_one::<u16>("port").copied().unwrap_or(runtime.port);
    let services = wait(control::services(host, port))?;
    let rows: Vec<_> = services.iter().filter(|s| runs(s)).map(|s| [s.name.clone()]).collect();
    print(&format!("{}\n", draw(["SERVICE"], &rows)));
    Ok(())
}

/// Whether the supervisor keeps the service alive.
pub(crate) fn runs(status: &Status) -> bool {
    !matches!(status.state, State::GivenUp | State::Stopped)
}
