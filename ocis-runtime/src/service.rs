//! What a service is: a type with a name, a configuration, the ports it needs, and a pure `build`.
//!
//! `build` opens nothing, spawns nothing and calls nobody: it returns a [`Unit`], plain data that
//! says what the service offers and does. The supervisor opens, binds and runs it, and builds it
//! again when it failed. That is why mutual needs of two services are no cycle, and why no order of
//! starting is written down anywhere.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use ocis_core::Result;
use ocis_core::config::Section;
use ocis_core::data::HttpService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::peers::{Offer, Offered, Peers, Slot};

/// The signal by which the supervisor asks a job to end: `stop.cancelled().await`.
pub type Stop = CancellationToken;

/// One of the parts that a server is composed of.
pub trait Service: 'static {
    /// The name: sub-command, YAML topic and log target.
    const NAME: &'static str;
    /// Whether this version does its work.
    const AVAILABILITY: Availability = Availability::Here;
    /// The ports that it calls once it runs. It does not start where one of them is missing.
    const NEEDS: &'static [Slot] = &[];
    /// The ports that its unit offers, so that an error can name who offers what is missing.
    const OFFERS: &'static [Slot] = &[];
    /// Its settings.
    type Config: Section + Clone;

    /// Composes the service. Opens nothing, spawns nothing, calls nobody; fails only when the
    /// settings cannot be acted on.
    fn build(config: Self::Config, peers: &Peers) -> Result<Unit>;
}

/// Whether a service does its work in this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// It does.
    Here,
    /// It starts and can be observed, but what it is for comes in a later version. Whatever it
    /// would answer on HTTP, it answers 501.
    ComesLater(&'static str),
}

/// What a service consists of while it runs.
#[derive(Default)]
pub struct Unit {
    pub(crate) offers: Vec<Offered>,
    pub(crate) http: Option<HttpService>,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) start: Option<Step>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) ready: Option<Probe>,
    pub(crate) close: Option<Step>,
}

/// Something to be done once, such as opening a store.
pub type Step = Box<dyn FnOnce() -> BoxFuture<'static, Result<()>> + Send>;

/// Tells whether a service is ready, or in a sentence why it is not.
pub type Probe = Arc<dyn Fn() -> Result<()> + Send + Sync>;

/// Something that goes on in the background until it is asked to stop. When it ends with an error
/// or a panic, its unit is built and started again.
pub struct Job {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn FnOnce(Stop) -> BoxFuture<'static, Result<()>> + Send>,
}

/// A public address and who answers there. The supervisor opens the socket and keeps it open
/// while the unit is restarted.
pub struct Listener {
    /// Where, as `host:port`.
    pub address: String,
    /// The variable that sets the address, for errors.
    pub variable: &'static str,
    /// Who answers.
    pub service: HttpService,
    /// The accept loop: TLS, limits and the transport's protocol are its own affair.
    pub serve: Serve,
}

/// An accept loop: accepts until it is asked to stop, and ends when its connections have ended.
pub type Serve =
    Arc<dyn Fn(TcpListener, HttpService, Stop) -> BoxFuture<'static, Result<()>> + Send + Sync>;

impl Unit {
    /// A unit that does nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Offers a port, under no key.
    #[must_use]
    pub fn offers(mut self, offer: Offer) -> Self {
        self.offers.push(Offered { key: None, offer });
        self
    }

    /// Offers a port under a key, such as a storage id.
    #[must_use]
    pub fn offers_as(mut self, key: impl Into<String>, offer: Offer) -> Self {
        self.offers.push(Offered { key: Some(key.into()), offer });
        self
    }

    /// Answers HTTP requests of other services (see [`Peers::http`]).
    #[must_use]
    pub fn answers(mut self, http: HttpService) -> Self {
        self.http = Some(http);
        self
    }

    /// Listens on a public address.
    #[must_use]
    pub fn listens(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Opens what has to be open before the unit is ready: stores, and their locks. May fail with
    /// one clear sentence.
    #[must_use]
    pub fn starts<F>(mut self, step: impl FnOnce() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.start = Some(Box::new(move || Box::pin(step())));
        self
    }

    /// Runs a job in the background.
    #[must_use]
    pub fn runs<F>(
        mut self,
        name: &'static str,
        job: impl FnOnce(Stop) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.jobs.push(Job { name, run: Box::new(move |stop| Box::pin(job(stop))) });
        self
    }

    /// Asks `probe` whether the unit is ready.
    #[must_use]
    pub fn ready_when(mut self, probe: impl Fn() -> Result<()> + Send + Sync + 'static) -> Self {
        self.ready = Some(Arc::new(probe));
        self
    }

    /// Closes what `starts` opened, after all jobs have ended.
    #[must_use]
    pub fn closes<F>(mut self, step: impl FnOnce() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.close = Some(Box::new(move || Box::pin(step())));
        self
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unit")
            .field("offers", &self.offers)
            .field("listeners", &self.listeners)
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.address).finish()
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.name).finish()
    }
}
