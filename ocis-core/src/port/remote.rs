//! Ports of another process.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Result};

/// Carries calls to another process, and its answers back.
#[async_trait]
pub trait Wire: Send + Sync + fmt::Debug + 'static {
    /// Calls `method` of `port` there. Who asks is decided by the wire and not by the caller.
    async fn call(&self, port: &str, method: &str, request: Value) -> Result<Value>;
}

/// Every port, as the process at the other end of a wire offers it. Clones share the wire.
#[derive(Debug, Clone)]
pub struct Remote(Arc<dyn Wire>);

impl Remote {
    /// The ports at the other end of `wire`.
    pub fn new(wire: Arc<dyn Wire>) -> Self {
        Self(wire)
    }

    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        port: &str,
        method: &str,
        request: Result<Value>,
    ) -> Result<T> {
        read(self.0.call(port, method, request?).await?)
    }
}

/// A request or reply as it goes over a wire.
pub(crate) fn written(value: impl Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|error| Error::internal("a message cannot be written").because(error))
}

/// A request or reply as it came over a wire.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value)
        .map_err(|error| Error::invalid(format!("a message cannot be read: {error}")))
}
