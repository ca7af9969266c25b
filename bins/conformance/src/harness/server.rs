//! A real server on a temporary home directory. It dies with its handle, and with this program.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, read_to_string};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::process::{Finished, run, run_with_input, wait};
use super::{Client, anonymous_memory, free_port, service_addresses};

/// The admin's password on every server that does not say otherwise.
pub const ADMIN_PASSWORD: &str = "Admin-secret-7";
const READY: Duration = Duration::from_secs(30);

/// How to start the binary: its home directory, and an environment of nothing but what is here.
#[derive(Debug, Clone)]
pub struct Launch {
    bin: PathBuf,
    home: Arc<TempDir>,
    environment: BTreeMap<String, String>,
    address: SocketAddr,
    tls: bool,
}

impl Launch {
    /// An empty home directory, free ports, TLS, and the admin's password given.
    pub fn new(bin: &Path) -> Result<Self> {
        let home = tempfile::Builder::new().prefix("ocis-conformance-").tempdir()?;
        let mut launch = Self {
            bin: bin.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], free_port()?)),
            environment: service_addresses()?.into_iter().collect(),
            tls: true,
            home: Arc::new(home),
        }
        .env("PATH", &std::env::var("PATH").unwrap_or_default())
        .env("IDM_ADMIN_PASSWORD", ADMIN_PASSWORD)
        .env("PROXY_ENABLE_BASIC_AUTH", "true")
        .env("OCIS_INSECURE", "true");
        let home = launch.home().display().to_string();
        launch = launch.env("HOME", &home);
        Ok(launch.addressed())
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Removes a variable.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Plain HTTP.
    pub fn plain(mut self) -> Self {
        self.tls = false;
        self.env("PROXY_TLS", "false").addressed()
    }

    /// The five demo users and their groups.
    pub fn demo_users(self) -> Self {
        self.env("IDM_CREATE_DEMO_USERS", "true")
    }

    /// Says that the public listener is elsewhere than the variables say, for settings that a
    /// test gives in a file.
    pub fn reached_at(mut self, address: SocketAddr, tls: bool) -> Self {
        self.address = address;
        self.tls = tls;
        self
    }

    fn addressed(self) -> Self {
        let (scheme, port) = (if self.tls { "https" } else { "http" }, self.address.port());
        let address = self.address.to_string();
        self.env("PROXY_HTTP_ADDR", &address)
            .env("OCIS_URL", &format!("{scheme}://localhost:{port}"))
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The default data directory for a binary: `$HOME/.ocis`.
    pub fn data(&self) -> PathBuf {
        self.home().join(".ocis")
    }

    /// The default place of a configuration file: `$HOME/.ocis/config/<name>`.
    pub fn config(&self, name: &str) -> PathBuf {
        self.data().join("config").join(name)
    }

    /// Writes a configuration file of that name.
    pub fn write_config(&self, name: &str, text: &str) -> Result<()> {
        let path = self.config(name);
        std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
        std::fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// The value of a variable as it is now.
    pub fn value(&self, name: &str) -> &str {
        self.environment.get(name).map_or("", String::as_str)
    }

    /// All variables, for a program that starts the binary by itself.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The public listener's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The binary with this environment and these arguments, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(&self.bin).args(arguments);
        command.env_clear().envs(&self.environment).current_dir(self.home());
        command
    }

    /// Runs the binary to its end, which must come within 30 seconds.
    pub fn run(&self, arguments: &[&str]) -> Result<Finished> {
        run(&mut self.command(arguments), READY)
    }

    /// As [`Self::run`], with an input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Result<Finished> {
        run_with_input(&mut self.command(arguments), input.as_bytes(), READY)
    }

    /// Runs `ocis init` with the variables that are set.
    pub fn init(&self) -> Result<Finished> {
        self.run(&["init", "--insecure", "true"])?.success("ocis init")
    }

    /// `ocis server`, ready to answer.
    pub fn start(self) -> Result<Server> {
        self.start_with(&["server"])
    }

    /// The server that these arguments start, ready to answer on the public address.
    pub fn start_with(self, arguments: &[&str]) -> Result<Server> {
        let mut server = self.spawn(arguments)?;
        server.wait_ready()?;
        Ok(server)
    }

    /// Starts it without waiting for anything.
    pub fn spawn(self, arguments: &[&str]) -> Result<Server> {
        let log = self.home().join("server.log");
        let output = OpenOptions::new().create(true).append(true).open(&log)?;
        let child = self
            .command(arguments)
            .stdin(Stdio::null())
            .stdout(File::try_clone(&output)?)
            .stderr(output)
            .spawn()
            .context("starting the server (setpriv is of Debian's util-linux)")?;
        let arguments = arguments.iter().map(|&text| text.to_owned()).collect();
        Ok(Server { launch: self, arguments, child, log })
    }
}

/// A running server; dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    launch: Launch,
    arguments: Vec<String>,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// How it was started.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// The public listener.
    pub fn address(&self) -> SocketAddr {
        self.launch.address
    }

    /// Whether the public listener speaks TLS.
    pub fn tls(&self) -> bool {
        self.launch.tls
    }

    /// `https://localhost:<port>`, or http.
    pub fn url(&self) -> String {
        let scheme = if self.tls() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.address().port())
    }

    /// A connection without credentials.
    pub fn anonymous(&self) -> Client {
        Client::anonymous(self.address(), self.tls())
    }

    /// The admin's connection.
    pub fn admin(&self) -> Client {
        self.user("admin", ADMIN_PASSWORD)
    }

    /// Somebody's connection.
    pub fn user(&self, name: &str, password: &str) -> Client {
        self.anonymous().user(name, password)
    }

    /// Everything it printed until now, both outputs, over all restarts.
    pub fn log(&self) -> String {
        read_to_string(&self.log).unwrap_or_default()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Anonymous resident memory in bytes.
    pub fn anonymous_memory(&self) -> Result<u64> {
        anonymous_memory(self.pid())
    }

    /// Waits until `/status.php` answers 200; an error when the process ends or takes too long.
    pub fn wait_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status} before it was ready:\n{}", self.log());
            }
            if self.anonymous().get("/status.php").is_ok_and(|reply| reply.status == 200) {
                return Ok(());
            }
            if start.elapsed() > READY {
                bail!("the server was not ready within {READY:?}:\n{}", self.log());
            }
            sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid())?;
        kill_process(Pid::from_raw(pid).context("process id")?, signal).context("kill")
    }

    /// Whether the process still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGTERM, and the exit status if it ends within the limit.
    pub fn terminate(&mut self, limit: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.ended(limit)
    }

    /// The exit status once it ends by itself.
    pub fn ended(&mut self, limit: Duration) -> Result<ExitStatus> {
        wait(&mut self.child, limit)
            .with_context(|| format!("the server still ran after {limit:?}:\n{}", self.log()))
    }

    /// SIGKILL, and gone.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The same command on the same home directory again, ready. The old process must have ended.
    pub fn restart(&mut self) -> Result<()> {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        *self = self.launch.clone().start_with(&arguments)?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
