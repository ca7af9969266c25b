//! What an operator meets: a start that cannot work says why in one line, a stop lets running work
//! finish, and one failing part does not take the others along.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use ocis_conformance::harness::{
    ADMIN_PASSWORD, Finished, Launch, Pattern, PatternCheck, Plan, World, basic,
};

/// Within this a server that was asked to stop is gone, whatever its clients do.
const STOP: Duration = Duration::from_secs(20);

pub(crate) fn register(plan: &mut Plan) {
    plan.add("start-occupied-port", occupied_port);
    plan.add("start-unwritable-directory", unwritable_directory);
    plan.add("start-store-owned-by-another", store_owned);
    plan.add("start-broken-settings", broken_settings);
    plan.add("start-bad-certificate", bad_certificate);
    plan.add("start-partial-configuration", partial_configuration);
    plan.add("start-unknown-names-are-told-once", unknown_names);
    plan.add("start-self-initialised", self_initialised);
    plan.add("stop-idle", stop_idle);
    plan.add("stop-drains-a-download", |world| drains(world, true));
    plan.add("stop-drains-an-upload", |world| drains(world, false));
    plan.add("stop-is-bounded", stop_is_bounded);
    plan.add("idm-resetpassword", resetpassword);
    plan.add("service-alone", service_alone);
    plan.add("debug-addresses", debug_addresses);
}

/// Fails within seconds, with 1, with one line on stderr that contains all these texts.
fn refused(launch: &Launch, arguments: &[&str], parts: &[&str]) -> Result<Finished> {
    let finished = launch.run(arguments)?;
    ensure!(finished.code() == 1, "{}", finished.said());
    ensure!(finished.took < Duration::from_secs(5), "took {:?}", finished.took);
    for part in parts {
        ensure!(finished.stderr.contains(part), "no `{part}` on stderr: {}", finished.said());
    }
    let said = finished.stderr.contains("panicked") || finished.stderr.contains("RUST_BACKTRACE");
    ensure!(!said, "{}", finished.said());
    Ok(finished)
}

fn one_line(finished: &Finished) -> Result<()> {
    let lines = finished.stderr.lines().filter(|line| !line.contains("WRN")).count();
    ensure!(lines <= 2, "not one clear line: {}", finished.said());
    Ok(())
}

fn occupied_port(world: &World) -> Result<()> {
    let launch = world.launch()?;
    launch.init()?;
    let _taken = TcpListener::bind(launch.address())?;
    one_line(&refused(&launch, &["server"], &[&launch.address().to_string()])?)?;
    // Another service's port is no less a reason.
    let launch = world.launch()?;
    launch.init()?;
    let address = launch.value("OCDAV_DEBUG_ADDR").to_owned();
    let _taken = TcpListener::bind(&address)?;
    refused(&launch, &["server"], &[&address])?;
    Ok(())
}

/// Root may write anywhere, so the data directory is below a file.
fn unwritable_directory(world: &World) -> Result<()> {
    let launch = world.launch()?;
    launch.init()?;
    let blocked = launch.home().join("blocked");
    std::fs::write(&blocked, "a file")?;
    let data = blocked.join("data").display().to_string();
    let config = config_of(&launch);
    let launch = launch.env("OCIS_CONFIG_DIR", &config).env("OCIS_BASE_DATA_PATH", &data);
    one_line(&refused(&launch, &["server"], &["blocked"])?)
}

fn config_of(launch: &Launch) -> String {
    launch.data().join("config").display().to_string()
}

fn store_owned(world: &World) -> Result<()> {
    let mut first = world.launch()?.start()?;
    let second = world
        .launch()?
        .env("OCIS_CONFIG_DIR", &config_of(first.launch()))
        .env("OCIS_BASE_DATA_PATH", &first.launch().data().display().to_string());
    let data = first.launch().data().display().to_string();
    one_line(&refused(&second, &["server"], &[&data])?)?;
    first.admin().put("/dav/files/admin/file", b"still here")?.expect(&[201])?;
    // When the owner is gone, whether by force or not, the next takes over at once.
    first.kill()?;
    let server = second.start()?;
    let file = server.admin().get("/dav/files/admin/file")?.expect(&[200])?;
    ensure!(file.body == b"still here", "{}", file.text());
    Ok(())
}

