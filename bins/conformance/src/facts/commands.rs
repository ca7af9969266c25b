//! Rows of cli.md: what each command prints, where, and how it ends.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::Fact;
use super::services::{DEFAULT, table};
use ocis_conformance::harness::{Finished, Launch, World, free_port};

pub(super) const FACTS: &[Fact] = &[
    ("cli-help", help),
    ("cli-no-version-flag", no_version_flag),
    ("cli-failure", failure),
    ("cli-signals", signals),
    ("cli-tables", tables),
    ("cli-ocis-help", ocis_help),
    ("cli-server", server),
    ("cli-list", list),
    ("cli-version", version),
    ("cli-services", services),
    ("cli-service-server", service_server),
    ("cli-service-health", service_health),
    ("cli-service-version", service_version),
    ("cli-idm-resetpassword", idm_resetpassword),
];

const STOP: Duration = Duration::from_secs(20);

fn fails(finished: &Finished) -> Result<()> {
    let right = finished.code() == 1 && !finished.stderr.is_empty() && finished.stdout.is_empty();
    ensure!(right, "{}", finished.said());
    Ok(())
}

fn help(world: &World) -> Result<()> {
    let launch = world.launch()?;
    for command in [
        vec![],
        vec!["init"],
        vec!["server"],
        vec!["list"],
        vec!["version"],
        vec!["proxy"],
        vec!["proxy", "server"],
        vec!["proxy", "health"],
        vec!["proxy", "version"],
        vec!["idm", "resetpassword"],
    ] {
        for flag in ["--help", "-h"] {
            let arguments = [command.clone(), vec![flag]].concat();
            let finished = launch.run(&arguments)?.success("help")?;
            ensure!(!finished.stdout.is_empty(), "{arguments:?}: {}", finished.said());
            ensure!(finished.stderr.is_empty(), "{arguments:?}: {}", finished.said());
        }
    }
    let whole = launch.run(&["--help"])?.stdout;
    ensure!(whole.contains("ownCloud Infinite Scale"), "{whole}");
    let init = launch.run(&["init", "--help"])?.stdout;
    for part in [
        "--insecure",
        "OCIS_INSECURE",
        "--diff",
        "-d",
        "--force-overwrite",
        "-f",
        "OCIS_FORCE_CONFIG_OVERWRITE",
        "--config-path",
        "OCIS_CONFIG_DIR",
        "OCIS_BASE_DATA_PATH",
        "--admin-password",
        "--ap",
        "ADMIN_PASSWORD",
        "IDM_ADMIN_PASSWORD",
    ] {
        ensure!(init.contains(part), "no {part} in {init}");
    }
    Ok(())
}

fn no_version_flag(world: &World) -> Result<()> {
    let launch = world.launch()?;
    let whole = launch.run(&["--help"])?.success("help")?.stdout;
    ensure!(!whole.contains("--version"), "{whole}");
    launch.run(&["version"])?.success("version")?;
    Ok(())
}

fn failure(world: &World) -> Result<()> {
    let launch = world.launch()?;
    for arguments in [
        vec!["nonsense"],
        vec!["init", "--nonsense"],
        vec!["list", "--port", "70000"],
        vec!["list", "--port", "nine"],
        vec!["proxy", "nonsense"],
        vec!["list"],
        vec!["proxy", "health"],
    ] {
        fails(&launch.run(&arguments)?).with_context(|| format!("{arguments:?}"))?;
    }
    // The nearest command is suggested.
    let near = launch.run(&["sevrer"])?.stderr;
    ensure!(near.contains("server"), "{near}");
    Ok(())
}

fn signals(world: &World) -> Result<()> {
    let mut server = world.launch()?.start()?;
    for signal in [Signal::INT, Signal::TERM, Signal::QUIT, Signal::HUP] {
        server.signal(signal)?;
        server.ended(STOP).with_context(|| format!("{signal:?}"))?;
        server.restart()?;
    }
    Ok(())
}

