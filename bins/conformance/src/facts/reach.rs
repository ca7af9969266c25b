//! Section 5: under which address, and with which certificate, the server is reached.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Fact;
use ocis_conformance::harness::{ADMIN_PASSWORD, Launch, World, run};

pub(super) const FACTS: &[Fact] = &[
    ("seed-5.url", url),
    ("seed-5.http-addr", http_addr),
    ("seed-5.example-ip", |world| reached_by(world, "127.0.0.2", &[("127.0.0.1", false)])),
    ("seed-5.all-interfaces", |world| reached_by(world, "0.0.0.0", &[("127.0.0.1", true)])),
    ("seed-5.local-only", |world| {
        reached_by(world, "127.0.0.1", &[("127.0.0.2", false)])?;
        reached_by(world, "localhost", &[("127.0.0.1", true), ("127.0.0.2", false)])
    }),
    ("seed-5.self-signed", self_signed),
    ("seed-5.trusted-ca", trusted_ca),
    ("seed-5.generated-pair", generated_pair),
];

const LIMIT: Duration = Duration::from_secs(20);

fn prepared(world: &World) -> Result<Launch> {
    let launch = world.launch()?;
    launch.init()?;
    Ok(launch)
}

/// The URLs that a client is told.
fn url(world: &World) -> Result<()> {
    for (set, told) in [
        (Some("https://cloud.example.org:4443"), "https://cloud.example.org:4443/"),
        (None, "https://localhost:9200/"),
    ] {
        let launch = prepared(world)?;
        let server = match set {
            Some(url) => launch.env("OCIS_URL", url).start()?,
            None => launch.without("OCIS_URL").start()?,
        };
        let drives = server.admin().get("/graph/v1.0/me/drives")?.expect(&[200])?.json()?;
        let url = drives["value"][0]["root"]["webDavUrl"].as_str().unwrap_or_default().to_owned();
        ensure!(url.starts_with(told), "webDavUrl is {url}");
    }
    Ok(())
}

fn http_addr(world: &World) -> Result<()> {
    let help = world.launch()?.run(&["proxy", "--help"])?.success("help")?.stdout;
    let at = help.find("PROXY_HTTP_ADDR").context("PROXY_HTTP_ADDR is not in the help")?;
    let around = &help[at.saturating_sub(300)..(at + 300).min(help.len())];
    ensure!(around.contains("0.0.0.0:9200"), "no default: {around}");
    Ok(())
}

fn reached_by(world: &World, host: &str, others: &[(&str, bool)]) -> Result<()> {
    let launch = prepared(world)?;
    let port = launch.address().port();
    let at = |host: &str| -> Result<SocketAddr> { Ok(format!("{host}:{port}").parse()?) };
    let local = if host == "127.0.0.2" { at("127.0.0.2")? } else { at("127.0.0.1")? };
    let launch = launch.env("PROXY_HTTP_ADDR", &format!("{host}:{port}")).reached_at(local, true);
    let _server = launch.start()?;
    for (other, answers) in others {
        let connected = TcpStream::connect_timeout(&at(other)?, LIMIT).is_ok();
        ensure!(connected == *answers, "{host}: connecting to {other} gave {connected}");
    }
    Ok(())
}

/// What the server shows, as openssl prints it.
fn certificate(port: u16) -> Result<String> {
    let address = format!("127.0.0.1:{port}");
    let mut fetch = Command::new("openssl");
    fetch.args(["s_client", "-connect", &address, "-servername", "localhost"]);
    let shown = run(&mut fetch, LIMIT)?.stdout;
    let begin = shown.find("-----BEGIN").context("no certificate")?;
    let end = shown.find("-----END CERTIFICATE-----").context("no certificate")? + 25;
    let mut print = Command::new("openssl");
    print.args([
        "x509",
        "-noout",
        "-subject",
        "-issuer",
        "-ext",
        "subjectAltName",
        "-checkend",
        "0",
    ]);
    let pem = shown.as_bytes().get(begin..end).context("no certificate")?;
    Ok(ocis_conformance::harness::run_with_input(&mut print, pem, LIMIT)?
        .success("openssl x509")?
        .stdout)
}

fn self_signed(world: &World) -> Result<()> {
    let launch = prepared(world)?;
    let port = launch.address().port();
    let server = launch
        .env("OCIS_INSECURE", "true")
        .env("PROXY_HTTP_ADDR", &format!("0.0.0.0:{port}"))
        .env("OCIS_URL", &format!("https://cloud.example.org:{port}"))
        .start()?;
    let text = certificate(server.address().port())?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim_start_matches('=').to_owned()
    };
    ensure!(value("subject") == value("issuer"), "not self-signed: {text}");
    for name in ["DNS:localhost", "DNS:cloud.example.org", "IP Address:127.0.0.1"] {
        ensure!(text.contains(name), "not for {name}: {text}");
    }
    let mut addresses = Command::new("hostname");
    let addresses = run(addresses.arg("-I"), LIMIT)?.success("hostname -I")?.stdout;
    for address in addresses.split_whitespace().filter(|address| !address.contains(':')) {
        ensure!(text.contains(&format!("IP Address:{address}")), "not for {address}: {text}");
    }
    server.admin().get("/graph/v1.0/me")?.expect(&[200])?;
    Ok(())
}

/// A pair at a relative path, signed by an authority that curl is told to trust.
fn trusted_ca(world: &World) -> Result<()> {
    let launch = prepared(world)?;
    let certs = launch.home().join("certs");
    std::fs::create_dir(&certs)?;
    let openssl = |arguments: &str| -> Result<()> {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(&certs);
        run(&mut command, LIMIT)?.success("openssl").map(drop)
    };
    std::fs::write(certs.join("ext"), "subjectAltName=DNS:localhost\n")?;
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=Authority")?;
    openssl("req -newkey rsa:2048 -nodes -keyout your-host.key -out host.csr -subj /CN=localhost")?;
    openssl(
        "x509 -req -in host.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile ext \
         -out your-host.crt",
    )?;
    let port = launch.address().port();
    let server = launch
        .env("OCIS_INSECURE", "false")
        .env("PROXY_HTTP_ADDR", &format!("0.0.0.0:{port}"))
        .env("PROXY_TRANSPORT_TLS_KEY", "./certs/your-host.key")
        .env("PROXY_TRANSPORT_TLS_CERT", "./certs/your-host.crt")
        .start()?;
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--fail", "--cacert"]).arg(certs.join("ca.crt"));
    command.args(["--user", &format!("admin:{ADMIN_PASSWORD}")]);
    command.arg(format!("https://localhost:{port}/graph/v1.0/me"));
    run(&mut command, LIMIT)?.success("curl that trusts only this authority")?;
    let generated = server.launch().data().join("proxy/server.key");
    ensure!(!generated.exists(), "a pair was generated beside it");
    Ok(())
}

fn generated_pair(world: &World) -> Result<()> {
    let mut server = prepared(world)?.start()?;
    let read = |name: &str| {
        let path = server.launch().data().join("proxy").join(name);
        std::fs::read(&path).with_context(|| path.display().to_string())
    };
    let before = (read("server.crt")?, read("server.key")?);
    server.terminate(LIMIT)?;
    server.restart()?;
    let read = |name: &str| std::fs::read(server.launch().data().join("proxy").join(name));
    ensure!((read("server.crt")?, read("server.key")?) == before, "made again at the second start");
    let plain = world.launch()?.plain().start()?;
    plain.admin().get("/graph/v1.0/me")?.expect(&[200])?;
    Ok(())
}
