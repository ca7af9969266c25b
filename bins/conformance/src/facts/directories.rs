//! Section 2: the default paths, with and without a home directory.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Fact;
use ocis_conformance::harness::{World, run};

pub(super) const FACTS: &[Fact] = &[
    ("seed-2.config", config),
    ("seed-2.data", data),
    ("seed-2.posix-root", posix_root),
    ("seed-2.s3-root", s3_root),
    ("seed-2.no-home", no_home),
];

fn config(world: &World) -> Result<()> {
    let launch = world.launch()?;
    launch.init()?;
    ensure!(launch.home().join(".ocis/config/ocis.yaml").is_file(), "not in $HOME/.ocis/config");
    Ok(())
}

fn data(world: &World) -> Result<()> {
    let server = world.shared()?;
    let home = server.launch().home();
    for path in [".ocis/idm", ".ocis/proxy/server.crt", ".ocis/storage/users"] {
        ensure!(home.join(path).exists(), "no $HOME/{path}");
    }
    let launch = world.launch()?;
    let elsewhere = launch.home().join("elsewhere");
    let launch = launch.env("OCIS_BASE_DATA_PATH", &elsewhere.display().to_string());
    let server = launch.start()?;
    for path in ["idm", "proxy/server.crt", "storage/users"] {
        ensure!(elsewhere.join(path).exists(), "no $OCIS_BASE_DATA_PATH/{path}");
    }
    ensure!(!server.launch().home().join(".ocis/storage").exists(), "in both places");
    Ok(())
}

fn posix_root(world: &World) -> Result<()> {
    let server = world.shared()?;
    server.admin().put("/dav/files/admin/posix-root", b"x")?.expect(&[201])?;
    let default = server.launch().data().join("storage/users/spaces");
    ensure!(default.is_dir(), "no {}", default.display());
    let launch = world.launch()?;
    let root = launch.home().join("users");
    let launch = launch
        .env("STORAGE_USERS_DRIVER", "ocis")
        .env("STORAGE_USERS_OCIS_ROOT", &root.display().to_string());
    let server = launch.start()?;
    server.admin().put("/dav/files/admin/file", b"x")?.expect(&[201])?;
    ensure!(root.join("spaces").is_dir(), "no {}", root.display());
    ensure!(!server.launch().data().join("storage/users/spaces").exists(), "in both places");
    Ok(())
}

/// The setting is known, with its default. A server that cannot keep blobs in a bucket yet says
/// so, and does not put them elsewhere.
fn s3_root(world: &World) -> Result<()> {
    let launch = world.launch()?;
    let help = launch.run(&["storage-users", "--help"])?.success("help")?.stdout;
    let line = help.lines().find(|line| line.contains("STORAGE_USERS_S3NG_ROOT"));
    ensure!(line.is_some(), "STORAGE_USERS_S3NG_ROOT is not in the help");
    launch.init()?;
    let root = launch.home().join("s3 metadata");
    let launch = launch
        .env("STORAGE_USERS_DRIVER", "s3ng")
        .env("STORAGE_USERS_S3NG_ROOT", &root.display().to_string());
    match launch.clone().start() {
        Ok(_server) => ensure!(root.is_dir(), "{} is not used", root.display()),
        Err(error) => {
            let text = error.to_string();
            ensure!(text.contains("s3ng"), "does not name s3ng: {text}");
            let default = launch.data().join("storage/users/spaces");
            ensure!(!default.exists(), "{} was made", default.display());
        }
    }
    Ok(())
}

/// In a mount namespace with empty /etc and /var/lib, so that nothing of this machine is touched.
fn no_home(world: &World) -> Result<()> {
    let launch = world.launch()?.without("HOME").env("OCIS_RUNTIME_HOST", "127.0.0.1");
    let script = format!(
        "set -eu
        mount -t tmpfs none /etc
        mount -t tmpfs none /var/lib
        \"$0\" init --insecure true >/dev/null
        test -f /etc/ocis/ocis.yaml || {{ echo no /etc/ocis/ocis.yaml; exit 1; }}
        \"$0\" server >/tmp/log.$$ 2>&1 &
        server=$!
        tries=0
        until curl -sk -o /dev/null -f https://{address}/status.php; do
            tries=$((tries + 1))
            if [ $tries -gt 300 ]; then cat /tmp/log.$$; kill -KILL $server; exit 1; fi
            sleep 0.05
        done
        kill -TERM $server
        wait $server
        rm -f /tmp/log.$$
        test -d /var/lib/ocis/storage/users || {{ ls -R /var/lib; exit 1; }}",
        address = launch.address()
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", &script]);
    command.arg(world.bin());
    command.env_clear().envs(launch.environment());
    run(&mut command, Duration::from_secs(60))?.success("without a home directory")?;
    Ok(())
}
