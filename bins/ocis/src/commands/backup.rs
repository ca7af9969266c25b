//! `ocis backup consistency`: whether the files of a storage fit together, and mending them.

use std::fmt::Write as _;
use std::path::Path;

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
    let blobs = matches.get_one::<String>("blobstore").map_or("", String::as_str);
    let (without_blobs, has_bucket) = (blobs == "none", blobs == "s3ng");
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
        let mut text = told(&found, path, has_bucket);
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

/// The findings by group, as oCIS writes them, and what is known and done beyond that.
fn told(found: &[Finding], root: &Path, has_bucket: bool) -> String {
    let mut sorted: Vec<&Finding> = found.iter().collect();
    sorted.sort_by(|a, b| {
        let order = |of: &Finding| (of.problem.category(), of.path.clone(), of.other.clone());
        order(a).cmp(&order(b))
    });
    let at = |path: &str| root.join(path).display().to_string();
    let (mut text, mut last) = (String::new(), None);
    for finding in sorted {
        let category = finding.problem.category();
        if last != Some(category) {
            let _ = writeln!(text, "\n🚨 {}:", category.heading());
            last = Some(category);
        }
        let (what, path) = match category {
            Category::Blobs | Category::BlobReferences => {
                let key = if has_bucket { key(&finding.path) } else { None };
                ("blob", key.unwrap_or_else(|| at(&finding.path)))
            }
            _ => ("path", at(&finding.path)),
        };
        let _ = writeln!(text, "\t👉️ [{}]\t{what}: {path}", finding.problem.as_str());
        if let Some(other) = &finding.other {
            let whose = if category == Category::Links { "missing" } else { "referencing" };
            let _ = writeln!(text, "\t\t\t\t{whose} node:{}", at(other));
        }
        let _ = writeln!(text, "\t\t{}; {}", finding.detail, finding.remedy);
    }
    text
}

/// The name in the bucket of a content that would lie at this path.
fn key(path: &str) -> Option<String> {
    let (space, blob) = path.strip_prefix("spaces/")?.split_once("/blobs/")?;
    Some(format!("{}/{blob}", space.replace('/', "")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocis_core::finding::{Problem, Remedy};

    #[test]
    fn findings_look_as_in_ocis() {
        let finding = |problem, path: &str, other: Option<&str>| Finding {
            problem,
            space: None,
            node: None,
            path: path.into(),
            other: other.map(str::to_owned),
            detail: "so it is".into(),
            remedy: Remedy::Decide("do something".into()),
        };
        let found = [
            finding(Problem::BlobMissing, "spaces/a/b/blobs/c/d", Some("spaces/a/b/nodes/n")),
            finding(Problem::BlobOrphaned, "spaces/a/b/blobs/e", None),
            finding(Problem::NodeMissing, "spaces/a/b/nodes/f/x", Some("spaces/a/b/nodes/m")),
            finding(Problem::TrashLinkMissing, "spaces/a/b/nodes/n.T.1", None),
        ];
        let why = "\t\tso it is; not repaired: do something\n";
        let nodes =
            "\n🚨 Inconsistent Nodes:\n\t👉️ [symlink missing]\tpath: /r/spaces/a/b/nodes/n.T.1\n";
        let links = "\n🚨 Inconsistent Links:\n\t👉️ [node missing]\tpath: /r/spaces/a/b/nodes/f/x\n\
                     \t\t\t\tmissing node:/r/spaces/a/b/nodes/m\n";
        let blobs =
            |blob: &str| format!("\n🚨 Inconsistent Blobs:\n\t👉️ [blob orphaned]\tblob: {blob}\n");
        let references = |blob: &str| {
            format!(
                "\n🚨 Inconsistent BlobReferences:\n\t👉️ [blob missing]\tblob: {blob}\n\
                 \t\t\t\treferencing node:/r/spaces/a/b/nodes/n\n"
            )
        };
        let wanted = |orphan: &str, missing: &str| {
            let (orphan, missing) = (blobs(orphan), references(missing));
            format!("{nodes}{why}{links}{why}{orphan}{why}{missing}{why}")
        };
        let root = Path::new("/r");
        let beside = wanted("/r/spaces/a/b/blobs/e", "/r/spaces/a/b/blobs/c/d");
        assert_eq!(told(&found, root, false), beside);
        assert_eq!(told(&found, root, true), wanted("ab/e", "ab/c/d"));
    }
}
