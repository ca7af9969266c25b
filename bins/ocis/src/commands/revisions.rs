//! `ocis revisions purge`: removing former contents of files.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use ocis_core::id::ResourceId;
use ocis_core::port::{ListRawVersions, ListSpaces, PurgeRule, PurgeVersions, RawVersion};
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
    let total = with_store(matches, "basepath", async |path, reached, cx| {
        let targets = match only.clone() {
            Some(id) => vec![ResourceId { storage: reached.storage.clone(), ..id }],
            None => spaces(reached, cx).await?,
        };
        let mut total = Purged::default();
        for (done, target) in targets.iter().enumerate() {
            progress(&format!("purged {done} of {} spaces", targets.len()));
            let each = match verbose {
                true => versions(reached, cx, target).await?,
                false => Vec::new(),
            };
            let request = PurgeVersions {
                target: Reference::node(target.clone()),
                rule: PurgeRule::All,
                dry_run,
            };
            let purged = reached.versions.purge(cx, request).await?;
            if !each.is_empty() {
                progress("");
                print(&each.iter().map(|one| told_of(path, one, dry_run)).collect::<String>());
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

/// The versions of a file, or of all files below a folder.
async fn versions(reached: &Reached, cx: &Cx, target: &ResourceId) -> Result<Vec<RawVersion>> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let request = ListRawVersions { target: target.clone(), cursor };
        let page = reached.maintenance.raw_versions(cx, request).await?;
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

/// The two files of a version, as oCIS tells of them.
fn told_of(root: &Path, version: &RawVersion, dry_run: bool) -> String {
    let what = if dry_run { "Would delete" } else { "Deleted" };
    let ResourceId { space, node, .. } = &version.node;
    let path = root.join(&version.path);
    let file = |path: &Path| {
        let path = path.display();
        format!("{what}\n\tResourceID: {space}!{node}\n\tSpaceID: {space}\n\tPath: {path}\n")
    };
    let mut text = file(&path) + &file(&path.with_added_extension("mpk"));
    if let Some(blob) = &version.blob {
        let _ = writeln!(text, "\tBlob: {blob}");
    }
    text
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

    #[test]
    fn each_file_of_a_version_is_told() {
        let version = RawVersion {
            node: "storage$space!file".parse().unwrap(),
            path: "spaces/sp/ace/nodes/fi/le.REV.2025-01-10T12:00:00.5Z".into(),
            blob: ocis_core::id::BlobId::parse("blob").ok(),
        };
        let text = told_of(Path::new("/root"), &version, true);
        let head = "Would delete\n\tResourceID: space!file\n\tSpaceID: space\n\tPath: /root/";
        let place = &version.path;
        assert_eq!(text, format!("{head}{place}\n{head}{place}.mpk\n\tBlob: blob\n"));
        let empty = RawVersion { blob: None, ..version };
        assert!(told_of(Path::new("/root"), &empty, false).starts_with("Deleted\n"));
        assert!(!told_of(Path::new("/root"), &empty, false).contains("Blob"));
    }
}