/// Malformed YAML, a wrong type, a variable that cannot be read: file and line or variable, and
/// what would be right, before anything is bound.
fn broken_settings(world: &World) -> Result<()> {
    for (text, parts) in [
        ("proxy:\n  http:\n    addr: [oops\n", vec!["proxy.yaml:"]),
        ("http:\n\taddr: x\n", vec!["proxy.yaml:2:"]),
        ("http:\n  addr: 127.0.0.1:0\n  tls: maybe\n", vec!["proxy.yaml:3:", "true"]),
        ("http: 5\n", vec!["proxy.yaml:1:", "http"]),
    ] {
        let launch = world.launch()?.without("PROXY_TLS");
        launch.init()?;
        launch.write_config("proxy.yaml", text)?;
        refused(&launch, &["server"], &parts).with_context(|| text.to_owned())?;
    }
    for (name, value, right) in [
        ("PROXY_TLS", "maybe", "true"),
        ("PROXY_HTTP_ADDR", "nonsense", "host:port"),
        ("PROXY_ENABLE_BASIC_AUTH", "perhaps", "true"),
        ("OCIS_RUNTIME_PORT", "nine", "number"),
        ("OCIS_LOG_LEVEL", "loud", "debug"),
    ] {
        let launch = world.launch()?;
        launch.init()?;
        refused(&launch.env(name, value), &["server"], &[name, value, right])
            .with_context(|| format!("{name}={value}"))?;
    }
    Ok(())
}

fn bad_certificate(world: &World) -> Result<()> {
    let launch = world.launch()?;
    launch.init()?;
    let none = launch.home().join("none.crt").display().to_string();
    let key = launch.home().join("none.key").display().to_string();
    let launch = launch.env("PROXY_TRANSPORT_TLS_CERT", &none).env("PROXY_TRANSPORT_TLS_KEY", &key);
    refused(&launch, &["server"], &["none."])?;
    std::fs::write(launch.home().join("none.crt"), "not a certificate")?;
    std::fs::write(launch.home().join("none.key"), "not a key")?;
    refused(&launch, &["server"], &["none."])?;
    Ok(())
}

/// A file with half of the secrets: which one is missing, and under which names it may be given.
fn partial_configuration(world: &World) -> Result<()> {
    for (key, variable) in [
        ("jwt_secret", "OCIS_JWT_SECRET"),
        ("transfer_secret", "OCIS_TRANSFER_SECRET"),
        ("machine_auth_api_key", "OCIS_MACHINE_AUTH_API_KEY"),
        ("system_user_id", "OCIS_SYSTEM_USER_ID"),
        ("mount_id", "STORAGE_USERS_MOUNT_ID"),
    ] {
        let launch = world.launch()?;
        launch.init()?;
        let text = std::fs::read_to_string(launch.config("ocis.yaml"))?;
        let begin = format!("{key}:");
        let kept: Vec<&str> =
            text.lines().filter(|line| !line.trim_start().starts_with(&begin)).collect();
        launch.write_config("ocis.yaml", &kept.join("\n"))?;
        refused(&launch, &["server"], &[key, variable]).with_context(|| key.to_owned())?;
    }
    Ok(())
}

fn unknown_names(world: &World) -> Result<()> {
    let launch = world
        .launch()?
        .env("OCIS_LOG_LEVEL", "warn")
        .env("PROXY_HTP_ADDR", "127.0.0.1:1")
        .env("THUMBNAILS_MAX_INPUT_WIDTH", "7680");
    launch.init()?;
    launch.write_config("proxy.yaml", "htttp:\n  addr: 127.0.0.1:1\n")?;
    let server = launch.start()?;
    let log = server.log();
    for (name, nearest) in [
        ("PROXY_HTP_ADDR", "PROXY_HTTP_ADDR"),
        ("htttp", "http"),
        ("THUMBNAILS_MAX_INPUT_WIDTH", ""),
    ] {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(name)).collect();
        ensure!(lines.len() == 1, "{name} is named in {} lines: {lines:?}", lines.len());
        ensure!(lines[0].contains(nearest), "{nearest} is not suggested: {}", lines[0]);
    }
    Ok(())
}

