//! The groups as the port [`Groups`].

use async_trait::async_trait;
use ocis_core::port::{GetGroup, Groups, ListGroups, Page};
use ocis_core::user::Group;
use ocis_core::{Cx, Result};

use super::client::{Query, nobody};
use super::entry::Entry;
use super::page::Selection;
use super::{Ldap, filter};
use crate::rules::signed_in;

#[async_trait]
impl Groups for Ldap {
    async fn get(&self, cx: &Cx, request: GetGroup) -> Result<Group> {
        signed_in(cx)?;
        let entry = self.group_entry(&request).await?;
        let group = self.with_members(vec![entry]).await?.pop();
        group.ok_or_else(|| nobody("group"))
    }

    async fn list(&self, cx: &Cx, request: ListGroups) -> Result<Page<Group>> {
        signed_in(cx)?;
        let groups = &self.options.groups;
        let part = request.search.as_deref().filter(|text| !text.is_empty()).map(|text| {
            let attributes = [&*groups.name, &groups.display_name, &groups.mail];
            filter::contains(&attributes, groups.place.substring, text)
        });
        let query =
            self.groups_where(part.as_deref().unwrap_or_default(), &self.group_attributes());
        let mut selection = Selection::new(&request.page);
        self.client
            .search(&query, |entry| {
                let name = entry.text(&groups.name).to_owned();
                selection.offer(&name, || self.is_group(&entry).then_some(entry));
            })
            .await?;
        let Page { items, next } = selection.page();
        Ok(Page { items: self.with_members(items).await?, next })
    }
}

impl Ldap {
    /// The entry of one group; [`ocis_core::ErrorKind::NotFound`] when there is none.
    pub(super) async fn group_entry(&self, request: &GetGroup) -> Result<Entry> {
        let groups = &self.options.groups;
        let filter = match request {
            GetGroup::Id(id) => filter::id(&groups.id, id.as_str())?,
            GetGroup::Name(name) => filter::equals(&groups.name, name),
        };
        let query = self.groups_where(&filter, &self.group_attributes());
        let query = Query { enough: Some(1), ..query };
        let entry = self.client.first(&query).await?;
        entry.filter(|entry| self.is_group(entry)).ok_or_else(|| nobody("group"))
    }

    /// The entries that are groups, and of which `part`, which may be empty, is true.
    pub(super) fn groups_where(&self, part: &str, attributes: &[&str]) -> Query {
        let place = &self.options.groups.place;
        Query {
            base: place.base_dn.clone(),
            scope: place.scope,
            filter: filter::counting(place, part),
            attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
            enough: None,
        }
    }

    fn group_attributes(&self) -> [&str; 3] {
        let groups = &self.options.groups;
        [&groups.id.name, &groups.name, &groups.member]
    }

    fn is_group(&self, entry: &Entry) -> bool {
        let is_one = entry.group_id(&self.options).is_some()
            && !entry.text(&self.options.groups.name).is_empty();
        if !is_one {
            tracing::warn!(dn = entry.dn, "a group of the directory has no id or no name");
        }
        is_one
    }

    async fn with_members(&self, entries: Vec<Entry>) -> Result<Vec<Group>> {
        let schema = &self.options.groups;
        let members = entries.iter().flat_map(|entry| entry.texts(&schema.member));
        let accounts = self.accounts_behind(members).await?;
        let group = |entry: &Entry| {
            let members = entry.texts(&schema.member);
            let mut members: Vec<_> =
                members.filter_map(|member| accounts.get(&self.key(member)).cloned()).collect();
            members.sort_unstable();
            members.dedup();
            let name = entry.text(&schema.name).to_owned();
            Some(Group { id: entry.group_id(&self.options)?, name, members })
        };
        Ok(entries.iter().filter_map(group).collect())
    }
}
