//! `ocis backup consistency`: whether the files of a storage fit together, and mending them.

use std::fmt::Write as _;

use clap::{ArgMatches, Command};
use ocis_core::Error;
use ocis_core::finding::{Category, Finding};
use ocis_core::port::Check;

use super::store::{blobstore, is_on, progress, root, switch, with_store};
use crate::cli::{Failure, print};

pub(crate) fn command() -> Command {
    Command::new("backup").disable_help_subcommand(true).subcommand(
        Command::new("consistency")
            .about("check backup consistency")
            .arg(root("basepath", 'p'))
            .arg(blobstore())
            .arg(switch("fail", "false", "Exit with non-zero status if consistency check fails"))
            .arg(switch("repair", "false", "Mend what can be mended without losing anything")),
    )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let Some(("consistency", matches)) = matches.subcommand() else {
        print("Read the docs\n");
        return Ok(());
    };
    let repair = is_on(matches, "repair");
    let without_blobs = matches.get_one::<String>("blobstore").is_some_and(|name| name == "none");
    let (text, open) = with_store(matches, "basepath", async |path, reached, cx| {
        let mut found = Vec::new();
        let mut request = Check { repair, without_blobs, ..Check::default() };
        loop {
            let step = reached.maintenance.check(cx, request.clone()).await?;
            progress(&format!("checked {} of {} spaces", step.done, step.total));
            found.extend(step.findings);
            request.cursor = step.next;
            if request.cursor.is_none() {
                break;
            }
        }
        progress("");
        let mut text = told(&found);
        let open = found.iter().filter(|finding| finding.is_open()).count();
        if found.is_empty() {
            let path = path.display();
            let _ = writeln!(
                text,
                "💚 No inconsistency found. The backup in '{path}' seems to be valid."
            );
        } else if open == 0 {
            text.push_str("\n💚 Everything is repaired.\n");
        }
        Ok((text, open))
    })?;
    print(&text);
    if open > 0 && is_on(matches, "fail") {
        return Err(Error::conflict(format!("{open} inconsistencies")).into());
    }
    Ok(())
}

/// The findings by group.
fn told(found: &[Finding]) -> String {
    let mut sorted: Vec<&Finding> = found.iter().collect();
    sorted.sort_by(|a, b| {
        let order = |of: &Finding| (of.problem.category(), of.path.clone());
        order(a).cmp(&order(b))
    });
    let (mut text, mut last) = (String::new(), None);
    for finding in sorted {
        let category = finding.problem.category();
        if last != Some(category) {
            let _ = writeln!(text, "\n🚨 {}:", category.heading());
            last = Some(category);
        }
        let what = match category {
            Category::Blobs => "blob",
            _ => "path",
        };
        let (problem, path) = (finding.problem.as_str(), &finding.path);
        let _ = writeln!(text, "\t👉️ [{problem}]\t{what}: {path}");
        let _ = writeln!(text, "\t\t{}; {}", finding.detail, finding.remedy);
    }
    text
}