/// With no configuration at all: URL, user and password once, and where the files are.
fn self_initialised(world: &World) -> Result<()> {
    let launch = world
        .launch()?
        .without("IDM_ADMIN_PASSWORD")
        .without("PROXY_ENABLE_BASIC_AUTH")
        .without("OCIS_INSECURE");
    let mut server = launch.start()?;
    let text = server.log();
    let config = std::fs::read_to_string(server.launch().config("ocis.yaml"))?;
    let config: serde_yaml::Value = serde_yaml::from_str(&config)?;
    let password = config["idm"]["service_user_passwords"]["admin_password"]
        .as_str()
        .context("no admin password in ocis.yaml")?;
    ensure!(text.matches(password).count() == 1, "the password is not printed once:\n{text}");
    for part in [server.url(), "admin".to_owned(), server.launch().data().display().to_string()] {
        ensure!(text.contains(&part), "no {part} in\n{text}");
    }
    let mut admin = server.user("admin", password);
    admin.put("/dav/files/admin/file", b"x")?.expect(&[201])?;
    let password = password.to_owned();
    server.terminate(STOP)?;
    server.restart()?;
    ensure!(server.log().matches(&password).count() == 1, "printed again at the second start");
    server.user("admin", &password).get("/dav/files/admin/file")?.expect(&[200])?;
    Ok(())
}

/// Every stopping signal ends an idle server with 0 and soon.
fn stop_idle(world: &World) -> Result<()> {
    let mut server = world.launch()?.start()?;
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP] {
        let start = Instant::now();
        server.signal(signal)?;
        let status = server.ended(STOP)?;
        ensure!(status.code() == Some(0), "{signal:?} ended it with {status}");
        ensure!(start.elapsed() < Duration::from_secs(3), "{signal:?} took {:?}", start.elapsed());
        server.restart()?;
    }
    Ok(())
}

/// A transfer that runs when SIGTERM comes is finished, while new connections are refused.
fn drains(world: &World, download: bool) -> Result<()> {
    const SIZE: u64 = 256 << 20;
    let mut server = world.launch()?.start()?;
    let path = "/dav/files/admin/file";
    let mut nothing = Vec::new();
    if download {
        let mut admin = server.admin();
        admin.stream("PUT", path, &[], &mut Pattern::new(SIZE), SIZE, &mut nothing)?;
    }
    let mut client = server.admin();
    client.get("/status.php")?.expect(&[200])?;
    let pid = i32::try_from(server.pid())?;
    let mut ending = Ending { pid, inner: PatternCheck::default(), seen: 0 };
    let outcome = if download {
        client.stream("GET", path, &[], &mut &b""[..], 0, &mut ending)
    } else {
        let mut body = EndingBody { pid, inner: Pattern::new(SIZE), seen: 0 };
        client.stream("PUT", path, &[], &mut body, SIZE, &mut nothing)
    };
    let (status, _) = outcome.context("the running transfer was cut")?;
    let status_of_process = server.ended(STOP)?;
    ensure!(status_of_process.code() == Some(0), "ended with {status_of_process}");
    if download {
        ensure!(status == 200 && ending.inner.outcome() == (SIZE, None), "{:?}", ending.inner);
        return Ok(());
    }
    ensure!(status == 201, "the upload ended with {status}");
    server.restart()?;
    let mut check = PatternCheck::default();
    server.admin().stream("GET", path, &[], &mut &b""[..], 0, &mut check)?;
    ensure!(check.outcome() == (SIZE, None), "{check:?}");
    Ok(())
}

/// Sends SIGTERM once the first megabytes have passed.
struct Ending {
    pid: i32,
    inner: PatternCheck,
    seen: usize,
}

