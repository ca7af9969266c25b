//! What a check is handed: the binary, the seed, and a server that many cheap checks share.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result};

use super::{Launch, Random, Server};

/// The run's settings, and the shared server once somebody needed it.
#[derive(Debug)]
pub struct World {
    bin: PathBuf,
    long: bool,
    seed: u64,
    shared: RefCell<Option<Rc<Server>>>,
}

impl World {
    /// Fails when the binary is not there.
    pub fn new(bin: &Path, long: bool, seed: u64) -> Result<Self> {
        let bin = bin.canonicalize().with_context(|| {
            format!("{} is not there: cargo build --release --bin ocis", bin.display())
        })?;
        Ok(Self { bin, long, seed, shared: RefCell::new(None) })
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
        Launch::new(&self.bin)
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
    }
}
