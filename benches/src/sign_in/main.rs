//! `sign-in`: how many people the OpenID provider signs in a second, and the memory that their
//! sessions take. One sign-in is what oCIS's load tests do: the JSON logon, the authorization
//! endpoint, the token endpoint. The provider runs in this process with the embedded directory and
//! its durable store; HTTP and TLS are left out, because `load` measures them.
#![allow(clippy::print_stdout, reason = "its output is its result")]

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use ocis_auth::basic::{Basic, BasicOptions};
use ocis_auth::directory::{Bootstrap, Directory};
use ocis_auth::oidc::issuer::{Issuer, IssuerOptions, IssuerParts, KeyFiles, preregistered};
use ocis_core::cx::Peer;
use ocis_core::data::{Body, HttpService, full};
use ocis_core::id::UserId;
use ocis_core::time::{Clock as _, SystemClock};
use tower::ServiceExt as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const URL: &str = "https://localhost:9200";
const CALLBACK: &str = "https%3A%2F%2Flocalhost%3A9200%2Foidc-callback.html";

/// Sign-ins a second, and the memory of sessions.
#[derive(Debug, Parser)]
struct Args {
    /// Where the store lies; its disk is flushed.
    #[arg(long, default_value = ".")]
    dir: std::path::PathBuf,
    /// Sign-ins under way at a time.
    #[arg(long, default_value_t = 16)]
    tasks: u32,
    /// Sign-ins of people whose password is verified each time.
    #[arg(long, default_value_t = 200)]
    verified: u32,
    /// Sign-ins whose password was verified a moment ago.
    #[arg(long, default_value_t = 10_000)]
    remembered: u32,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let folder = tempfile::tempdir_in(&args.dir)?;
    let service = provider(folder.path())?;
    // Sessions first: verifying passwords takes memory that the allocator keeps for a while.
    run(&service, args.tasks, 200, |_| 1).await?;
    let before = resident()?;
    let known = run(&service, args.tasks, args.remembered, |_| 1).await?;
    println!(
        "password verified before: {:.0} sign-ins/s, {:.1} ms each",
        known.rate(),
        known.each()
    );
    println!(
        "memory: {:.1} MiB, and {} bytes for each of {} sessions with their grants",
        before as f64 / 1_048_576.0,
        resident()?.saturating_sub(before) / u64::from(args.remembered.max(1)),
        args.remembered,
    );
    // What was verified is remembered by address, so here everybody has one of their own.
    let fresh = run(&service, args.tasks, args.verified, |number| number + 2).await?;
    println!(
        "password verified each time: {:.1} sign-ins/s, {:.0} ms each",
        fresh.rate(),
        fresh.each()
    );
    println!("memory after that: {:.1} MiB", resident()? as f64 / 1_048_576.0);
    Ok(())
}

fn provider(folder: &Path) -> Result<HttpService> {
    let bootstrap = Bootstrap {
        admin_id: UserId::random(),
        admin_password: "admin".into(),
        create_demo_users: true,
        takes_over: None,
        now: SystemClock.now(),
    };
    let directory = Directory::open(&folder.join("idm"), bootstrap)?;
    let basic = Basic::new(Arc::clone(&directory) as _, BasicOptions::new(URL))?;
    let options = IssuerOptions {
        url: URL.into(),
        keys: KeyFiles {
            signing: vec![folder.join("private-key.pem")],
            kid: "private-key".into(),
            method: "PS256".into(),
            validation: None,
            secret: folder.join("encryption.key"),
        },
        store: folder.join("store.redb"),
        clients: preregistered(),
        access_token: Duration::from_secs(300),
        id_token: Duration::from_secs(300),
        refresh_token: Duration::from_secs(2_592_000),
        dynamic_clients: false,
        dynamic_client: None,
        password_reset: None,
        background: None,
        assets: None,
    };
    let parts = IssuerParts {
        authenticate: Arc::new(basic),
        users: directory,
        clock: Arc::new(SystemClock),
    };
    Ok(Issuer::open(options, parts)?.0.service())
}

/// What a run took.
struct Took {
    count: u32,
    tasks: u32,
    time: Duration,
}

impl Took {
    fn rate(&self) -> f64 {
        f64::from(self.count) / self.time.as_secs_f64()
    }

    /// Milliseconds that one sign-in took.
    fn each(&self) -> f64 {
        self.time.as_secs_f64() * 1000.0 * f64::from(self.tasks) / f64::from(self.count.max(1))
    }
}

async fn run(service: &HttpService, tasks: u32, count: u32, from: fn(u32) -> u32) -> Result<Took> {
    let next = Arc::new(AtomicU32::new(0));
    let start = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let (service, next) = (service.clone(), Arc::clone(&next));
        running.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<_, anyhow::Error>(());
                }
                sign_in(&service, from(number)).await?;
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(Took { count, tasks, time: start.elapsed() })
}

async fn sign_in(service: &HttpService, from: u32) -> Result<()> {
    let logon = serde_json::json!({
        "params": ["einstein", "relativity", "1"],
        "hello": {
            "scope": "openid profile email offline_access",
            "client_id": "web",
            "redirect_uri": "https://localhost:9200/oidc-callback.html",
            "flow": "oidc",
        },
        "state": "x",
    });
    let request = Request::post("/signin/v1/identifier/_/logon")
        .header("kopano-konnect-xsrf", "1")
        .header("referer", URL);
    let answer = send(service, request, logon.to_string(), from).await?;
    ensure!(answer.status() == 200, "logon: {}", answer.status());
    let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|c| c.to_str().ok());
    let cookie =
        cookies.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ");
    let query = format!(
        "client_id=web&prompt=none&response_type=code&redirect_uri={CALLBACK}\
         &scope=openid%20profile%20email%20offline_access"
    );
    let request = Request::get(format!("/signin/v1/identifier/_/authorize?{query}"));
    let answer = send(service, request.header("cookie", cookie), String::new(), from).await?;
    let location = answer.headers().get("location").context("no redirect")?.to_str()?;
    let code = location.split("code=").nth(1).and_then(|rest| rest.split('&').next());
    let form = format!(
        "grant_type=authorization_code&client_id=web&redirect_uri={CALLBACK}&code={}",
        code.context("no code")?
    );
    let answer = send(service, Request::post("/konnect/v1/token"), form, from).await?;
    ensure!(answer.status() == 200, "token: {}", answer.status());
    answer.into_body().collect().await?;
    Ok(())
}

async fn send(
    service: &HttpService,
    request: http::request::Builder,
    body: String,
    from: u32,
) -> Result<Response<Body>> {
    let mut request = request.body(full(body))?;
    // Every address of its own: what is remembered holds for one address only.
    request.extensions_mut().insert(Peer(IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + from))));
    match service.clone().oneshot(request).await {
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}

/// What this process holds, in bytes.
fn resident() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.split_whitespace().next().unwrap_or_default().parse::<u64>()? * 1024)
}
