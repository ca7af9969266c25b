//! The command line: which commands and flags there are, and what a call of the program asks for.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};
use ocis_core::Error;
use ocis_runtime::registry::{Entry, Registry};

use crate::commands::{
    auth_app, backup, decomposedfs, health, idm, init, list, revisions, server, trash, trash_bin,
    uploads, version,
};
use crate::help;

/// A command that is no service.
pub(crate) struct CommandInfo {
    /// The heading below which the help lists it; empty for none.
    pub(crate) category: &'static str,
    /// What to type.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
}

/// The commands that are no services, in the order of the help.
pub(crate) const COMMANDS: &[CommandInfo] = &[
    CommandInfo { category: "", name: "init", about: "initialise an ocis config" },
    CommandInfo {
        category: "",
        name: "help",
        about: "shows a list of commands or help for one command",
    },
    CommandInfo { category: "", name: "backup", about: "ocis backup functionality" },
    CommandInfo { category: "", name: "revisions", about: "ocis revisions functionality" },
    CommandInfo { category: "", name: "trash", about: "ocis trash functionality" },
    CommandInfo {
        category: "maintenance",
        name: "decomposedfs",
        about: "cli tools to inspect and manipulate a decomposedfs storage.",
    },
    CommandInfo {
        category: "fullstack",
        name: "server",
        about: "start a fullstack server (runtime and all services in supervised mode)",
    },
    CommandInfo {
        category: "info",
        name: "version",
        about: "print the version of this binary and all running service instances",
    },
    CommandInfo {
        category: "runtime",
        name: "list",
        about: "list oCIS services running in the runtime (supervised mode)",
    },
];

