//! `ocis <service> health`: asks the debug address of a running service.

use ocis_core::Error;
use ocis_runtime::control;
use ocis_runtime::registry::Entry;

use super::{layers, wait};
use crate::cli::Failure;

pub(crate) fn run(entry: Entry) -> Result<(), Failure> {
    let address = entry
        .debug_address(&layers(&[entry.name]))
        .ok_or_else(|| Error::invalid(format!("{} has no debug address", entry.name)))?;
    let host = match address.host() {
        "" | "0.0.0.0" | "::" => "127.0.0.1",
        host => host,
    };
    wait(control::healthy(host, address.port()))
        .map_err(|error| Error::unavailable(format!("{} is not healthy: {error}", entry.name)))?;
    Ok(())
}
