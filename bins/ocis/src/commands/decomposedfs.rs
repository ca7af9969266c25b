//! `ocis decomposedfs`: sizes of folders and raw metadata, by hand.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use ocis_core::id::{NodeId, ResourceId, SpaceId};
use ocis_core::port::{CheckSizes, RawNode, SetRawMetadata};
use ocis_core::{Error, Result};

use super::store::{ask, is_on, root, switch, with_store};
use super::value::{read, write};
use crate::cli::{Failure, print};

const CONFIRM: &str = "The sizes of folders that are wrong will be corrected. \
                       Do you want to continue? [yes | no = default]";

pub(crate) fn command() -> Command {
    let text = |name: &'static str, short, help: &'static str| {
        Arg::new(name).long(name).short(short).help(help)
    };
    let attribute = || text("attribute", 'a', "The key, such as user.ocis.name");
    Command::new("decomposedfs")
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .subcommand(
            Command::new("check-treesize")
                .about("cli tool to check the treesize metadata of a Space")
                .arg(root("root", 'r'))
                .arg(text("node", 'n', "Space ID of the Space to inspect").required(true))
                .arg(switch("repair", "false", "Correct what is wrong"))
                .arg(switch("force", "false", "Do not prompt for confirmation")),
        )
        .subcommand(
            Command::new("metadata")
                .about("cli tools to inspect and manipulate node metadata")
                .disable_help_subcommand(true)
                .subcommand_required(true)
                .arg(root("root", 'r'))
                .arg(text("node", 'n', "Path to or ID of the node to inspect").required(true))
                .subcommand(Command::new("dump").about("print the metadata of the given node"))
                .subcommand(
                    Command::new("get")
                        .about("print a specific attribute of the given node")
                        .arg(attribute()),
                )
                .subcommand(
                    Command::new("set")
                        .about("manipulate metadata of the given node")
                        .arg(attribute().required(true))
                        .arg(
                            text("value", 'v', "Text, or bytes: 0x and hex, 0s and base64")
                                .required(true),
                        ),
                ),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("check-treesize", matches)) => check_sizes(matches),
        Some((_, matches)) => metadata(matches),
        None => Ok(()),
    }
}

fn node_flag(matches: &ArgMatches) -> &str {
    matches.get_one::<String>("node").map_or("", String::as_str)
}

fn check_sizes(matches: &ArgMatches) -> Result<(), Failure> {
    let repair = is_on(matches, "repair");
    if repair && !is_on(matches, "force") && !["yes", "y"].contains(&ask(CONFIRM)?.as_str()) {
        return Ok(());
    }
    let flag = node_flag(matches);
    let space = match flag.parse::<ResourceId>() {
        Ok(id) => id.space,
        Err(_) => SpaceId::parse(flag)?,
    };
    let text = with_store(matches, "root", async |root, reached, cx| {
        let request = CheckSizes { space: space.clone(), repair };
        let checked = reached.maintenance.check_sizes(cx, request).await?;
        let name = &checked.name;
        let mut text = format!("Checking treesizes in space: {name} (id: {space})\n");
        for wrong in &checked.wrong {
            let (node, calculated) = (&wrong.node, wrong.calculated);
            let what = match node.as_str() == space.as_str() {
                true => format!("space: {name}"),
                false => format!("node: {}", wrong.path),
            };
            let _ = writeln!(
                text,
                "Tree sizes mismatch for {what}\n\tNodeId: {node}\n\tInternalPath: {}\n\t\
                 calculated treesize: {calculated}\n\ttreesize in metadata: {}",
                root.join(&wrong.internal).display(),
                wrong.said.unwrap_or(0),
            );
            if repair {
                let _ = writeln!(
                    text,
                    "Fixing tree size for node: {node}. Calculated treesize: {calculated}"
                );
            }
        }
        Ok(text)
    })?;
    print(&text);
    Ok(())
}

fn metadata(matches: &ArgMatches) -> Result<(), Failure> {
    let text = with_store(matches, "root", async |root, reached, cx| {
        let node = raw_node(root, node_flag(matches))?;
        let (command, flags) = matches.subcommand().unwrap_or(("dump", matches));
        let flag = |name: &str| {
            flags.try_get_one::<String>(name).ok().flatten().cloned().unwrap_or_default()
        };
        let mut text = String::new();
        if command == "set" {
            let (key, value) = (flag("attribute"), read(&flag("value")));
            reached.maintenance.set_raw_metadata(cx, SetRawMetadata { node, key, value }).await?;
            return Ok(text);
        }
        let (all, wanted) = (reached.maintenance.raw_metadata(cx, node).await?, flag("attribute"));
        if command == "get" && !wanted.is_empty() {
            let value = all.iter().find(|(key, _)| *key == wanted);
            let value = value.map(|(_, value)| value.as_slice()).unwrap_or_default();
            let _ = writeln!(text, "{wanted}={}", write(value));
            return Ok(text);
        }
        for (key, value) in &all {
            let _ = writeln!(text, "{key}={}", write(value));
        }
        Ok(text)
    })?;
    print(&text);
    Ok(())
}

/// A node by its id, `[<storage>$]<space>[!<node>]`, or by its path.
fn raw_node(root: &Path, flag: &str) -> Result<RawNode> {
    if flag.starts_with('/') {
        let below = Path::new(flag).strip_prefix(root).ok().and_then(Path::to_str);
        let outside = || Error::invalid(format!("{flag} is not below {}", root.display()));
        return Ok(RawNode::Path(below.ok_or_else(outside)?.to_owned()));
    }
    let id = flag.split_once('$').map_or(flag, |(_, id)| id);
    let (space, node) = id.split_once('!').unwrap_or((id, id));
    Ok(RawNode::Id(SpaceId::parse(space)?, NodeId::parse(node)?))
}
