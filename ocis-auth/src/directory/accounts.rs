//! The directory in memory, found by id, name and mail address.

use std::collections::{BTreeMap, HashMap};

use ocis_core::id::{GroupId, UserId};
use ocis_core::user::{Group, User};
use ocis_core::{Error, Result};

use super::record::{self, Document, FORMAT};

/// An account with what does not leave the directory.
#[derive(Debug)]
pub(super) struct Account {
    /// The account as others see it.
    pub(super) user: User,
    /// The account as it stands in the file.
    pub(super) record: record::User,
    /// Another number whenever anything of the account changed, memberships included.
    pub(super) revision: u64,
}

/// All accounts and groups, never changed: a change makes a new value.
#[derive(Debug)]
pub(super) struct Accounts {
    /// By user name in lower case, the order of lists.
    pub(super) users: BTreeMap<String, Account>,
    /// By name in lower case, the order of lists.
    pub(super) groups: BTreeMap<String, Group>,
    user_ids: HashMap<UserId, String>,
    mails: HashMap<String, String>,
    group_ids: HashMap<GroupId, String>,
    /// The groups in the order of the file.
    group_order: Vec<record::Group>,
    next_revision: u64,
}

impl Accounts {
    /// Indexes `document`. An account that is as it was in `before` keeps its revision.
    /// [`ocis_core::ErrorKind::InvalidArgument`] when an id or a name occurs twice.
    pub(super) fn index(document: &Document, before: Option<&Self>) -> Result<Self> {
        let mut all = Self {
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            user_ids: HashMap::new(),
            mails: HashMap::new(),
            group_ids: HashMap::new(),
            group_order: document.groups.clone(),
            // 0 is the revision of accounts that are not there.
            next_revision: before.map_or(1, |before| before.next_revision),
        };
        for group in &document.groups {
            all.add_group(group)?;
        }
        let mut memberships: HashMap<&UserId, Vec<GroupId>> = HashMap::new();
        for group in &document.groups {
            for member in &group.members {
                memberships.entry(member).or_default().push(group.id.clone());
            }
        }
        for user in &document.users {
            all.add_user(user, memberships.remove(&user.id).unwrap_or_default(), before)?;
        }
        Ok(all)
    }

    fn add_group(&mut self, group: &record::Group) -> Result<()> {
        let key = group.name.to_lowercase();
        let record::Group { id, name, members } = group.clone();
        let twice = self.group_ids.insert(id.clone(), key.clone()).is_some()
            | self.groups.insert(key, Group { id, name, members }).is_some();
        only_once(twice, "group", &group.name)
    }

    fn add_user(
        &mut self,
        record: &record::User,
        groups: Vec<GroupId>,
        before: Option<&Self>,
    ) -> Result<()> {
        let key = record.username.to_lowercase();
        let user = User {
            id: record.id.clone(),
            username: record.username.clone(),
            display_name: record.display_name.clone(),
            given_name: record.given_name.clone(),
            surname: record.surname.clone(),
            mail: record.mail.clone(),
            groups,
            enabled: record.enabled,
            user_type: record.user_type,
            identities: record.identities.clone(),
            password_version: record.password_changes.to_string(),
        };
        let unchanged = before
            .and_then(|before| before.users.get(&key))
            .filter(|account| account.record == *record && account.user == user);
        let revision = match unchanged {
            Some(account) => account.revision,
            None => {
                self.next_revision += 1;
                self.next_revision
            }
        };
        if !record.mail.is_empty() {
            self.mails.entry(record.mail.to_lowercase()).or_insert_with(|| key.clone());
        }
        let account = Account { user, record: record.clone(), revision };
        let twice = self.user_ids.insert(record.id.clone(), key.clone()).is_some()
            | self.users.insert(key, account).is_some();
        only_once(twice, "user", &record.username)
    }

    /// The account with this name, without regard to case.
    pub(super) fn by_username(&self, username: &str) -> Option<&Account> {
        self.users.get(&username.to_lowercase())
    }

    /// The account with this id.
    pub(super) fn by_id(&self, id: &UserId) -> Option<&Account> {
        self.users.get(self.user_ids.get(id)?)
    }

    /// The account with this mail address, without regard to case; the first of several.
    pub(super) fn by_mail(&self, mail: &str) -> Option<&Account> {
        self.users.get(self.mails.get(&mail.to_lowercase())?)
    }

    /// The group with this id.
    pub(super) fn group_by_id(&self, id: &GroupId) -> Option<&Group> {
        self.groups.get(self.group_ids.get(id)?)
    }

    /// What stands in the file.
    pub(super) fn document(&self) -> Document {
        Document {
            format: FORMAT,
            users: self.users.values().map(|account| account.record.clone()).collect(),
            groups: self.group_order.clone(),
        }
    }
}

fn only_once(twice: bool, kind: &str, name: &str) -> Result<()> {
    if twice {
        return Err(Error::invalid(format!(
            "the name or id of the {kind} '{name}' occurs twice in the directory"
        )));
    }
    Ok(())
}
