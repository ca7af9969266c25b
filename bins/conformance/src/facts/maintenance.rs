//! Rows of cli.md about the upkeep of a storage: each command beside a server and without one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Fact;
use ocis_conformance::harness::{Server, World};

pub(super) const FACTS: &[Fact] = &[
    ("cli-backup-consistency", backup_consistency),
    ("cli-trash-purge-empty-dirs", purge_empty_dirs),
    ("cli-decomposedfs-check-treesize", check_treesize),
    ("cli-decomposedfs-metadata", metadata),
    ("cli-uploads-sessions", uploads_sessions),
];

const STOP: Duration = Duration::from_secs(20);

/// A server of one's own with one file, its storage, the folder of its space, and the space's id.
pub(super) fn served(world: &World) -> Result<(Server, String, PathBuf, String)> {
    let server = world.launch()?.start()?;
    server.admin().put("/webdav/file.txt", b"content")?.expect(&[201])?;
    let root = server.launch().data().join("storage/users");
    let (head, head_name) = only(&root.join("spaces"))?;
    let (folder, tail_name) = only(&head)?;
    let root = root.to_str().context("a path of the test")?.to_owned();
    Ok((server, root, folder, format!("{head_name}{tail_name}")))
}

fn only(folder: &Path) -> Result<(PathBuf, String)> {
    let entry = std::fs::read_dir(folder)?.next().context("nothing there")??;
    Ok((entry.path(), entry.file_name().to_string_lossy().into_owned()))
}

fn root_node(folder: &Path, id: &str) -> Result<PathBuf> {
    let cut = |at: usize| id.get(at..at + 2).context("a short id");
    let rest = id.get(8..).context("a short id")?;
    Ok(folder.join("nodes").join(cut(0)?).join(cut(2)?).join(cut(4)?).join(cut(6)?).join(rest))
}

/// What a command prints beside the server and without it, which is the same.
pub(super) fn both(server: &mut Server, arguments: &[&str]) -> Result<(i32, String)> {
    let beside = server.launch().run(arguments)?;
    server.terminate(STOP)?;
    let alone = server.launch().run(arguments)?;
    server.restart()?;
    ensure!(beside.stdout == alone.stdout, "{}\n{}", beside.said(), alone.said());
    ensure!(beside.code() == alone.code(), "{}\n{}", beside.said(), alone.said());
    Ok((alone.code(), alone.stdout))
}

fn backup_consistency(world: &World) -> Result<()> {
    let (mut server, root, folder, id) = served(world)?;
    for flag in ["--basepath", "-p"] {
        for blobs in ["ocis", "none"] {
            let check = ["backup", "consistency", flag, &root, "--blobstore", blobs, "--fail"];
            let (code, said) = both(&mut server, &check)?;
            ensure!(code == 0 && said.contains("No inconsistency found"), "{said}");
            ensure!(said.lines().count() == 1, "{said}");
        }
    }
    std::fs::remove_file(root_node(&folder, &id)?.join("file.txt"))?;
    let (code, said) = both(&mut server, &["backup", "consistency", "-p", &root, "-b", "ocis"])?;
    ensure!(code == 0 && said.contains("Inconsistent Nodes:"), "{said}");
    let (code, _) = both(&mut server, &["backup", "consistency", "-p", &root, "--fail"])?;
    ensure!(code == 1, "--fail ends with {code}");
    let repair = ["backup", "consistency", "-p", &root, "--repair", "--fail"];
    server.launch().run(&repair)?.success("repair")?;
    let file = server.admin().get("/webdav/file.txt")?.expect(&[200])?;
    ensure!(file.text() == "content", "{}", file.text());
    let mut blob = folder.join("blobs");
    for _ in 0..5 {
        blob = only(&blob)?.0;
    }
    std::fs::remove_file(&blob)?;
    let (code, said) = both(&mut server, &["backup", "consistency", "-p", &root, "--fail"])?;
    let lines =
        ["Inconsistent BlobReferences:", "\t👉️ [blob missing]\tblob: ", "\treferencing node:/"];
    let has_all = lines.iter().all(|line| said.contains(line));
    let blob = blob.to_str().context("a path of the test")?;
    ensure!(code == 1 && has_all && said.contains(&format!("\tblob: {blob}\n")), "{said}");
    ensure!(server.launch().run(&["backup", "consistency"])?.code() == 1, "--basepath is required");
    let alone = server.launch().run(&["backup"])?.success("backup")?;
    ensure!(alone.stdout == "Read the docs\n", "{}", alone.said());
    Ok(())
}

