//! rclone (vendor `owncloud`) carries a tree of 3,000 files with odd names there and back.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};

use ocis_conformance::harness::{
    ADMIN_PASSWORD, Finished, Plan, Random, Server, World, encoded, entries, run,
};

const FILES: usize = 3000;
const LIMIT: Duration = Duration::from_secs(300);

pub(crate) fn register(plan: &mut Plan) {
    plan.add("rclone-tree", tree);
    plan.add("rclone-spaces-url", |world| {
        let server = world.shared()?;
        let space = ocis_conformance::harness::personal_space(&mut server.admin())?;
        small_copy(&server, &format!("/dav/spaces/{}", encoded(&space)))
    });
    plan.add("rclone-dav-files", |world| {
        let server = world.shared()?;
        small_copy(&server, "/dav/files/admin")
    });
}

/// Copy, compare by size, time and checksum, compare by downloaded bytes, move back, purge.
fn tree(world: &World) -> Result<()> {
    let server = world.launch()?.start()?;
    let rclone = Rclone::new(&server, "/remote.php/webdav")?;
    let (source, back) = (rclone.folder("source")?, rclone.folder("back")?);
    // The S3 server of the tests is a slow one, and who holds the accounts changes no file.
    let files = if world.is_variant() { FILES / 10 } else { FILES };
    let odd = generate(&source, &mut world.random(), files)?;
    println!("       {files} files in {} folders", odd);
    let (here, there) = (source.display().to_string(), "ocis:odd names & more".to_owned());
    rclone.run(&["copy", &here, &there, "--transfers", "8", "--create-empty-src-dirs"])?;
    rclone.run(&["check", &here, &there])?;
    rclone.run(&["check", "--download", &here, &there])?;
    // The server's checksums, not those of a download.
    rclone.run(&["check", "--checksum", &here, &there])?;
    times_kept(&rclone, &source, &there, files)?;
    // A second copy has nothing to do: times and sizes came through.
    let again = rclone.run(&["copy", "-v", "--stats-one-line", &here, &there])?;
    ensure!(!again.stderr.contains("Copied ("), "copied twice:\n{}", again.stderr);
    rclone.run(&["move", &there, &back.display().to_string(), "--transfers", "8"])?;
    ensure!(contents(&back)? == contents(&source)?, "the tree came back changed");
    rclone.run(&["copy", &here, &there, "--transfers", "8"])?;
    rclone.run(&["purge", &there])?;
    let left = server.admin().propfind("/remote.php/webdav/", "1")?.expect(&[207])?;
    let names: Vec<String> =
        entries(&left.body)?.iter().map(|entry| entry.name().to_owned()).collect();
    ensure!(!names.iter().any(|name| name.contains("odd")), "left after purge: {names:?}");
    Ok(())
}

/// The same, small, on another URL of the same space.
fn small_copy(server: &Server, path: &str) -> Result<()> {
    let rclone = Rclone::new(server, path)?;
    let source = rclone.folder("source")?;
    generate(&source, &mut Random::new(7), 60)?;
    let here = source.display().to_string();
    rclone.run(&["copy", &here, "ocis:rclone-small"])?;
    rclone.run(&["check", "--download", &here, "ocis:rclone-small"])?;
    rclone.run(&["moveto", "ocis:rclone-small", "ocis:rclone-moved"])?;
    rclone.run(&["check", &here, "ocis:rclone-moved"])?;
    rclone.run(&["purge", "ocis:rclone-moved"])?;
    Ok(())
}