fn tables(world: &World) -> Result<()> {
    let server = world.shared()?;
    let list = server.launch().run(&["list"])?.success("list")?.stdout;
    ensure!(list.contains("SERVICE") && list.contains("+--") && list.contains("| idm"), "{list}");
    let version = server.launch().run(&["version"])?.success("version")?.stdout;
    ensure!(version.contains("| Version"), "{version}");
    ensure!(list.is_ascii() && version.is_ascii(), "not ASCII");
    Ok(())
}

fn ocis_help(world: &World) -> Result<()> {
    let launch = world.launch()?;
    let (alone, help) =
        (launch.run(&[])?.success("ocis")?, launch.run(&["help"])?.success("help")?);
    ensure!(alone.stdout == help.stdout, "ocis and ocis help differ");
    for word in ["init", "server", "list", "version", "fullstack", "runtime", "info", "services"] {
        ensure!(help.stdout.to_lowercase().contains(word), "no {word} in {}", help.stdout);
    }
    for service in DEFAULT {
        ensure!(help.stdout.contains(service), "no {service} in {}", help.stdout);
    }
    Ok(())
}

/// One process, all services, each at its debug address.
fn server(world: &World) -> Result<()> {
    let server = world.shared()?;
    let children = format!("/proc/{0}/task/{0}/children", server.pid());
    let children = std::fs::read_to_string(children)?;
    ensure!(children.trim().is_empty(), "it has children: {children}");
    for name in DEFAULT {
        let variable = format!("{}_DEBUG_ADDR", name.to_uppercase().replace('-', "_"));
        super::layers::healthy(server.launch().value(&variable)).context(name)?;
    }
    Ok(())
}

fn list(world: &World) -> Result<()> {
    let server = world.shared()?;
    let port = server.launch().value("OCIS_RUNTIME_PORT").to_owned();
    let elsewhere = world.launch()?;
    fails(&elsewhere.run(&["list"])?)?;
    for host in ["localhost", "127.0.0.1"] {
        let flags = ["list", "--hostname", host, "--port", &port];
        let listed = elsewhere.run(&flags)?.success("list")?;
        ensure!(listed.stdout == table(&DEFAULT), "{}", listed.said());
    }
    let variables = elsewhere.env("OCIS_RUNTIME_HOST", "127.0.0.1").env("OCIS_RUNTIME_PORT", &port);
    let listed = variables.run(&["list"])?.success("list")?;
    ensure!(listed.stdout == table(&DEFAULT), "{}", listed.said());
    // Somebody who accepts and says nothing is no runtime.
    let silent = TcpListener::bind(("127.0.0.1", 0))?;
    let port = silent.local_addr()?.port().to_string();
    fails(&variables.run(&["list", "--port", &port])?)
}

fn version(world: &World) -> Result<()> {
    let launch = world.launch()?;
    let none = launch.run(&["version"])?.success("version")?.stdout;
    let lines: Vec<&str> = none.lines().collect();
    ensure!(lines.first().is_some_and(|line| line.starts_with("Version: ")), "{none}");
    ensure!(lines.get(1).is_some_and(|line| line.starts_with("Compiled: ")), "{none}");
    ensure!(lines.get(2) == Some(&"") && none.contains("No running services found."), "{none}");
    let skipped = launch.run(&["version", "--skip-services"])?.success("version")?.stdout;
    ensure!(!skipped.contains("No running") && skipped.starts_with("Version: "), "{skipped}");
    let server = world.shared()?;
    let running = server.launch().run(&["version"])?.success("version")?.stdout;
    let header = running.lines().find(|line| line.contains("Version") && line.starts_with('|'));
    let header: Vec<&str> = header.unwrap_or_default().split('|').map(str::trim).collect();
    ensure!(header == ["", "Version", "Address", "Id", ""], "{running}");
    Ok(())
}

fn services(world: &World) -> Result<()> {
    let launch = world.launch()?;
    for service in DEFAULT {
        let text = launch.run(&[service, "--help"])?.success(service)?.stdout;
        for word in ["server", "health", "version"] {
            ensure!(text.contains(word), "{service}: no {word} in {text}");
        }
    }
    Ok(())
}

