//! Section 3, and the sets of cli.md: which services run, and in how many runtimes.

use anyhow::{Result, ensure};

use super::Fact;
use super::layers::healthy;
use ocis_conformance::harness::{Launch, Server, World, free_port};

pub(super) const FACTS: &[Fact] = &[
    ("seed-3.single-variable", single_variable),
    ("seed-3.multiple-variables", multiple_variables),
    ("seed-3.exclude", exclude),
    ("seed-3.second-runtime", second_runtime),
    ("seed-3.list-runtime", second_runtime),
    ("seed-3.special-variables", special_variables),
    ("seed-3.alias", |world| {
        let launch = prepared(world)?.env("OCIS_RUN_EXTENSIONS", "idm,nats");
        runs(&launch, &["idm", "nats"])
    }),
    ("seed-3.list-table", list_table),
    ("cli-set-default", list_table),
    ("cli-set-exact", |world| {
        let launch = prepared(world)?
            .env("OCIS_RUN_SERVICES", "nats, search")
            .env("OCIS_ADD_RUN_SERVICES", "idm")
            .env("OCIS_EXCLUDE_RUN_SERVICES", "nats");
        runs(&launch, &["nats", "search"])
    }),
    ("cli-set-arithmetic", |world| {
        let launch = prepared(world)?
            .env("OCIS_ADD_RUN_SERVICES", "search,thumbnails")
            .env("OCIS_EXCLUDE_RUN_SERVICES", "thumbnails,userlog");
        let expected: Vec<&str> =
            DEFAULT.iter().copied().filter(|n| !["thumbnails", "userlog"].contains(n)).collect();
        runs(&launch, &expected)
    }),
];

/// The services of the user's document.
pub(super) const DEFAULT: [&str; 34] = [
    "app-provider",
    "app-registry",
    "auth-basic",
    "auth-machine",
    "auth-service",
    "clientlog",
    "eventhistory",
    "frontend",
    "gateway",
    "graph",
    "groups",
    "idm",
    "idp",
    "nats",
    "notifications",
    "ocdav",
    "ocm",
    "ocs",
    "postprocessing",
    "proxy",
    "search",
    "settings",
    "sharing",
    "sse",
    "storage-publiclink",
    "storage-shares",
    "storage-system",
    "storage-users",
    "thumbnails",
    "userlog",
    "users",
    "web",
    "webdav",
    "webfinger",
];

/// What `ocis list` prints for these services.
pub(super) fn table(services: &[&str]) -> String {
    let width = services.iter().map(|name| name.len()).max().unwrap_or(0).max("SERVICE".len());
    let border = format!("+{}+\n", "-".repeat(width + 2));
    let mut text = format!("{border}| {:^width$} |\n{border}", "SERVICE");
    for name in services {
        text.push_str(&format!("| {name:<width$} |\n"));
    }
    text + &border + "\n"
}

fn prepared(world: &World) -> Result<Launch> {
    let launch = world.launch()?;
    launch.init()?;
    Ok(launch)
}

/// `ocis list` of the runtime that these settings start.
fn runs(launch: &Launch, expected: &[&str]) -> Result<()> {
    let server = until_listed(launch.clone())?;
    let list = server.launch().run(&["list"])?.success("ocis list")?;
    ensure!(list.stdout == table(expected), "{}", list.said());
    Ok(())
}

/// A runtime without a public listener is ready when `ocis list` answers.
fn until_listed(launch: Launch) -> Result<Server> {
    let mut server = launch.spawn(&["server"])?;
    let mut tries = 0;
    while !server.launch().run(&["list"])?.status.success() {
        tries += 1;
        ensure!(tries < 500 && server.alive(), "no runtime: {}", server.log());
    }
    Ok(server)
}

fn single_variable(world: &World) -> Result<()> {
    let launch = prepared(world)?;
    let address = format!("localhost:{}", launch.address().port());
    launch.env("PROXY_HTTP_ADDR", &address).start()?;
    Ok(())
}

fn multiple_variables(world: &World) -> Result<()> {
    let launch = prepared(world)?;
    let (address, port) = (format!("localhost:{}", launch.address().port()), free_port()?);
    let debug = format!("localhost:{port}");
    let launch = launch.env("PROXY_HTTP_ADDR", &address).env("PROXY_DEBUG_ADDR", &debug);
    let _server = launch.start()?;
    healthy(&format!("127.0.0.1:{port}"))
}

fn exclude(world: &World) -> Result<()> {
    let launch = prepared(world)?.env("OCIS_EXCLUDE_RUN_SERVICES", "search");
    let expected: Vec<&str> = DEFAULT.iter().copied().filter(|name| *name != "search").collect();
    runs(&launch, &expected)
}

/// The excluded service in a runtime of its own, listed by variable and by flag.
fn second_runtime(world: &World) -> Result<()> {
    let first = prepared(world)?.env("OCIS_EXCLUDE_RUN_SERVICES", "search").start()?;
    let port = free_port()?.to_string();
    let second = first
        .launch()
        .clone()
        .without("OCIS_EXCLUDE_RUN_SERVICES")
        .env("OCIS_RUN_SERVICES", "search")
        .env("OCIS_RUNTIME_PORT", &port);
    let second = until_listed(second)?;
    let by_variable = second.launch().run(&["list"])?.success("ocis list")?.stdout;
    let by_flag = first.launch().run(&["list", "--port", &port])?.success("ocis list")?.stdout;
    ensure!(by_variable == table(&["search"]) && by_flag == by_variable, "{by_variable}{by_flag}");
    let named = first.launch().run(&["list", "--hostname", "127.0.0.1", "--port", &port])?;
    ensure!(named.stdout == by_flag, "{}", named.said());
    let others = first.launch().run(&["list"])?.success("ocis list")?.stdout;
    ensure!(!others.contains("search") && others.lines().count() == 33 + 5, "{others}");
    Ok(())
}

fn special_variables(world: &World) -> Result<()> {
    let launch = prepared(world)?;
    let port = launch.value("OCIS_RUNTIME_PORT").to_owned();
    let server = until_listed(launch.env("OCIS_RUN_SERVICES", "nats"))?;
    // The port is the runtime's, on localhost.
    let answered = server.launch().run(&["list", "--hostname", "localhost", "--port", &port])?;
    ensure!(answered.stdout == table(&["nats"]), "{}", answered.said());
    let help = server.launch().clone().without("OCIS_RUNTIME_PORT");
    let help = help.run(&["list", "--help"])?.success("help")?.stdout;
    for part in ["localhost", "9250", "OCIS_RUNTIME_HOST", "OCIS_RUNTIME_PORT"] {
        ensure!(help.contains(part), "no {part} in {help}");
    }
    let unknown = prepared(world)?.env("OCIS_RUN_SERVICES", "serach").run(&["server"])?;
    let named = unknown.code() == 1 && unknown.stderr.contains("serach");
    ensure!(named && unknown.stderr.contains("search"), "{}", unknown.said());
    Ok(())
}

fn list_table(world: &World) -> Result<()> {
    let server = world.shared()?;
    let list = server.launch().run(&["list"])?.success("ocis list")?;
    ensure!(list.stdout == table(&DEFAULT), "{}", list.said());
    Ok(())
}
