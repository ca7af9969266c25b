//! The help of `ocis` itself: commands by category, then the services.

use std::fmt::Write as _;

use ocis_core::config::Section as _;
use ocis_core::config::reference::help_text;
use ocis_runtime::registry::{Entry, Registry};
use ocis_runtime::service::Availability;
use ocis_runtime::settings::Global;

use crate::cli::COMMANDS;

/// What `ocis` and `ocis help` print.
pub(crate) fn overview(registry: &Registry) -> String {
    let mut out = String::from(
        "NAME:\n   ocis - ownCloud Infinite Scale\n\n\
         USAGE:\n   ocis [command] [command options]\n\nCOMMANDS:\n",
    );
    let mut category = "";
    for command in COMMANDS {
        if command.category != category {
            category = command.category;
            let _ = writeln!(out, "   {category}:");
        }
        let indent = if category.is_empty() { "   " } else { "     " };
        let _ = writeln!(out, "{indent}{:<20} {}", command.name, command.about);
    }
    out.push_str("   services:\n");
    for entry in registry.entries() {
        let _ = writeln!(out, "     {:<20} {}", entry.name, entry.settings.doc.trim());
    }
    out.push_str("\n`ocis <command> --help` tells more about a command or service.\n");
    out
}

/// What stands below the options in the help of a service.
pub(crate) fn service(entry: &Entry) -> String {
    let settings = help_text(&entry.settings, &Global::TABLE);
    match entry.availability {
        Availability::Here => settings,
        Availability::ComesLater(what) => format!(
            "The work of this service is not part of this version yet: {what} in a later version. \
             It starts, can be observed at its debug address, and answers 501.\n\n{settings}"
        ),
    }
}
