//! Indexes of spaces: which spaces there are of a type, and which a user or group belongs to.
//!
//! A MessagePack map from the id of a space to the path of its root, as [`super::paths`] has it.

use std::collections::BTreeMap;

use ocis_core::access::Grantee;
use ocis_core::id::SpaceId;
use ocis_core::{Error, Result};

use super::paths;

/// The content of an index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Index(BTreeMap<String, String>);

impl Index {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        rmp_serde::from_slice(bytes)
            .map(Self)
            .map_err(|error| Error::internal("an index of spaces is damaged").because(error))
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        rmp_serde::to_vec(&self.0)
            .map_err(|error| Error::internal("an index cannot be written").because(error))
    }

    pub(crate) fn add(&mut self, space: &SpaceId, value: &str) {
        self.0.insert(space.to_string(), value.to_owned());
    }

    pub(crate) fn remove(&mut self, space: &SpaceId) {
        self.0.remove(space.as_str());
    }

    /// The spaces in it, in the order of their ids.
    pub(crate) fn spaces(&self) -> impl Iterator<Item = SpaceId> {
        self.0.keys().filter_map(|id| SpaceId::parse(id).ok())
    }
}

/// The index of the spaces that a user or group belongs to.
pub(crate) fn of(grantee: &Grantee) -> String {
    match grantee {
        Grantee::User(user) => paths::index_by_user(user.as_str()),
        Grantee::Group(group) => paths::index_by_group(group.as_str()),
    }
}
