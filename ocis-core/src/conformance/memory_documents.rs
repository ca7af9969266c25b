//! Documents in memory, for tests of what stands on them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use crate::cx::{Caller, Cx};
use crate::error::{Error, Result};
use crate::etag::Etag;
use crate::id::SpaceId;
use crate::path::SpacePath;
use crate::port::{Document, DocumentCondition, DocumentKey, KeyValue, PutDocument};

/// The port [`KeyValue`] in memory.
#[derive(Debug, Default)]
pub struct MemoryDocuments(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    documents: BTreeMap<(SpaceId, SpacePath), Document>,
    /// Counts the writes, for etags.
    writes: u64,
    /// Whether every call fails.
    broken: bool,
}

impl MemoryDocuments {
    /// From now on, every call fails with `Unavailable`, or none does.
    pub fn set_broken(&self, broken: bool) {
        self.0.lock().unwrap().broken = broken;
    }

    fn state(&self, cx: &Cx) -> Result<std::sync::MutexGuard<'_, State>> {
        if !matches!(cx.caller, Caller::Service(_)) {
            return Err(Error::denied("this is for the server itself"));
        }
        let state = self.0.lock().unwrap();
        if state.broken { Err(Error::unavailable("broken for a test")) } else { Ok(state) }
    }
}

fn read(key: &DocumentKey) -> Result<(SpaceId, SpacePath)> {
    Ok((SpaceId::parse(&key.space)?, SpacePath::parse(&key.path)?))
}

/// The first name of `path` below `folder`.
fn below<'p>(path: &'p SpacePath, folder: &SpacePath) -> Option<&'p str> {
    let rest = match folder.is_root() {
        true => path.as_str(),
        false => path.as_str().strip_prefix(folder.as_str())?.strip_prefix('/')?,
    };
    rest.split('/').next()
}

#[async_trait]
impl KeyValue for MemoryDocuments {
    async fn get(&self, cx: &Cx, key: DocumentKey) -> Result<Option<Document>> {
        let key = read(&key)?;
        Ok(self.state(cx)?.documents.get(&key).cloned())
    }

    async fn put(&self, cx: &Cx, request: PutDocument) -> Result<Etag> {
        let key = read(&request.key)?;
        let mut state = self.state(cx)?;
        let there = state.documents.get(&key).map(|document| &document.etag);
        let is_met = match &request.condition {
            DocumentCondition::None => true,
            DocumentCondition::Absent => there.is_none(),
            DocumentCondition::Is(etag) => there == Some(etag),
        };
        if !is_met {
            return Err(Error::precondition("it was changed meanwhile"));
        }
        state.writes += 1;
        let etag = Etag::new(&state.writes.to_string());
        let document = Document { content: request.content, etag: etag.clone() };
        state.documents.insert(key, document);
        Ok(etag)
    }

    async fn remove(&self, cx: &Cx, key: DocumentKey) -> Result<()> {
        let (space, path) = read(&key)?;
        self.state(cx)?.documents.retain(|(other, document), _| {
            *other != space || (*document != path && below(document, &path).is_none())
        });
        Ok(())
    }

    async fn names(&self, cx: &Cx, key: DocumentKey) -> Result<Vec<String>> {
        let (space, folder) = read(&key)?;
        let state = self.state(cx)?;
        let paths = state.documents.keys().filter(|(other, _)| *other == space);
        let names = paths.filter_map(|(_, path)| below(path, &folder)).map(str::to_owned);
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_promises_of_the_port() {
        let documents = MemoryDocuments::default();
        futures::executor::block_on(super::super::documents(&documents));
    }
}