impl std::io::Write for Ending {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        terminate_once(self.pid, &mut self.seen, bytes.len())?;
        std::io::Write::write(&mut self.inner, bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct EndingBody {
    pid: i32,
    inner: Pattern,
    seen: usize,
}

impl std::io::Read for EndingBody {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        terminate_once(self.pid, &mut self.seen, count)?;
        Ok(count)
    }
}

fn terminate_once(pid: i32, seen: &mut usize, more: usize) -> std::io::Result<()> {
    const AT: usize = 8 << 20;
    let before = *seen;
    *seen += more;
    if before < AT && *seen >= AT {
        let pid = rustix::process::Pid::from_raw(pid).ok_or(std::io::ErrorKind::InvalidInput)?;
        rustix::process::kill_process(pid, Signal::TERM)?;
    }
    Ok(())
}

/// A client that stopped reading does not keep the server alive.
fn stop_is_bounded(world: &World) -> Result<()> {
    use std::io::{Read, Write};
    const SIZE: u64 = 64 << 20;
    let mut server = world.launch()?.plain().start()?;
    let path = "/dav/files/admin/file";
    let mut nothing = Vec::new();
    let mut admin = server.admin();
    admin.stream("PUT", path, &[], &mut Pattern::new(SIZE), SIZE, &mut nothing)?;
    let mut wire = ocis_conformance::harness::raw_connection(server.address(), false, STOP)?;
    let login = basic("admin", ADMIN_PASSWORD);
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {login}\r\n\r\n");
    wire.write_all(head.as_bytes())?;
    wire.read_exact(&mut [0; 1024])?;
    let start = Instant::now();
    server.terminate(STOP)?;
    println!("       ended after {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Refused while idm runs; then effective, and neither in ocis.yaml nor taken back from there.
fn resetpassword(world: &World) -> Result<()> {
    let mut server = world.launch()?.demo_users().start()?;
    let yaml = server.launch().config("ocis.yaml");
    let before = std::fs::read_to_string(&yaml)?;
    let new = "Another-secret-8\nAnother-secret-8\n";
    let reset = ["idm", "resetpassword"];
    let running = server.launch().run_with_input(&reset, new)?;
    ensure!(running.code() == 1 && !running.stderr.is_empty(), "{}", running.said());
    ensure!(!running.stdout.contains("updated"), "{}", running.said());
    server.admin().get("/graph/v1.0/me")?.expect(&[200])?;
    server.terminate(STOP)?;
    let differing = server.launch().run_with_input(&reset, "one\ntwo\n")?;
    ensure!(differing.code() == 1, "{}", differing.said());
    let done = server.launch().run_with_input(&reset, new)?.success("resetpassword")?;
    let target = "'uid=admin,ou=users,o=libregraph-idm'";
    for part in [
        format!("Resetting password for user {target}."),
        format!("Password for user {target} updated."),
    ] {
        ensure!(done.stdout.contains(&part), "{}", done.said());
    }
    let einstein = ["idm", "resetpassword", "--user-name", "einstein"];
    server
        .launch()
        .run_with_input(&einstein, "mc2-and-more\nmc2-and-more\n")?
        .success("einstein")?;
    let nobody = ["idm", "resetpassword", "-u", "nobody"];
    let finished = server.launch().run_with_input(&nobody, new)?;
    ensure!(finished.code() == 1, "{}", finished.said());
    ensure!(std::fs::read_to_string(&yaml)? == before, "ocis.yaml was changed");
    for _ in 0..2 {
        server.restart()?;
        server.admin().get("/graph/v1.0/me")?.expect(&[401])?;
        server.user("admin", "Another-secret-8").get("/graph/v1.0/me")?.expect(&[200])?;
        server.user("einstein", "mc2-and-more").get("/graph/v1.0/me")?.expect(&[200])?;
        server.user("einstein", "relativity").get("/graph/v1.0/me")?.expect(&[401])?;
        server.terminate(STOP)?;
    }
    Ok(())
}

/// `ocis <service> server`: one service in its own process; one that needs others says which.
fn service_alone(world: &World) -> Result<()> {
    let launch = world.launch()?;
    launch.init()?;
    let address = launch.value("IDM_DEBUG_ADDR").parse()?;
    let mut idm = launch.clone().reached_at(address, false).spawn(&["idm", "server"])?;
    let start = Instant::now();
    while !launch.run(&["idm", "health"])?.status.success() {
        ensure!(start.elapsed() < Duration::from_secs(10), "not healthy: {}", idm.log());
    }
    ensure!(idm.terminate(STOP)?.code() == Some(0), "{}", idm.log());
    let stopped = launch.run(&["idm", "health"])?;
    ensure!(stopped.code() == 1, "{}", stopped.said());
    let alone = launch.run(&["ocdav", "server"])?;
    ensure!(alone.code() == 1, "{}", alone.said());
    ensure!(alone.stderr.contains("ocdav"), "does not name itself: {}", alone.said());
    Ok(())
}

fn debug_addresses(world: &World) -> Result<()> {
    let server = world.shared()?;
    for service in ["PROXY", "OCDAV", "GRAPH", "STORAGE_USERS", "IDM", "SEARCH", "NATS"] {
        let address = server.launch().value(&format!("{service}_DEBUG_ADDR")).parse()?;
        let mut client = ocis_conformance::harness::Client::anonymous(address, false);
        for path in ["/healthz", "/readyz", "/metrics"] {
            client.get(path).and_then(|r| r.expect(&[200])).with_context(|| service.to_owned())?;
        }
        client.get("/none")?.expect(&[404])?;
    }

    Ok(())
}
