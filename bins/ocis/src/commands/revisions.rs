//! `ocis revisions purge`: removing former contents of files.

use clap::{Arg, ArgMatches, Command};
use ocis_core::id::ResourceId;
use ocis_core::port::{ListSpaces, PurgeRule, PurgeVersions};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::version::Purged;
use ocis_core::{Cx, Result};
use ocis_runtime::stores::Reached;

use super::store::{blobstore, is_on, progress, root, switch, with_store};
use crate::cli::{Failure, print};

pub(crate) fn command() -> Command {
    Command::new("revisions").disable_help_subcommand(true).subcommand(
        Command::new("purge")
            .about("purge revisions")
            .arg(root("basepath", 'p'))
            .arg(blobstore())
            .arg(switch(
                "dry-run",
                "true",
                "Do not delete anything, just tell what would be deleted",
            ))
            .arg(switch("verbose", "false", "Print verbose output").short('v'))
            .arg(
                Arg::new("resource-id")
                    .long("resource-id")
                    .short('r')
                    .help("Purge all revisions of this file or space; of everything when not set"),
            )
            .arg(
                Arg::new("glob-mechanism")
                    .long("glob-mechanism")
                    .default_value("glob")
                    .value_parser(["glob", "list", "workers"])
                    .help("How oCIS finds nodes; here the result is the same"),
            ),
    )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let Some(("purge", matches)) = matches.subcommand() else {
        print("Read the docs\n");
        return Ok(());
    };
    let (dry_run, verbose) = (is_on(matches, "dry-run"), is_on(matches, "verbose"));
    let only = matches.get_one::<String>("resource-id");
    let only: Option<ResourceId> = only.map(|id| id.parse()).transpose()?;
    let total = with_store(matches, "basepath", async |_, reached, cx| {
        let targets = match only.clone() {
            Some(id) => vec![ResourceId { storage: reached.storage.clone(), ..id }],
            None => spaces(reached, cx).await?,
        };
        let mut total = Purged::default();
        for (done, target) in targets.iter().enumerate() {
            progress(&format!("purged {done} of {} spaces", targets.len()));
            let request = PurgeVersions {
                target: Reference::node(target.clone()),
                rule: PurgeRule::All,
                dry_run,
            };
            let purged = reached.versions.purge(cx, request).await?;
            if verbose && purged.items > 0 {
                progress("");
                let (id, space) = (target, &target.space);
                let Purged { items, blobs, bytes } = purged;
                print(&format!(
                    "ResourceID: {id}\n  SpaceID: {space}\n  Revisions: {items}\n  Blobs: {blobs}, \
                     {bytes} bytes\n"
                ));
            }
            total.items += purged.items;
            total.blobs += purged.blobs;
            total.bytes += purged.bytes;
        }
        progress("");
        Ok(total)
    })?;
    print(&told(total, dry_run));
    Ok(())
}

/// The roots of all spaces that are in use.
async fn spaces(reached: &Reached, cx: &Cx) -> Result<Vec<ResourceId>> {
    let mut roots = Vec::new();
    for kind in [SpaceKind::Personal, SpaceKind::Project, SpaceKind::Metadata] {
        let mut request = ListSpaces { kind: Some(kind), all: true, ..ListSpaces::default() };
        loop {
            let page = reached.spaces.list(cx, request.clone()).await?;
            let used = page.items.into_iter().filter(|space| space.disabled.is_none());
            roots.extend(used.map(|space| space.root));
            request.page.cursor = page.next;
            if request.page.cursor.is_none() {
                break;
            }
        }
    }
    Ok(roots)
}

fn told(total: Purged, dry_run: bool) -> String {
    let Purged { items, blobs, .. } = total;
    // Each is a file and its metadata.
    let files = items * 2;
    if items == 0 {
        "❎ No revisions found. Storage provider is clean.\n".to_owned()
    } else if dry_run {
        format!("👉 Would delete {items} revisions ({files} files / {blobs} blobs)\n")
    } else {
        format!("✅ Deleted {items} revisions ({files} files / {blobs} blobs)\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        let total = Purged { items: 3, blobs: 2, bytes: 10 };
        assert_eq!(told(total, true), "👉 Would delete 3 revisions (6 files / 2 blobs)\n");
        assert_eq!(told(total, false), "✅ Deleted 3 revisions (6 files / 2 blobs)\n");
        assert!(told(Purged::default(), true).starts_with("❎ No revisions found."));
    }
}
