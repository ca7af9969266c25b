//! `ocis version` and `ocis <service> version`: this binary, and the services that run.

use clap::ArgMatches;
use ocis_core::time::Timestamp;
use ocis_runtime::VERSION;
use ocis_runtime::control;
use ocis_runtime::registry::Entry;
use ocis_runtime::settings::Runtime;
use ocis_runtime::supervisor::Status;

use super::list::runs;
use super::{layers, load, wait};
use crate::cli::{Failure, print};
use crate::table::draw;

pub(crate) fn all(matches: &ArgMatches) -> Result<(), Failure> {
    let mut text = binary();
    if !matches.get_flag("skip-services") {
        text.push('\n');
        text.push_str(&instances(&running(None)?, "No running services found."));
    }
    print(&text);
    Ok(())
}

pub(crate) fn one(entry: Entry) -> Result<(), Failure> {
    let none = format!("No running {} service found.", entry.name);
    print(&format!("{}\n{}", binary(), instances(&running(Some(entry.name))?, &none)));
    Ok(())
}

fn binary() -> String {
    let compiled = env!("OCIS_COMPILED").parse().ok().and_then(|s| Timestamp::from_unix(s, 0).ok());
    let compiled = compiled.map(|time| time.to_string()).unwrap_or_default();
    format!("Version: {VERSION}\nCompiled: {compiled}\n")
}

/// The services of the runtime that the settings name; none when there is no such runtime.
fn running(name: Option<&str>) -> Result<Vec<Status>, Failure> {
    let runtime: Runtime = load(&layers(&[])).map_err(ocis_core::Error::from)?;
    let services = wait(control::services(&runtime.host, runtime.port)).unwrap_or_default();
    Ok(services.into_iter().filter(|s| runs(s) && name.is_none_or(|name| s.name == name)).collect())
}

fn instances(services: &[Status], none: &str) -> String {
    if services.is_empty() {
        return format!("{none}\n");
    }
    let rows: Vec<_> = services
        .iter()
        .map(|status| {
            let address = status.listeners.first().or(status.debug.as_ref());
            let address = address.map(ToString::to_string).unwrap_or_default();
            [VERSION.to_owned(), address, status.name.clone()]
        })
        .collect();
    draw(["Version", "Address", "Id"], &rows)
}