/// Settings in all three layers reach a service that runs alone.
fn service_server(world: &World) -> Result<()> {
    let addresses = [free_port()?, free_port()?, free_port()?];
    let yaml = |port: u16| format!("debug:\n  addr: 127.0.0.1:{port}\n");
    let launch = world.launch()?.without("SEARCH_DEBUG_ADDR");
    launch.init()?;
    super::layers::insert(
        &launch,
        "search:",
        &yaml(addresses[0]).replace("debug", "  debug").replace("  addr", "    addr"),
    )?;
    alone(&launch, addresses[0])?;
    launch.write_config("search.yaml", &yaml(addresses[1]))?;
    alone(&launch, addresses[1])?;
    let address = format!("127.0.0.1:{}", addresses[2]);
    alone(&launch.env("SEARCH_DEBUG_ADDR", &address), addresses[2])
}

fn alone(launch: &Launch, port: u16) -> Result<()> {
    let mut search = launch.clone().spawn(&["search", "server"])?;
    let start = Instant::now();
    while super::layers::healthy(&format!("127.0.0.1:{port}")).is_err() {
        ensure!(start.elapsed() < STOP && search.alive(), "not healthy: {}", search.log());
        std::thread::sleep(Duration::from_millis(10));
    }
    let public = std::net::TcpStream::connect(launch.address());
    ensure!(public.is_err(), "the proxy runs too");
    ensure!(search.terminate(STOP)?.code() == Some(0), "{}", search.log());
    Ok(())
}

fn service_health(world: &World) -> Result<()> {
    let server = world.shared()?;
    for service in ["proxy", "storage-users", "search"] {
        let healthy = server.launch().run(&[service, "health"])?.success(service)?;
        ensure!(healthy.stdout.is_empty() && healthy.stderr.is_empty(), "{}", healthy.said());
        let elsewhere = world.launch()?.run(&[service, "health"])?;
        ensure!(elsewhere.code() == 1 && !elsewhere.stderr.is_empty(), "{}", elsewhere.said());
    }
    Ok(())
}

fn service_version(world: &World) -> Result<()> {
    let launch = world.launch()?;
    let none = launch.run(&["search", "version"])?.success("version")?.stdout;
    ensure!(none.starts_with("Version: ") && none.contains("\nCompiled: "), "{none}");
    ensure!(none.contains("No running search service found."), "{none}");
    let server = world.shared()?;
    let running = server.launch().run(&["search", "version"])?.success("version")?.stdout;
    ensure!(running.contains("| Version") && !running.contains("No running"), "{running}");
    Ok(())
}

fn idm_resetpassword(world: &World) -> Result<()> {
    let server = world.shared()?;
    let input = "Something-new-1\nSomething-new-1\n";
    fails_while_running(&server.launch().run_with_input(&["idm", "resetpassword"], input)?)?;
    server.admin().get("/graph/v1.0/me")?.expect(&[200])?;
    let mut own = world.launch()?.start()?;
    own.terminate(STOP)?;
    for flag in ["--user-name", "-u"] {
        let arguments = ["idm", "resetpassword", flag, "admin"];
        let done = own.launch().run_with_input(&arguments, input)?.success("resetpassword")?;
        let said = format!("{}{}", done.stdout, done.stderr);
        let parts = [
            "Resetting password for user 'uid=admin,ou=users,o=libregraph-idm'.",
            "Enter new password: ",
            "Re-enter new password: ",
            "Password for user 'uid=admin,ou=users,o=libregraph-idm' updated.",
        ];
        for part in parts {
            ensure!(said.contains(part), "no `{part}`: {said}");
        }
        ensure!(!said.contains("Something-new-1"), "the password is shown");
    }
    Ok(())
}

fn fails_while_running(finished: &Finished) -> Result<()> {
    let text = finished.stderr.to_lowercase();
    ensure!(finished.code() == 1 && text.contains("idm"), "{}", finished.said());
    ensure!(text.contains("running") || text.contains("runs"), "{}", finished.said());
    Ok(())
}
