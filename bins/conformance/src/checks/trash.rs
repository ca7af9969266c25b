//! What was deleted and what was overwritten: found, brought back, and gone from the disk when it is
//! to be gone.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use ocis_conformance::harness::{
    Client, Entry, Plan, Server, World, encoded, entries, personal_space,
};

const FOLDER: &str = "/dav/files/admin/trash";

pub(crate) fn register(plan: &mut Plan) {
    plan.add("trash-and-versions", whole_life);
}

/// The contents below a folder of blobs, in all spaces.
fn contents(server: &Server) -> Result<usize> {
    fn files(folder: &Path, within: bool) -> Result<usize> {
        let mut count = 0;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                count += files(&entry.path(), within || entry.file_name() == "blobs")?;
            } else if within {
                count += 1;
            }
        }
        Ok(count)
    }
    files(&server.launch().data().join("storage/users/spaces"), false)
}

/// A decoded path as clients send it.
fn url(path: &str) -> String {
    path.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

fn list(client: &mut Client, path: &str) -> Result<Vec<Entry>> {
    let reply = client.propfind(&url(path), "1")?.expect(&[207])?;
    // The first is what was asked for itself.
    Ok(entries(&reply.body)?.split_off(1))
}

fn whole_life(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    let mut admin = server.admin();
    let space = personal_space(&mut admin)?;
    let before = contents(&server)?;
    admin.send("MKCOL", FOLDER, &[], b"")?.expect(&[201])?;
    let file = format!("{FOLDER}/file.txt");
    for text in ["first", "second, longer"] {
        admin.put(&file, text.as_bytes())?.expect(&[201, 204])?;
    }
    versions(&mut admin, &file)?;
    ensure!(contents(&server)? == before + 2, "a version has no content of its own");
    let bin = format!("/dav/spaces/trash-bin/{space}");
    admin.send("DELETE", FOLDER, &[], b"")?.expect(&[204])?;
    let deleted = list(&mut admin, &bin)?;
    let [folder] = deleted.as_slice() else { anyhow::bail!("the trash has {deleted:?}") };
    ensure!(folder.property("trashbin-original-location") == "trash", "{folder:?}");
    let inside = list(&mut admin, &folder.href)?;
    let [child] = inside.as_slice() else { anyhow::bail!("the folder has {inside:?}") };
    ensure!(child.property("trashbin-original-location") == "trash/file.txt", "{child:?}");
    ensure!(child.property("getcontentlength") == "5", "{child:?}");
    let key = url(&folder.href);
    let to = |path: &str| format!("{}/dav/spaces/{space}/{path}", server.url());
    let restored = to("back");
    admin.send("MOVE", &key, &[("Destination", &restored)], b"")?.expect(&[201])?;
    ensure!(admin.get("/dav/files/admin/back/file.txt")?.expect(&[200])?.body == b"first");
    ensure!(list(&mut admin, &bin)?.is_empty(), "what was brought back is still in the trash");
    admin.send("DELETE", "/dav/files/admin/back", &[], b"")?.expect(&[204])?;
    let deleted = list(&mut admin, &bin)?;
    let folder = deleted.first().context("nothing is in the trash")?;
    ensure!(contents(&server)? == before + 2, "a content is gone before it was purged");
    admin.send("DELETE", &url(&folder.href), &[], b"")?.expect(&[204])?;
    ensure!(contents(&server)? == before, "a content is still there after it was purged");
    ensure!(list(&mut admin, &bin)?.is_empty(), "what was purged is still in the trash");
    admin.put("/dav/files/admin/last", b"x")?.expect(&[201])?;
    admin.send("DELETE", "/dav/files/admin/last", &[], b"")?.expect(&[204])?;
    admin.send("DELETE", &url(&bin), &[], b"")?.expect(&[204])?;
    ensure!(contents(&server)? == before, "a content is still there after all was purged");
    Ok(())
}

/// Reads the former content and makes it the content again.
fn versions(admin: &mut Client, file: &str) -> Result<()> {
    let head = admin.send("HEAD", file, &[], b"")?.expect(&[200])?;
    let id = head.header("oc-fileid").context("no oc-fileid")?.to_owned();
    let all = format!("/dav/meta/{id}/v");
    let found = list(admin, &all)?;
    let [version] = found.as_slice() else { anyhow::bail!("the versions are {found:?}") };
    ensure!(version.property("getcontentlength") == "5", "{version:?}");
    let former = url(&version.href);
    ensure!(admin.get(&former)?.expect(&[200])?.body == b"first", "another content came");
    let part = admin.send("GET", &former, &[("Range", "bytes=1-2")], b"")?.expect(&[206])?;
    ensure!(part.body == b"ir", "another part came");
    admin.send("COPY", &former, &[], b"")?.expect(&[204])?;
    ensure!(admin.get(file)?.expect(&[200])?.body == b"first", "it was not brought back");
    let found = list(admin, &all)?;
    let [version] = found.as_slice() else { anyhow::bail!("the versions are {found:?}") };
    ensure!(version.property("getcontentlength") == "14", "{version:?}");
    Ok(())
}