struct Rclone {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Rclone {
    fn new(server: &Server, path: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut obscure = Command::new("rclone");
        obscure.args(["obscure", ADMIN_PASSWORD]).env("HOME", folder.path());
        let password = run(&mut obscure, LIMIT)?.success("rclone obscure")?.stdout;
        let environment = [
            ("RCLONE_CONFIG_OCIS_TYPE", "webdav"),
            ("RCLONE_CONFIG_OCIS_VENDOR", "owncloud"),
            ("RCLONE_CONFIG_OCIS_URL", &format!("{}{path}", server.url())),
            ("RCLONE_CONFIG_OCIS_USER", "admin"),
            ("RCLONE_CONFIG_OCIS_PASS", password.trim()),
            ("RCLONE_NO_CHECK_CERTIFICATE", "true"),
            ("RCLONE_CONFIG", "/dev/null"),
            // By itself it sends a hundred requests a second at most.
            ("RCLONE_WEBDAV_PACER_MIN_SLEEP", "10us"),
            // One attempt: a retry would hide a failure.
            ("RCLONE_RETRIES", "1"),
            ("RCLONE_LOW_LEVEL_RETRIES", "1"),
        ];
        let environment =
            environment.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Ok(Self { folder, environment })
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    fn run(&self, arguments: &[&str]) -> Result<Finished> {
        let mut command = Command::new("rclone");
        command.args(arguments).envs(self.environment.iter().cloned());
        command.env("HOME", self.folder.path());
        let what = format!("rclone {}", arguments.first().unwrap_or(&""));
        run(&mut command, LIMIT)?.success(&what)
    }
}

/// Names that somebody's server once got wrong. A backslash is not among them: oCIS refuses it
/// (`OCDAV_NAME_VALIDATION_INVALID_CHARS`).
fn odd_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "plain.txt",
        "with blank",
        " leading blank",
        "trailing blank ",
        "two  blanks",
        ".hidden",
        "..two dots",
        "...",
        "trailing dot.",
        "%20",
        "100%",
        "%2F%00%zz",
        "a+b",
        "hash#tag",
        "question?mark",
        "amp&ersand",
        "semi;colon",
        "co:lon",
        "star*",
        "pipe|",
        "less<greater>",
        "quote\"double",
        "apostrophe's",
        "caret^ tilde~ back`tick",
        "[brackets] {braces} (parens)",
        "equals=dollar$at@bang!",
        "comma,",
        "caf\u{e9} NFC",
        "cafe\u{301} NFD",
        "\u{65e5}\u{672c}\u{8a9e}",
        "\u{420}\u{443}\u{441}\u{441}\u{43a}\u{438}\u{439}",
        "\u{5d0}\u{5d1} right to left",
        "emoji \u{1f600}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "\u{ff0f} fullwidth slash",
        "zero\u{200b}width",
        "CON",
        "nul.txt",
        "desktop.ini",
        "Thumbs.db",
        "-rf",
        "--help",
        "~$office.docx",
        ".~lock.x#",
        "ends.lock",
        "meta.mpk",
        "file.REV.2024-01-01T00:00:00Z",
        "x.T.2024-01-01T00:00:00Z",
        "tab\tname",
        "line\nfeed",
        "carriage\rreturn",
        "bell\u{7}",
        "delete\u{7f}",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("n".repeat(255));
    names.push("\u{e9}".repeat(127));
    names
}

/// Makes the tree and returns how many folders it has.
fn generate(root: &Path, random: &mut Random, files: usize) -> Result<usize> {
    let names = odd_names();
    let mut folders = vec![root.to_owned()];
    // rclone encodes what some file systems refuse; the server sees control characters too.
    for name in names.iter().take(39) {
        let parent = &folders[random.below(folders.len() as u64) as usize];
        let folder = parent.join(format!("{name} d"));
        fs::create_dir_all(&folder)?;
        folders.push(folder);
    }
    for number in 0..files {
        let folder = &folders[number % folders.len()];
        let name = match names.get(number / folders.len()) {
            Some(name) => name.clone(),
            None => format!("{number} {}", names[number % 50]),
        };
        let size = match random.below(10) {
            0 => 0,
            1..=8 => random.below(3000),
            _ => random.below(100_000),
        };
        let path = folder.join(name);
        fs::write(&path, random.bytes(usize::try_from(size)?))
            .with_context(|| path.display().to_string())?;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(random.below(1_900_000_000));
        File::options().write(true).open(&path)?.set_modified(time)?;
    }
    Ok(folders.len())
}

/// Path below the root, bytes and time in whole seconds, which is what the protocol carries.
fn contents(root: &Path) -> Result<BTreeMap<PathBuf, (Vec<u8>, u64)>> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let about = fs::metadata(&path)?;
            if about.is_dir() {
                waiting.push(path);
                continue;
            }
            let time = about.modified()?.duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
            all.insert(path.strip_prefix(root)?.to_owned(), (fs::read(&path)?, time));
        }
    }
    Ok(all)
}

/// `rclone lsjson` of the server has every file with the time of the local one.
fn times_kept(rclone: &Rclone, source: &Path, there: &str, files: usize) -> Result<()> {
    let listed = rclone.run(&["lsjson", "--recursive", "--files-only", there])?.stdout;
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed)?;
    ensure!(listed.len() == files, "{} of {files} files are listed", listed.len());
    let local =
        rclone.run(&["lsjson", "--recursive", "--files-only", &source.display().to_string()])?;
    let local: Vec<serde_json::Value> = serde_json::from_str(&local.stdout)?;
    let times = |files: &[serde_json::Value]| -> BTreeMap<String, String> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        // To the second and without the zone, which both print in UTC here.
        let pair = |file: &serde_json::Value| {
            let time: String = text(&file["ModTime"]).chars().take(19).collect();
            (text(&file["Path"]), time)
        };
        files.iter().map(pair).collect()
    };
    ensure!(times(&listed) == times(&local), "times differ");
    Ok(())
}
