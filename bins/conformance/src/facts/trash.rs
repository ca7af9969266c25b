//! Rows of cli.md about what was deleted and former contents: each command beside a server and without
//! one.

use anyhow::{Context, Result, ensure};

use super::Fact;
use super::maintenance::{both, served};
use ocis_conformance::harness::{Server, World};

pub(super) const FACTS: &[Fact] = &[
    ("cli-revisions-purge", revisions_purge),
    ("cli-trash-bin-list", trash_bin_list),
    ("cli-trash-bin-restore", trash_bin_restore),
    ("cli-trash-bin-purge-expired", trash_bin_purge_expired),
];

/// Puts a file into the trash.
fn deleted(server: &Server, path: &str, content: &[u8]) -> Result<()> {
    server.admin().put(path, content)?.expect(&[201])?;
    server.admin().send("DELETE", path, &[], b"")?.expect(&[204])?;
    Ok(())
}

/// The ids in the first column of the table, by the path in the second.
fn id_of(table: &str, path: &str) -> Result<String> {
    let rows = table.lines().filter(|line| line.starts_with('|'));
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        if let [id, at, ..] = cells[..]
            && at == path
        {
            return Ok(id.to_owned());
        }
    }
    anyhow::bail!("{path} is not in {table}")
}

fn revisions_purge(world: &World) -> Result<()> {
    let (mut server, root, _, id) = served(world)?;
    let purge = ["revisions", "purge", "-p", &root];
    let (_, none) = both(&mut server, &purge)?;
    ensure!(none == "❎ No revisions found. Storage provider is clean.\n", "{none}");
    for content in [b"second".as_slice(), b"third"] {
        server.admin().put("/webdav/file.txt", content)?.expect(&[204])?;
    }
    let (_, told) =
        both(&mut server, &[&purge[..], &["-b", "ocis", "-r", &format!("x${id}")]].concat())?;
    ensure!(told == "👉 Would delete 2 revisions (4 files / 2 blobs)\n", "{told}");
    let all = [&purge[..], &["--dry-run=false"]].concat();
    let done = server.launch().run(&all)?.success("purge")?;
    ensure!(done.stdout == "✅ Deleted 2 revisions (4 files / 2 blobs)\n", "{}", done.said());
    let (_, none) = both(&mut server, &purge)?;
    ensure!(none.starts_with("❎"), "{none}");
    let file = server.admin().get("/webdav/file.txt")?.expect(&[200])?;
    ensure!(file.text() == "third", "{}", file.text());
    Ok(())
}

fn trash_bin_list(world: &World) -> Result<()> {
    let (mut server, _, _, id) = served(world)?;
    let list = ["storage-users", "trash-bin", "list", &id];
    let (code, said) = both(&mut server, &list)?;
    ensure!(code == 0 && said.is_empty(), "{said}");
    deleted(&server, "/webdav/gone.txt", b"gone")?;
    server.admin().send("MKCOL", "/webdav/folder", &[], b"")?.expect(&[201])?;
    server.admin().send("DELETE", "/webdav/folder", &[], b"")?.expect(&[204])?;
    let (_, said) = both(&mut server, &[&list[..], &["--verbose"]].concat())?;
    let header = said.lines().nth(1).context("no table")?;
    let header: Vec<_> = header.trim_matches('|').split('|').map(str::trim).collect();
    ensure!(header == ["itemID", "path", "type", "delete at"], "{said}");
    ensure!(said.contains("total count: 2"), "{said}");
    ensure!(said.ends_with("Use an itemID to restore an item.\n"), "{said}");
    id_of(&said, "/gone.txt")?;
    ensure!(said.contains("| folder |") && said.contains("| file   |"), "{said}");
    Ok(())
}

fn trash_bin_restore(world: &World) -> Result<()> {
    let (mut server, _, _, space) = served(world)?;
    for path in ["/webdav/a.txt", "/webdav/a.txt", "/webdav/b.tar.gz"] {
        deleted(&server, path, b"deleted")?;
    }
    server.admin().put("/webdav/b.tar.gz", b"new")?.expect(&[201])?;
    let bin = ["storage-users", "trash-bin"];
    let (_, table) = both(&mut server, &[&bin[..], &["list", &space]].concat())?;
    let item = id_of(&table, "/b.tar.gz")?;
    let restore = [&bin[..], &["restore", &space, &item]].concat();
    let skipped = server.launch().run(&restore)?.success("skip")?;
    ensure!(skipped.stdout.contains("skipped"), "{}", skipped.said());
    let kept = [&restore[..], &["-o", "keep-both"]].concat();
    let kept = server.launch().run(&kept)?.success("keep both")?;
    let line = format!("itemID: '{item}', path: '/b.tar.gz', restored as './b (1).tar.gz'\n");
    ensure!(kept.stdout == line, "{}", kept.said());
    let unknown = server.launch().run(&[&bin[..], &["restore", &space, "nothing"]].concat())?;
    ensure!(unknown.code() == 1, "{}", unknown.said());
    ensure!(unknown.stderr.contains("itemID 'nothing' not found"), "{}", unknown.said());
    let all = [&bin[..], &["restore-all", &space]].concat();
    server.launch().run_with_input(&all, "n\n")?.success("refused")?;
    let all = [&all[..], &["--yes", "--option", "replace"]].concat();
    let all = server.launch().run(&all)?.success("restore all")?;
    ensure!(all.stdout.lines().count() == 2, "{}", all.said());
    let file = server.admin().get("/webdav/a.txt")?.expect(&[200])?;
    ensure!(file.text() == "deleted", "{}", file.text());
    Ok(())
}

fn trash_bin_purge_expired(world: &World) -> Result<()> {
    let (mut server, _, _, space) = served(world)?;
    deleted(&server, "/webdav/gone.txt", b"gone")?;
    let purge = ["storage-users", "trash-bin", "purge-expired"];
    let (_, said) = both(&mut server, &purge)?;
    ensure!(said == "purged 0 items, 0 contents, 0 bytes\n", "{said}");
    let launch =
        server.launch().clone().env("STORAGE_USERS_PURGE_TRASH_BIN_PERSONAL_DELETE_BEFORE", "1ns");
    let said = launch.run(&purge)?.success("purge")?;
    ensure!(said.stdout == "purged 1 items, 1 contents, 4 bytes\n", "{}", said.said());
    let (_, list) = both(&mut server, &["storage-users", "trash-bin", "list", &space])?;
    ensure!(list.is_empty(), "{list}");
    Ok(())
}
