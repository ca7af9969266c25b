//! `ocis trash purge-empty-dirs`: folders in the trash that nothing is in any more.

use clap::{ArgMatches, Command};
use ocis_core::port::EmptyFolders;

use super::store::{is_on, root, switch, with_store};
use crate::cli::{Failure, print};

pub(crate) fn command() -> Command {
    Command::new("trash").disable_help_subcommand(true).subcommand(
        Command::new("purge-empty-dirs")
            .about("purge empty directories")
            .arg(root("basepath", 'p'))
            .arg(switch("dry-run", "true", "Only print what would be removed")),
    )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let Some(("purge-empty-dirs", matches)) = matches.subcommand() else {
        print("Read the docs\n");
        return Ok(());
    };
    let remove = !is_on(matches, "dry-run");
    with_store(matches, "basepath", async |path, reached, cx| {
        let mut cursor = None;
        loop {
            let request = EmptyFolders { cursor, remove };
            let page = reached.maintenance.empty_folders(cx, request).await?;
            for folder in page.items.iter().filter(|_| !remove) {
                print(&format!("would remove {}\n", path.join(folder).display()));
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    })?;
    Ok(())
}
