//! Handles that are made before what they stand for.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::error::{Error, Result};

/// A handle of a port that is bound after all services were built, and bound again when the
/// service behind it was restarted. Clones share the binding.
pub struct Late<T: ?Sized> {
    name: &'static str,
    slot: Arc<ArcSwapOption<Arc<T>>>,
}

impl<T: ?Sized> Late<T> {
    /// An unbound handle; `name` is what errors call the port.
    pub fn named(name: &'static str) -> Self {
        Self { name, slot: Arc::new(ArcSwapOption::empty()) }
    }

    /// The name of the port.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Binds the handle, or binds it to something else; calls under way end where they began.
    pub fn bind(&self, port: Arc<T>) {
        self.slot.store(Some(Arc::new(port)));
    }

    /// Takes the binding away: from now on every call fails with
    /// [`crate::ErrorKind::Unavailable`], until the handle is bound again.
    pub fn unbind(&self) {
        self.slot.store(None);
    }

    /// Whether the handle is bound.
    pub fn is_bound(&self) -> bool {
        self.slot.load().is_some()
    }

    /// What the handle is bound to; [`crate::ErrorKind::Unavailable`] when it is not.
    pub fn bound(&self) -> Result<Arc<T>> {
        match &*self.slot.load() {
            Some(port) => Ok(Arc::clone(port)),
            None => {
                Err(Error::unavailable("a part of the server is not available")
                    .with("port", self.name))
            }
        }
    }
}

impl<T: ?Sized> Clone for Late<T> {
    fn clone(&self) -> Self {
        Self { name: self.name, slot: Arc::clone(&self.slot) }
    }
}

impl<T: ?Sized> fmt::Debug for Late<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Late").field("port", &self.name).finish_non_exhaustive()
    }
}