/// Why the program ends without having done what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong; the sentence goes to the standard error output.
    Error(Error),
    /// The command line is not one, or asks for help; clap knows what to print.
    Usage(clap::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    /// Prints what there is to say and gives the exit code: 1 for whatever failed, 0 for help.
    pub(crate) fn report(self) -> ExitCode {
        // Nothing can be told when the output is closed.
        let _ = match &self {
            Self::Error(error) => writeln!(std::io::stderr(), "{error}"),
            Self::Usage(error) => error.print(),
        };
        match self {
            Self::Usage(error) if !error.use_stderr() => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }
}

/// What a call of the program asks for.
#[derive(Debug)]
pub(crate) enum Call {
    /// Print this text.
    Print(String),
    /// One of the commands.
    Command(&'static str, ArgMatches),
    /// A command of a service.
    Service(Entry, &'static str, ArgMatches),
}

/// Reads the command line.
pub(crate) fn parse(
    registry: &Registry,
    args: impl IntoIterator<Item = OsString>,
) -> Result<Call, Failure> {
    let mut program = program(registry);
    let matches = program.try_get_matches_from_mut(args).map_err(|error| match error.kind() {
        ErrorKind::InvalidSubcommand => unknown(registry, &error),
        _ => Failure::Usage(error),
    })?;
    let Some((name, matches)) = matches.subcommand() else {
        return Ok(Call::Print(help::overview(registry)));
    };
    if name == "help" {
        let topic: Option<&String> = matches.get_one("command");
        return match topic {
            Some(topic) => described(&mut program, registry, topic),
            None => Ok(Call::Print(help::overview(registry))),
        };
    }
    if let Some(command) = COMMANDS.iter().find(|command| command.name == name) {
        return Ok(Call::Command(command.name, matches.clone()));
    }
    let entry = *registry.get(name)?;
    match matches.subcommand() {
        Some((sub, matches)) => {
            let sub =
                ["server", "health", "version", "create", "resetpassword", "uploads", "trash-bin"]
                    .into_iter()
                    .find(|known| *known == sub)
                    .ok_or_else(|| Error::invalid(format!("no command {sub}")))?;
            Ok(Call::Service(entry, sub, matches.clone()))
        }
        None => described(&mut program, registry, name),
    }
}

fn described(program: &mut Command, registry: &Registry, topic: &str) -> Result<Call, Failure> {
    match program.find_subcommand_mut(topic) {
        Some(command) => Ok(Call::Print(command.render_long_help().to_string())),
        None => Err(no_command(registry, topic).into()),
    }
}

fn unknown(registry: &Registry, error: &clap::Error) -> Failure {
    use clap::error::{ContextKind, ContextValue};
    match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(name)) => no_command(registry, name).into(),
        _ => Error::invalid(error.to_string()).into(),
    }
}

fn no_command(registry: &Registry, name: &str) -> Error {
    let names = COMMANDS.iter().map(|command| command.name).chain(registry.names());
    let nearest = ocis_core::config::known::nearest(name, names);
    let hint = nearest.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Error::invalid(format!(
        "no command \"{name}\" in this version{hint}; `ocis help` lists what there is"
    ))
}

impl Call {
    /// Does what was asked for.
    pub(crate) fn run(self, registry: &Registry) -> Result<(), Failure> {
        match self {
            Self::Print(text) => {
                print(&text);
                Ok(())
            }
            Self::Command("init", matches) => init::run(&matches),
            Self::Command("server", _) => server::all(registry),
            Self::Command("list", matches) => list::run(&matches),
            Self::Command("backup", matches) => backup::run(&matches),
            Self::Command("decomposedfs", matches) => decomposedfs::run(&matches),
            Self::Command("revisions", matches) => revisions::run(&matches),
            Self::Command("trash", matches) => trash::run(&matches),
            Self::Command(_, matches) => version::all(&matches),
            Self::Service(entry, "server", _) => server::one(registry, entry),
            Self::Service(entry, "health", _) => health::run(entry),
            Self::Service(_, "create", matches) => auth_app::create(&matches),
            Self::Service(_, "resetpassword", matches) => idm::reset_password(&matches),
            Self::Service(_, "uploads", matches) => uploads::run(&matches),
            Self::Service(_, "trash-bin", matches) => trash_bin::run(&matches),
            Self::Service(entry, _, _) => version::one(entry),
        }
    }
}

/// Prints to the standard output; a reader that went away is no failure.
pub(crate) fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

fn program(registry: &Registry) -> Command {
    let program = Command::new("ocis")
        .about("ownCloud Infinite Scale")
        .override_help(help::overview(registry))
        .disable_help_subcommand(true)
        .subcommand(
            described_by(Command::new("help"))
                .arg(Arg::new("command").value_name("COMMAND").help("The command or service")),
        )
        .subcommand(described_by(init::command()))
        .subcommand(described_by(Command::new("server")).after_help(
            "Starts every service in this process. Which ones: OCIS_RUN_SERVICES (exactly these), \
             OCIS_EXCLUDE_RUN_SERVICES, OCIS_ADD_RUN_SERVICES (lists with commas). Without any \
             configuration, one is made first as `ocis init` would.",
        ))
        .subcommand(described_by(list::command()))
        .subcommand(described_by(backup::command()))
        .subcommand(described_by(decomposedfs::command()))
        .subcommand(described_by(revisions::command()))
        .subcommand(described_by(trash::command()))
        .subcommand(
            described_by(Command::new("version")).arg(
                Arg::new("skip-services")
                    .long("skip-services")
                    .action(ArgAction::SetTrue)
                    .help("Skip the table of running services"),
            ),
        );
    registry.entries().fold(program, |program, entry| program.subcommand(service(entry)))
}

fn described_by(command: Command) -> Command {
    let about = COMMANDS.iter().find(|known| known.name == command.get_name());
    command.about(about.map_or("", |known| known.about))
}

fn service(entry: &Entry) -> Command {
    let command = Command::new(entry.name)
        .about(entry.settings.doc.trim())
        .after_help(help::service(entry))
        .disable_help_subcommand(true)
        .subcommand(Command::new("server").about(format!("start the {} service alone", entry.name)))
        .subcommand(Command::new("health").about("check health status"))
        .subcommand(
            Command::new("version")
                .about("print the version of this binary and the running instances"),
        );
    match entry.name {
        "auth-app" => command.subcommand(auth_app::command()),
        "idm" => command.subcommand(idm::command()),
        "storage-users" => command.subcommand(uploads::command()).subcommand(trash_bin::command()),
        _ => command,
    }
}

#[cfg(test)]
mod tests {
    use ocis_runtime::services::all;

    use super::*;

    fn call(args: &[&str]) -> Result<Call, Failure> {
        let args = std::iter::once("ocis").chain(args.iter().copied()).map(OsString::from);
        parse(&all(), args)
    }

    #[test]
    fn every_service_has_its_commands_and_its_help() {
        for entry in all().entries() {
            for sub in ["server", "health", "version"] {
                assert!(
                    matches!(call(&[entry.name, sub]), Ok(Call::Service(_, name, _)) if name == sub)
                );
            }
            let Ok(Call::Print(help)) = call(&[entry.name]) else { panic!("{}", entry.name) };
            for row in entry.settings.rows {
                let name = row.vars.first().unwrap_or(&row.yaml);
                assert!(help.contains(name), "{name} in {}", entry.name);
            }
        }
    }

    #[test]
    fn an_unknown_command_says_so() {
        let Err(Failure::Error(error)) = call(&["sever"]) else { panic!() };
        assert!(error.message().contains("no command \"sever\""), "{error}");
        assert!(error.message().contains("(did you mean server?)"), "{error}");
    }

    #[test]
    fn help_lists_all_commands_and_services() {
        for args in [&[][..], &["help"], &["--help"]] {
            let text = match call(args) {
                Ok(Call::Print(text)) => text,
                Err(Failure::Usage(error)) => error.to_string(),
                other => panic!("{other:?}"),
            };
            for name in COMMANDS.iter().map(|c| c.name).chain(all().names()) {
                assert!(
                    text.contains(&format!("     {name} "))
                        || text.contains(&format!("   {name} ")),
                    "{name}"
                );
            }
        }
    }
}
