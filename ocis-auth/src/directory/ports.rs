//! The directory as the ports that the rest of the server knows.

use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use ocis_core::port::{
    Cursor, FindUser, GetGroup, Groups, ListGroups, ListUsers, Page, PageRequest, Users,
};
use ocis_core::user::{Group, User};
use ocis_core::{Cx, Error, Result};

use super::Directory;
use crate::passwords::Passwords;
use crate::rules::signed_in;

/// The most items of a page.
const MAX_PAGE: u32 = 1000;

#[async_trait]
impl Users for Directory {
    async fn find(&self, cx: &Cx, request: FindUser) -> Result<User> {
        signed_in(cx)?;
        let accounts = self.accounts();
        match request {
            FindUser::Id(id) => accounts.by_id(&id),
            FindUser::Username(name) => accounts.by_username(&name),
            FindUser::Mail(mail) => accounts.by_mail(&mail),
        }
        .map(|account| account.user.clone())
        .ok_or_else(|| Error::not_found("there is no such user"))
    }

    async fn list(&self, cx: &Cx, request: ListUsers) -> Result<Page<User>> {
        signed_in(cx)?;
        let search = request.search.map(|text| text.to_lowercase());
        let found = |user: &User| {
            search.as_ref().is_none_or(|part| {
                [&user.username, &user.display_name, &user.mail]
                    .iter()
                    .any(|text| text.to_lowercase().contains(part))
            })
        };
        let accounts = self.accounts();
        Ok(page(&accounts.users, &request.page, |account| {
            found(&account.user).then(|| account.user.clone())
        }))
    }
}

#[async_trait]
impl Groups for Directory {
    async fn get(&self, cx: &Cx, request: GetGroup) -> Result<Group> {
        signed_in(cx)?;
        let accounts = self.accounts();
        match request {
            GetGroup::Id(id) => accounts.group_by_id(&id),
            GetGroup::Name(name) => accounts.groups.get(&name.to_lowercase()),
        }
        .cloned()
        .ok_or_else(|| Error::not_found("there is no such group"))
    }

    async fn list(&self, cx: &Cx, request: ListGroups) -> Result<Page<Group>> {
        signed_in(cx)?;
        let search = request.search.map(|text| text.to_lowercase());
        let accounts = self.accounts();
        Ok(page(&accounts.groups, &request.page, |group| {
            let found = search.as_ref().is_none_or(|part| group.name.to_lowercase().contains(part));
            found.then(|| group.clone())
        }))
    }
}

#[async_trait]
impl Passwords for Directory {
    async fn check(&self, username: &str, password: &str) -> Result<Option<User>> {
        let accounts = self.accounts();
        // An account that signs in elsewhere has no password here, and costs the same time.
        let account =
            accounts.by_username(username).filter(|found| !found.record.password.is_empty());
        let stored = account.map_or(&self.decoy, |account| &account.record.password);
        let right = self.hasher.verify(password, stored).await?;
        let Some(account) = account.filter(|account| right && account.user.enabled) else {
            return Ok(None);
        };
        if self.hasher.is_weak(stored) {
            let done = self.strengthen(account.user.id.clone(), password, stored.clone()).await;
            if let Err(error) = done {
                tracing::warn!(user = username, %error, "the password is still hashed as of old");
            }
        }
        Ok(Some(account.user.clone()))
    }

    fn revision(&self, username: &str) -> u64 {
        self.accounts().by_username(username).map_or(0, |account| account.revision)
    }
}

/// The page of what `pick` takes of `all`. A cursor is the key of the last item, so that a page is
/// right whatever was added or removed before it in the meantime.
fn page<V, T>(
    all: &BTreeMap<String, V>,
    request: &PageRequest,
    pick: impl Fn(&V) -> Option<T>,
) -> Page<T> {
    let limit = request.limit.clamp(1, MAX_PAGE) as usize;
    let from = request.cursor.as_ref().map_or(Bound::Unbounded, |Cursor(key)| Bound::Excluded(key));
    let mut rest = all
        .range::<String, _>((from, Bound::Unbounded))
        .filter_map(|(key, value)| Some((key, pick(value)?)));
    let (mut items, mut last) = (Vec::new(), None);
    for (key, item) in rest.by_ref().take(limit) {
        items.push(item);
        last = Some(key);
    }
    let next = last.filter(|_| rest.next().is_some()).map(|key| Cursor(key.clone()));
    Page { items, next }
}