fn purge_empty_dirs(world: &World) -> Result<()> {
    let (mut server, root, folder, _) = served(world)?;
    let empty = folder.join("trash/aa/bb/cc/dd");
    std::fs::create_dir_all(&empty)?;
    let (_, said) = both(&mut server, &["trash", "purge-empty-dirs", "-p", &root])?;
    ensure!(said == format!("would remove {}\n", empty.display()), "{said}");
    ensure!(empty.exists(), "the default removes nothing");
    let remove = ["trash", "purge-empty-dirs", "--basepath", &root, "--dry-run=false"];
    server.launch().run(&remove)?.success("remove")?;
    ensure!(!empty.exists(), "it is still there");
    Ok(())
}

fn check_treesize(world: &World) -> Result<()> {
    let (mut server, root, folder, id) = served(world)?;
    let set = ["set", "-a", "user.ocis.treesize", "-v", "5"];
    let set = [&["decomposedfs", "metadata", "-r", &root, "-n", &id][..], &set].concat();
    server.launch().run(&set)?.success("set")?;
    let check = ["decomposedfs", "check-treesize", "--root", &root, "--node", &id];
    let (_, said) = both(&mut server, &check)?;
    let internal = format!("\tInternalPath: {}\n", root_node(&folder, &id)?.display());
    let node = format!("\tNodeId: {id}\n");
    for part in [
        "Checking treesizes in space: ",
        &node,
        &internal,
        "\tcalculated treesize: 7\n",
        "\ttreesize in metadata: 5\n",
    ] {
        ensure!(said.contains(part), "no {part:?} in {said}");
    }
    let repair = [&check[..], &["--repair"]].concat();
    server.launch().run_with_input(&repair, "no\n")?.success("refused")?;
    let (_, again) = both(&mut server, &check)?;
    ensure!(again == said, "{again}");
    let forced = [&repair[..], &["--force"]].concat();
    let fixed = server.launch().run(&forced)?.success("repair")?;
    let line = format!("Fixing tree size for node: {id}. Calculated treesize: 7\n");
    ensure!(fixed.stdout.ends_with(&line), "{}", fixed.said());
    let (_, clean) = both(&mut server, &check)?;
    ensure!(clean.lines().count() == 1, "{clean}");
    Ok(())
}

fn metadata(world: &World) -> Result<()> {
    let (mut server, root, folder, id) = served(world)?;
    let path = root_node(&folder, &id)?;
    let path = path.to_str().context("a path of the test")?.to_owned();
    let command = |rest: &[&str]| {
        let head = ["decomposedfs", "metadata", "--root", &root, "--node", &path];
        head.iter().chain(rest).map(|part| (*part).to_owned()).collect::<Vec<_>>()
    };
    let run = |server: &mut Server, rest: &[&str]| {
        let command = command(rest);
        both(server, &command.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (_, dump) = run(&mut server, &["dump"])?;
    let mut sorted: Vec<_> = dump.lines().collect();
    sorted.sort_unstable();
    ensure!(dump.lines().eq(sorted), "not sorted: {dump}");
    ensure!(dump.contains("user.ocis.space.type=\"personal\"\n"), "{dump}");
    for value in ["0x00ff", "0sAP8="] {
        run(&mut server, &["set", "--attribute", "user.ocis.md.x", "--value", value])?;
        let (_, got) = run(&mut server, &["get", "-a", "user.ocis.md.x"])?;
        ensure!(got == "user.ocis.md.x=0sAP8=\n", "{got}");
    }
    Ok(())
}

fn uploads_sessions(world: &World) -> Result<()> {
    let (mut server, ..) = served(world)?;
    let sessions = ["storage-users", "uploads", "sessions"];
    let with = |flags: &[&'static str]| [&sessions[..], flags].concat();
    let (_, table) = both(&mut server, &sessions)?;
    let titles = [
        "Space",
        "Upload Id",
        "Name",
        "Offset",
        "Size",
        "Executant",
        "Owner",
        "Expires",
        "Processing",
        "Scan Date",
        "Scan Result",
    ];
    let header = table.lines().find(|line| line.starts_with('|')).context("no table")?;
    let header: Vec<_> = header.trim_matches('|').split('|').map(str::trim).collect();
    ensure!(header == titles, "{table}");
    ensure!(table.starts_with("Sessions:\n"), "{table}");
    for (flags, line) in [
        (&["--expired=false"][..], "Not expired sessions:\n"),
        (&["--processing", "--has-virus=false"], "Processing, not virusinfected sessions:\n"),
        (&["--id", "x"], "Session with id 'x':\n"),
    ] {
        let (_, said) = both(&mut server, &with(flags))?;
        ensure!(said.starts_with(line), "{said}");
    }
    let (_, json) = both(&mut server, &with(&["--json"]))?;
    ensure!(json == "[]\n", "{json}");
    let two = server.launch().run(&with(&["--clean", "--restart"]))?;
    ensure!(two.code() == 1, "{}", two.said());
    Ok(())
}
