//! Two clients that behave like a person at a desk: cadaver, a command line, and davfs2, a mount.
//! Both over plain HTTP, as neither can be told to trust a certificate without asking.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use ocis_conformance::harness::{ADMIN_PASSWORD, Plan, World, run, run_with_input};

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn register(plan: &mut Plan) {
    plan.add("cadaver-script", cadaver);
    plan.add("davfs2-mount", davfs2);
}

const SCRIPT: &str = "mkcol col
put local.txt col/remote.txt
ls col
cat col/remote.txt
get col/remote.txt got.txt
propset col/remote.txt color blue
propget col/remote.txt color
propdel col/remote.txt color
lock col/remote.txt
discover col/remote.txt
put local.txt col/remote.txt
unlock col/remote.txt
copy col/remote.txt col/copy.txt
move col/copy.txt \"col/moved name.txt\"
mkcol col/inner
copy col other
ls other
delete col/remote.txt
rmcol col
rmcol other
quit
";

fn cadaver(world: &World) -> Result<()> {
    let server = world.launch()?.plain().start()?;
    let home = tempfile::tempdir()?;
    fs::write(home.path().join("local.txt"), "some text\n")?;
    let secrets = home.path().join(".netrc");
    fs::write(&secrets, format!("machine localhost login admin password {ADMIN_PASSWORD}\n"))?;
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600))?;
    let mut command = Command::new("cadaver");
    command.arg(format!("{}/remote.php/webdav/", server.url()));
    command.current_dir(home.path()).env("HOME", home.path());
    let said = run_with_input(&mut command, SCRIPT.as_bytes(), LIMIT)?.success("cadaver")?.stdout;
    for bad in ["failed", "Could not", "no locks found", "Error"] {
        ensure!(!said.contains(bad), "`{bad}` in:\n{said}");
    }
    let good = said.matches("succeeded.").count();
    ensure!(good == 17, "{good} of 17 commands succeeded:\n{said}");
    for part in ["some text", "Value of color is: blue", "moved name.txt", "Lock token <urn:uuid:"]
    {
        ensure!(said.contains(part), "no `{part}` in:\n{said}");
    }
    ensure!(fs::read(home.path().join("got.txt"))? == b"some text\n", "wrong bytes came back");
    Ok(())
}

/// Files through the kernel, with the locks that davfs2 takes while a file is open.
fn davfs2(world: &World) -> Result<()> {
    let server = world.launch()?.plain().start()?;
    let place = tempfile::tempdir()?;
    let (mount, cache) = (place.path().join("mount"), place.path().join("cache"));
    for folder in [&mount, &cache] {
        fs::create_dir(folder)?;
        // davfs2 gives up being root and keeps its cache as its own user.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
    }
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755))?;
    let url = format!("{}/dav/files/admin/", server.url());
    let (conf, secrets) = (place.path().join("conf"), place.path().join("secrets"));
    fs::write(&secrets, format!("{url} admin {ADMIN_PASSWORD}\n"))?;
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600))?;
    fs::write(
        &conf,
        format!(
            "secrets {}\ncache_dir {}\nask_auth 0\nuse_locks 1\ndelay_upload 0\n",
            secrets.display(),
            cache.display()
        ),
    )?;
    let mut command = Command::new("mount.davfs");
    command.arg(&url).arg(&mount).arg("-o").arg(format!("conf={}", conf.display()));
    run(&mut command, LIMIT)?.success("mount.davfs")?;
    let mounted = Mounted(mount.clone());
    let big: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::create_dir(mount.join("folder"))?;
    fs::write(mount.join("folder/one.txt"), "one")?;
    fs::write(mount.join("folder/one.txt"), "one again")?;
    fs::write(mount.join("big file"), &big)?;
    fs::rename(mount.join("folder/one.txt"), mount.join("folder/two.txt"))?;
    fs::write(mount.join("gone"), "soon")?;
    fs::remove_file(mount.join("gone"))?;
    drop(mounted);
    let mut admin = server.admin();
    let one = admin.get("/dav/files/admin/folder/two.txt")?.expect(&[200])?;
    ensure!(one.body == b"one again", "wrong bytes: {}", one.text());
    ensure!(admin.get("/dav/files/admin/big%20file")?.body == big, "the big file differs");
    admin.get("/dav/files/admin/gone")?.expect(&[404])?;
    admin.get("/dav/files/admin/folder/one.txt")?.expect(&[404])?;
    // No lock was left behind.
    admin.send("DELETE", "/dav/files/admin/folder", &[], b"")?.expect(&[204])?;
    Ok(())
}

/// Unmounts, which waits until everything is uploaded.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = run(Command::new("umount").arg(&self.0), LIMIT);
    }
}
