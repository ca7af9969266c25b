//! The whole server inside another program: the predefined services with settings of the
//! program's own, on a free port, in a temporary folder.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use anyhow::Context as _;
use ocis_core::config::Section as _;
use ocis_core::config::source::Memory;
use ocis_core::time::{Clock as _, SystemClock};
use ocis_runtime::services::predefined;
use ocis_runtime::settings::{Global, init};
use ocis_runtime::supervisor::{Options, Plan};

/// The settings, made in memory. Neither the environment nor any file of this machine takes part:
/// to take part, a program hands in `ocis_runtime::settings::Machine` or a `Source` of its own.
struct Settings {
    source: Memory,
    password: String,
}

impl Settings {
    fn new(folder: &std::path::Path) -> anyhow::Result<Self> {
        // What `ocis init` does: a configuration with new ids and secrets. Do this once for a
        // server that lives longer than this one, because its data belongs to the ids.
        let options =
            init::Options { config_path: folder.join("config"), ..init::Options::default() };
        let init::Outcome::Written(written) = init::run(&options, SystemClock.now())? else {
            anyhow::bail!("there was a configuration already");
        };
        let yaml = std::fs::read_to_string(&written.config_file)?;
        let mut source = Memory::new()
            .yaml("ocis.yaml", &yaml)
            .var("OCIS_BASE_DATA_PATH", &folder.join("data").to_string_lossy())
            // Plain HTTP on a free port, and password sign-in: fit for a loopback address only.
            .var("PROXY_HTTP_ADDR", "127.0.0.1:0")
            .var("PROXY_TLS", "false")
            .var("PROXY_ENABLE_BASIC_AUTH", "true");
        // Every service can be observed at an address of its own; here each takes a free port.
        for entry in predefined().entries() {
            let row = entry.settings.row("debug_addr");
            if let Some(variable) = row.and_then(|row| row.vars.last()) {
                source = source.var(variable, "127.0.0.1:0");
            }
        }
        Ok(Self { source, password: written.admin_password.expose().to_owned() })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = Settings::new(folder.path())?;

    // The list of services is a value: `.with::<MyService>()` adds one, or replaces the one of the
    // same name. The plan loads all settings and checks that whatever one service needs, another
    // offers; nothing is opened before that holds.
    let registry = predefined();
    let layers = ocis_core::config::Layers::read(&settings.source, &Global::TABLE, &[]);
    let plan = Plan::new(&registry, &registry.names(), &layers)?;
    let runtime = plan.start(Options::default()).await?;

    let services = runtime.services();
    let proxy = services.iter().find(|service| service.name == "proxy");
    let address = proxy.and_then(|proxy| proxy.listeners.first()).context("no listener")?;
    println!("{} services run; clients are served at http://{address}", services.len());

    let url = format!("http://{address}/webdav/hello.txt");
    let client = reqwest::Client::new();
    let put = client.put(&url).basic_auth("admin", Some(&settings.password));
    let put = put.body("Hello, embedded server!").send().await?.error_for_status()?;
    println!("stored: {}", put.status());
    let get = client.get(&url).basic_auth("admin", Some(&settings.password));
    let text = get.send().await?.error_for_status()?.text().await?;
    println!("read back: {text}");

    // Connections that a client keeps open would be waited for.
    drop(client);
    runtime.stop().await;
    println!("stopped");
    Ok(())
}
