//! What a check is handed: the binary, the seed, and a server that many cheap checks share.

use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result};

use super::{Buckets, Launch, OpenLdap, Random, Server};

/// The run's settings, and the shared server once somebody needed it.
#[derive(Debug)]
pub struct World {
    bin: PathBuf,
    long: bool,
    seed: u64,
    shared: RefCell<Option<Rc<Server>>>,
    /// Where servers keep contents; none means beside their metadata.
    buckets: Option<Buckets>,
    /// The same run with contents in buckets.
    in_bucket: OnceCell<Box<Self>>,
    /// Who holds the accounts; none means the server's own directory.
    directory: Option<OpenLdap>,
    /// The same run with accounts behind LDAP.
    in_ldap: OnceCell<Box<Self>>,
}

impl World {
    /// Fails when the binary is not there.
    pub fn new(bin: &Path, long: bool, seed: u64) -> Result<Self> {
        let bin = bin.canonicalize().with_context(|| {
            format!("{} is not there: cargo build --release --bin ocis", bin.display())
        })?;
        Ok(Self::of(bin, long, seed))
    }

    fn of(bin: PathBuf, long: bool, seed: u64) -> Self {
        Self {
            bin,
            long,
            seed,
            shared: RefCell::default(),
            buckets: None,
            in_bucket: OnceCell::new(),
            directory: None,
            in_ldap: OnceCell::new(),
        }
    }

    fn again(&self) -> Self {
        Self::of(self.bin.clone(), self.long, self.seed)
    }

    /// The same run, on servers whose contents lie in a bucket.
    pub fn in_bucket(&self) -> Result<&Self> {
        if let Some(world) = self.in_bucket.get() {
            return Ok(world);
        }
        let world = Self { buckets: Some(Buckets::start()?), ..self.again() };
        Ok(self.in_bucket.get_or_init(|| Box::new(world)))
    }

    /// The same run, on servers whose accounts an OpenLDAP holds.
    pub fn in_ldap(&self) -> Result<&Self> {
        if let Some(world) = self.in_ldap.get() {
            return Ok(world);
        }
        let world = Self { directory: Some(OpenLdap::start(0)?), ..self.again() };
        Ok(self.in_ldap.get_or_init(|| Box::new(world)))
    }

    /// The S3 server of this run, if contents lie there.
    pub fn buckets(&self) -> Option<&Buckets> {
        self.buckets.as_ref()
    }

    /// Whether the same checks run a second time here, on servers that are set up otherwise.
    pub fn is_variant(&self) -> bool {
        self.buckets.is_some() || self.directory.is_some()
    }

    /// The binary under test.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// Whether there is time for more.
    pub fn long(&self) -> bool {
        self.long
    }

    /// The seed of this run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Randomness of this run.
    pub fn random(&self) -> Random {
        Random::new(self.seed)
    }

    /// A new empty home directory to start a server on.
    pub fn launch(&self) -> Result<Launch> {
        let mut launch = Launch::new(&self.bin)?;
        if let Some(directory) = &self.directory {
            launch = directory.launch(launch)?;
        }
        match &self.buckets {
            Some(buckets) => buckets.launch(launch),
            None => Ok(launch),
        }
    }

    /// A running server with TLS and demo users, for checks that change nothing beyond a folder of
    /// their own.
    pub fn shared(&self) -> Result<Rc<Server>> {
        if let Some(server) = &*self.shared.borrow() {
            return Ok(Rc::clone(server));
        }
        let server = Rc::new(self.launch()?.demo_users().start()?);
        *self.shared.borrow_mut() = Some(Rc::clone(&server));
        Ok(server)
    }

    /// Ends the shared server.
    pub fn close(&self) {
        self.shared.borrow_mut().take();
        for world in [self.in_bucket.get(), self.in_ldap.get()].into_iter().flatten() {
            world.close();
        }
    }
}
