//! `ocis storage-users trash-bin`: what was deleted in a space, bringing it back, and removing what is
//! too old.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use ocis_core::id::{ResourceId, SpaceId};
use ocis_core::node::NodeKind;
use ocis_core::port::{ListSpaces, ListTrash, PageRequest, PurgeTrash, RestoreTrash};
use ocis_core::space::SpaceKind;
use ocis_core::trash::{Collision, TrashItem};
use ocis_core::version::Purged;
use ocis_core::{Cx, Error, ErrorKind, Result};
use ocis_runtime::settings::StorageUsers;
use ocis_runtime::stores::Reached;

use super::store::{ask, progress, with_configured};
use super::{layers, load};
use crate::cli::{Failure, print};
use crate::table::draw_with_footer;

pub(crate) fn command() -> Command {
    let space = || Arg::new("spaceID").required(true).help("the id of the space");
    let verbose = || {
        Arg::new("verbose")
            .long("verbose")
            .short('v')
            .action(ArgAction::SetTrue)
            .help("Get more verbose output")
    };
    let option = || {
        Arg::new("option")
            .long("option")
            .short('o')
            .default_value("skip")
            .value_parser(["skip", "replace", "keep-both"])
            .help("What to do where there is something at the place of an item")
    };
    Command::new("trash-bin")
        .about("manage trash-bin's")
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .subcommand(Command::new("purge-expired").about("Purge expired trash-bin items"))
        .subcommand(
            Command::new("list")
                .about("Print a list of all trash-bin items of a space.")
                .arg(space())
                .arg(verbose()),
        )
        .subcommand(
            Command::new("restore-all")
                .about("Restore all trash-bin items for a space.")
                .arg(space())
                .arg(option())
                .arg(verbose())
                .arg(
                    Arg::new("yes")
                        .long("yes")
                        .short('y')
                        .action(ArgAction::SetTrue)
                        .help("Automatic yes to prompts"),
                ),
        )
        .subcommand(
            Command::new("restore")
                .about("Restore a trash-bin item by ID.")
                .arg(space())
                .arg(Arg::new("itemID").required(true).help("the id of the item"))
                .arg(option())
                .arg(verbose()),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let settings: StorageUsers = load(&layers(&["storage-users"])).map_err(Error::from)?;
    match matches.subcommand() {
        Some(("purge-expired", _)) => purge_expired(settings),
        Some(("list", matches)) => list(settings, matches),
        Some(("restore-all", matches)) => restore_all(settings, matches),
        Some((_, matches)) => restore_one(settings, matches),
        None => Ok(()),
    }
}

/// The root of the space that the command line names, in the store that was reached.
fn space(reached: &Reached, matches: &ArgMatches) -> Result<ResourceId> {
    let text = matches.get_one::<String>("spaceID").map_or("", String::as_str);
    let space = match text.parse::<ResourceId>() {
        Ok(id) => id.space,
        Err(_) => SpaceId::parse(text)?,
    };
    Ok(ResourceId::root(reached.storage.clone(), space))
}

/// Everything that was deleted in a space, folders without what lies in them.
async fn items(reached: &Reached, cx: &Cx, space: &ResourceId) -> Result<Vec<TrashItem>> {
    let (mut found, mut page) = (Vec::new(), PageRequest { cursor: None, limit: 1000 });
    loop {
        let request = ListTrash { space: space.clone(), key: None, page: page.clone() };
        let listed = reached.trash.list(cx, request).await?;
        found.extend(listed.items);
        page.cursor = listed.next;
        if page.cursor.is_none() {
            return Ok(found);
        }
    }
}

fn table(items: &[TrashItem]) -> String {
    let rows: Vec<_> = items
        .iter()
        .map(|item| {
            let kind = if item.kind == NodeKind::Folder { "folder" } else { "file" };
            let deleted = item.deleted.whole_seconds().to_string();
            [item.key.clone(), format!("/{}", item.origin), kind.to_owned(), deleted]
        })
        .collect();
    let total = format!("total count: {}", items.len());
    draw_with_footer(["itemID", "path", "type", "delete at"], &rows, ["", "", "", &total])
}

/// Says that there is nothing, where oCIS says it.
fn nothing() {
    let _ = writeln!(std::io::stderr(), "The trash-bin is empty. Nothing to restore");
}

fn list(settings: StorageUsers, matches: &ArgMatches) -> Result<(), Failure> {
    let found = with_configured(settings, async |reached, cx| {
        items(reached, cx, &space(reached, matches)?).await
    })?;
    if found.is_empty() {
        nothing();
        return Ok(());
    }
    print(&format!("{}Use an itemID to restore an item.\n", table(&found)));
    Ok(())
}

/// Brings an item back and says where to.
async fn restore(
    reached: &Reached,
    cx: &Cx,
    space: &ResourceId,
    item: &TrashItem,
    matches: &ArgMatches,
) -> Result<String> {
    let collision = match matches.get_one::<String>("option").map_or("", String::as_str) {
        "replace" => Collision::Replace,
        "keep-both" => Collision::KeepBoth,
        _ => Collision::Refuse,
    };
    if matches.get_flag("verbose") {
        progress(&format!("restoring itemID: '{}', path: '/{}'\n", item.key, item.origin));
    }
    let request = RestoreTrash {
        space: space.clone(),
        key: item.key.clone(),
        to: None,
        collision,
        lock_tokens: Vec::new(),
    };
    let (key, origin) = (&item.key, &item.origin);
    match reached.trash.restore(cx, request).await {
        Ok(done) => {
            let path = done.node.path;
            Ok(format!("itemID: '{key}', path: '/{origin}', restored as './{path}'\n"))
        }
        Err(error) if error.kind() == ErrorKind::PreconditionFailed => {
            Ok(format!("itemID: '{key}', path: '/{origin}', skipped: its place is taken\n"))
        }
        Err(error) => Err(error),
    }
}

fn restore_all(settings: StorageUsers, matches: &ArgMatches) -> Result<(), Failure> {
    let failed = with_configured(settings, async |reached, cx| {
        let space = space(reached, matches)?;
        let found = items(reached, cx, &space).await?;
        if found.is_empty() {
            nothing();
            return Ok(0);
        }
        if !matches.get_flag("yes") && !confirmed(&found)? {
            return Ok(0);
        }
        let mut failed = 0;
        for item in &found {
            match restore(reached, cx, &space, item, matches).await {
                Ok(line) => print(&line),
                Err(error) => {
                    failed += 1;
                    let _ = writeln!(std::io::stderr(), "itemID: '{}': {error}", item.key);
                }
            }
        }
        Ok(failed)
    })?;
    if failed > 0 {
        return Err(Error::conflict(format!("{failed} items could not be restored")).into());
    }
    Ok(())
}

fn confirmed(found: &[TrashItem]) -> Result<bool> {
    let question = format!(
        "Found {} items that could be restored, continue (Y/n), show the items list (s):",
        found.len()
    );
    loop {
        match ask(&question)?.as_str() {
            "y" => return Ok(true),
            "s" => print(&table(found)),
            // The end of the input is no consent.
            "n" | "" => return Ok(false),
            _ => {}
        }
    }
}

fn restore_one(settings: StorageUsers, matches: &ArgMatches) -> Result<(), Failure> {
    let line = with_configured(settings, async |reached, cx| {
        let space = space(reached, matches)?;
        let key = matches.get_one::<String>("itemID").map_or("", String::as_str);
        let found = items(reached, cx, &space).await?;
        let item = found.iter().find(|item| item.key == key);
        let item = item.ok_or_else(|| Error::not_found(format!("itemID '{key}' not found")))?;
        restore(reached, cx, &space, item, matches).await
    })?;
    print(&line);
    Ok(())
}

/// Removes what was deleted longer ago than the settings keep it.
fn purge_expired(settings: StorageUsers) -> Result<(), Failure> {
    let kept = [
        (SpaceKind::Personal, settings.purge_personal_delete_before),
        (SpaceKind::Project, settings.purge_project_delete_before),
    ];
    let text = with_configured(settings, async |reached, cx| {
        let mut total = Purged::default();
        for (kind, age) in kept.into_iter().filter(|(_, age)| *age > Duration::ZERO) {
            let before = cx.now.minus(age);
            let mut request = ListSpaces { kind: Some(kind), all: true, ..ListSpaces::default() };
            loop {
                let page = reached.spaces.list(cx, request.clone()).await?;
                for space in page.items.into_iter().filter(|space| space.disabled.is_none()) {
                    let request = PurgeTrash { space: space.root, key: None, before: Some(before) };
                    let purged = reached.trash.purge(cx, request).await?;
                    total.items += purged.items;
                    total.blobs += purged.blobs;
                    total.bytes += purged.bytes;
                }
                request.page.cursor = page.next;
                if request.page.cursor.is_none() {
                    break;
                }
            }
        }
        let mut text = String::new();
        let Purged { items, blobs, bytes } = total;
        let _ = writeln!(text, "purged {items} items, {blobs} contents, {bytes} bytes");
        Ok(text)
    })?;
    print(&text);
    Ok(())
}
