//! The accounts as the port [`Users`].

use async_trait::async_trait;
use ocis_core::port::{FindUser, ListUsers, Page, Users};
use ocis_core::user::User;
use ocis_core::{Cx, Result};

use super::client::{Query, nobody};
use super::entry::user_attributes;
use super::memberships::Found;
use super::page::Selection;
use super::{Ldap, filter};
use crate::rules::signed_in;

/// How many accounts with the same mail address are looked at.
const NAMESAKES: i32 = 16;

#[async_trait]
impl Users for Ldap {
    async fn find(&self, cx: &Cx, request: FindUser) -> Result<User> {
        signed_in(cx)?;
        let found = self.found(&request).await?;
        let user = self.complete(vec![found]).await?.pop();
        user.ok_or_else(|| nobody("user"))
    }

    async fn list(&self, cx: &Cx, request: ListUsers) -> Result<Page<User>> {
        signed_in(cx)?;
        let users = &self.options.users;
        let part = request.search.as_deref().filter(|text| !text.is_empty()).map(|text| {
            let attributes = [&*users.username, &users.display_name, &users.mail];
            filter::contains(&attributes, users.place.substring, text)
        });
        let query =
            self.users_where(part.as_deref().unwrap_or_default(), user_attributes(&self.options));
        let mut selection = Selection::new(&request.page);
        self.client
            .search(&query, |entry| {
                let make = || {
                    let user = entry.user(&self.options)?;
                    Some(Found { dn: entry.dn.clone(), user })
                };
                selection.offer(entry.text(&users.username), make);
            })
            .await?;
        let Page { items, next } = selection.page();
        Ok(Page { items: self.complete(items).await?, next })
    }
}

impl Ldap {
    /// One account, with what its own entry says; [`ocis_core::ErrorKind::NotFound`] when there is
    /// none.
    pub(super) async fn found(&self, request: &FindUser) -> Result<Found> {
        let users = &self.options.users;
        let filter = match request {
            // What nobody has, and what not every server takes in a filter.
            FindUser::Username(text) | FindUser::Mail(text) if text.is_empty() => {
                return Err(nobody("user"));
            }
            FindUser::Id(id) => filter::id(&users.id, id.as_str())?,
            FindUser::Username(name) => filter::equals(&users.username, name),
            FindUser::Mail(mail) => filter::equals(&users.mail, mail),
        };
        self.account_where(&filter).await?.ok_or_else(|| nobody("user"))
    }

    /// The account of which `filter` is true; the first by name of several.
    pub(super) async fn account_where(&self, filter: &str) -> Result<Option<Found>> {
        let query = self.users_where(filter, user_attributes(&self.options));
        let mut best: Option<Found> = None;
        let query = Query { enough: Some(NAMESAKES), ..query };
        self.client
            .search(&query, |entry| {
                let Some(user) = entry.user(&self.options) else { return };
                let name = |user: &User| user.username.to_lowercase();
                if best.as_ref().is_none_or(|best| name(&user) < name(&best.user)) {
                    best = Some(Found { dn: entry.dn, user });
                }
            })
            .await?;
        Ok(best)
    }

    /// The entries that are accounts, and of which `part`, which may be empty, is true.
    pub(super) fn users_where(&self, part: &str, attributes: Vec<String>) -> Query {
        let place = &self.options.users.place;
        Query {
            base: place.base_dn.clone(),
            scope: place.scope,
            filter: filter::counting(place, part),
            attributes,
            enough: None,
        }
    }
}
