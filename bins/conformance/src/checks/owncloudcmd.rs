//! ownCloud's own sync client keeps two folders alike through the server.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};

use ocis_conformance::harness::{ADMIN_PASSWORD, Plan, Server, World, run};

pub(crate) fn register(plan: &mut Plan) {
    plan.add("owncloudcmd-two-folders", two_folders);
}

fn two_folders(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    let one = Desk::new(&server, "one")?;
    let two = Desk::new(&server, "two")?;
    additions(&one, &two)?;
    changes(&one, &two)?;
    renames(&one, &two)?;
    deletions(&one, &two)?;
    conflict(&one, &two)?;
    // Nothing more to do: two further runs change nothing on either side.
    let settled = one.files()?;
    one.sync()?;
    two.sync()?;
    ensure!(one.files()? == settled && two.files()? == settled, "not settled");
    Ok(())
}

fn additions(one: &Desk, two: &Desk) -> Result<()> {
    one.write("first.txt", b"from one")?;
    one.write("folder/deep/er/file with blank & caf\u{e9}.txt", b"deep")?;
    one.write("empty", b"")?;
    one.write("large.bin", &vec![7; 12 * 1024 * 1024])?;
    for number in 0..150 {
        one.write(&format!("many/{number}.txt"), format!("file {number}").as_bytes())?;
    }
    fs::create_dir_all(one.path("an empty folder"))?;
    two.write("second.txt", b"from two")?;
    one.sync()?;
    two.sync()?;
    one.sync()?;
    alike(one, two, "after additions")?;
    ensure!(two.path("an empty folder").is_dir(), "an empty folder did not arrive");
    ensure!(two.files()?.len() == 155, "{} files", two.files()?.len());
    let time = |desk: &Desk| -> Result<u64> {
        let time = fs::metadata(desk.path("first.txt"))?.modified()?;
        Ok(time.duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
    };
    ensure!(time(one)? == time(two)?, "the file's time did not travel");
    Ok(())
}

fn changes(one: &Desk, two: &Desk) -> Result<()> {
    two.write("first.txt", b"changed by two, longer")?;
    one.write("second.txt", b"changed by one")?;
    one.write("many/7.txt", b"changed too")?;
    two.sync()?;
    one.sync()?;
    two.sync()?;
    alike(one, two, "after changes")?;
    ensure!(one.read("first.txt")? == b"changed by two, longer", "a change was lost");
    ensure!(two.read("second.txt")? == b"changed by one", "a change was lost");
    Ok(())
}

fn renames(one: &Desk, two: &Desk) -> Result<()> {
    fs::rename(one.path("large.bin"), one.path("moved.bin"))?;
    fs::rename(one.path("many"), one.path("folder/many more"))?;
    one.sync()?;
    two.sync()?;
    alike(one, two, "after renames")?;
    ensure!(two.path("folder/many more/9.txt").exists(), "the renamed folder did not arrive");
    ensure!(!two.path("many").exists(), "the old folder is still there");
    Ok(())
}

fn deletions(one: &Desk, two: &Desk) -> Result<()> {
    fs::remove_file(two.path("moved.bin"))?;
    fs::remove_dir_all(two.path("folder/deep"))?;
    two.sync()?;
    one.sync()?;
    alike(one, two, "after deletions")?;
    ensure!(!one.path("folder/deep").exists(), "a deleted folder is still there");
    Ok(())
}

/// Both sides changed: the second to sync keeps the server's and its own as a conflict copy.
fn conflict(one: &Desk, two: &Desk) -> Result<()> {
    one.write("first.txt", b"what one thinks")?;
    two.write("first.txt", b"what two thinks, at length")?;
    one.sync()?;
    two.sync()?;
    ensure!(two.read("first.txt")? == b"what one thinks", "the server's version did not win");
    let copies: Vec<String> =
        two.files()?.into_keys().filter(|name| name.contains("conflict")).collect();
    ensure!(copies.len() == 1, "conflict copies: {copies:?}");
    ensure!(two.read(&copies[0])? == b"what two thinks, at length", "the conflict copy differs");
    // The client keeps conflict copies to itself; we put ours out of the way.
    fs::remove_file(two.path(&copies[0]))?;
    two.sync()?;
    one.sync()?;
    alike(one, two, "after a conflict")
}

fn alike(one: &Desk, two: &Desk, when: &str) -> Result<()> {
    let (left, right) = (one.files()?, two.files()?);
    let differing: Vec<&String> = left
        .keys()
        .chain(right.keys())
        .filter(|name| left.get(*name) != right.get(*name))
        .collect();
    ensure!(differing.is_empty(), "{when} these differ: {differing:?}");
    Ok(())
}

/// One computer with a synced folder.
struct Desk {
    place: tempfile::TempDir,
    url: String,
}

impl Desk {
    fn new(server: &Server, name: &str) -> Result<Self> {
        let place = tempfile::Builder::new().prefix(name).tempdir()?;
        fs::create_dir_all(place.path().join("files"))?;
        // The client refuses to run without a list of excluded names.
        fs::write(place.path().join("exclude"), "*.part\n")?;
        Ok(Self { place, url: server.url() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join("files").join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(&path, bytes).with_context(|| path.display().to_string())
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        fs::read(self.path(name)).with_context(|| name.to_owned())
    }

    fn sync(&self) -> Result<()> {
        let mut command = Command::new("owncloudcmd");
        command
            .args(["--non-interactive", "--trust", "-u", "admin", "-p", ADMIN_PASSWORD])
            .arg("--exclude")
            .arg(self.place.path().join("exclude"))
            .arg(self.path(""))
            .arg(&self.url)
            .env("HOME", self.place.path())
            .env("QT_QPA_PLATFORM", "offscreen");
        let finished = run(&mut command, Duration::from_secs(120))?.success("owncloudcmd")?;
        let said = format!("{}{}", finished.stdout, finished.stderr);
        ensure!(!said.contains("FATAL") && !said.contains("ERROR"), "owncloudcmd said: {said}");
        Ok(())
    }

    /// Relative names and contents, without the client's own files.
    fn files(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        let root = self.path("");
        let mut all = BTreeMap::new();
        let mut waiting = vec![root.clone()];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    waiting.push(path);
                } else if !is_journal(&path) {
                    let name = path.strip_prefix(&root)?.display().to_string();
                    all.insert(name, fs::read(&path)?);
                }
            }
        }
        Ok(all)
    }
}

fn is_journal(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    name.is_some_and(|name| {
        name.starts_with("._sync_") || name.starts_with(".sync_") || name == ".owncloudsync.log"
    })
}
