//! Upload sessions of all storages. A session is named by its id alone, so whoever asks for one is
//! led to the storage that knows it.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::port::{
    ActOnSession, CreateSession, Cursor, GetSession, ListSessions, OpenSession, Page, SetLength,
    UploadSessions,
};
use ocis_core::time::Timestamp;
use ocis_core::upload::UploadSession;
use ocis_core::{Cx, Error, ErrorKind, Result};

use super::data::label;
use super::of_storage;
use crate::peers::Keyed;

/// Between the storage and its cursor.
const SEPARATOR: char = '!';

/// The port [`UploadSessions`] over those of the storages.
#[derive(Debug, Clone)]
pub struct SessionsGateway(Keyed<dyn UploadSessions>);

impl SessionsGateway {
    /// A gateway to `storages`.
    pub fn new(storages: Keyed<dyn UploadSessions>) -> Self {
        Self(storages)
    }

    /// The storages that run, with their ids.
    fn storages(&self) -> Vec<(String, Arc<dyn UploadSessions>)> {
        let keys = self.0.keys().into_iter();
        keys.filter_map(|key| Some((key.clone(), self.0.find(&key)?.bound().ok()?))).collect()
    }
}

/// Asks one storage after the other, until one knows the session.
macro_rules! whose {
    ($gateway:ident, $storage:ident => $ask:expr) => {{
        for (_, $storage) in $gateway.storages() {
            match $ask.await {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                answer => return answer,
            }
        }
        Err(Error::not_found("there is no such upload"))
    }};
}

#[async_trait]
impl UploadSessions for SessionsGateway {
    async fn create(&self, cx: &Cx, request: CreateSession) -> Result<OpenSession> {
        let storage = request.upload.target.base.storage.clone();
        let OpenSession { session, ticket } =
            of_storage(&self.0, &storage)?.create(cx, request).await?;
        Ok(OpenSession { session, ticket: label(&storage, ticket) })
    }

    async fn get(&self, cx: &Cx, request: GetSession) -> Result<UploadSession> {
        whose!(self, storage => storage.get(cx, request.clone()))
    }

    async fn set_length(&self, cx: &Cx, request: SetLength) -> Result<UploadSession> {
        whose!(self, storage => storage.set_length(cx, request.clone()))
    }

    async fn abort(&self, cx: &Cx, request: GetSession) -> Result<()> {
        whose!(self, storage => storage.abort(cx, request.clone()))
    }

    async fn list(&self, cx: &Cx, mut request: ListSessions) -> Result<Page<UploadSession>> {
        let cursor = request.page.cursor.take();
        let (from, mut inner) = match &cursor {
            Some(Cursor(text)) => {
                let wrong = || Error::invalid("the cursor is not one of this list");
                let (key, inner) = text.split_once(SEPARATOR).ok_or_else(wrong)?;
                (key, (!inner.is_empty()).then(|| Cursor(inner.to_owned())))
            }
            None => ("", None),
        };
        let mut rest = self.storages().into_iter().filter(|(key, _)| key.as_str() >= from);
        let Some((key, storage)) = rest.next() else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        if key != from {
            inner = None;
        }
        request.page.cursor = inner;
        let Page { items, next } = storage.list(cx, request).await?;
        let next = match (next, rest.next()) {
            (Some(Cursor(next)), _) => Some(format!("{key}{SEPARATOR}{next}")),
            (None, Some((key, _))) => Some(format!("{key}{SEPARATOR}")),
            (None, None) => None,
        };
        Ok(Page { items, next: next.map(Cursor) })
    }

    async fn act(&self, cx: &Cx, request: ActOnSession) -> Result<UploadSession> {
        whose!(self, storage => storage.act(cx, request.clone()))
    }

    async fn expire(&self, cx: &Cx, now: Timestamp) -> Result<u64> {
        let mut count = 0;
        for (_, storage) in self.storages() {
            count += storage.expire(cx, now).await?;
        }
        Ok(count)
    }
}
