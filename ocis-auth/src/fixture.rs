//! Accounts in memory that tests can change.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ocis_core::id::UserId;
use ocis_core::port::{FindUser, ListUsers, Page, Users};
use ocis_core::time::Timestamp;
use ocis_core::user::{User, UserRole, UserType};
use ocis_core::{Caller, Cx, Error, Identity, Result};
use parking_lot::Mutex;

pub(crate) const IDP: &str = "https://localhost:9200";

/// Seconds after some moment.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(1_700_000_000, 0).unwrap().plus(Duration::from_secs(seconds))
}

/// Nobody yet, at that time.
pub(crate) fn outside(seconds: u64) -> Cx {
    Cx::new(Caller::Anonymous, at(seconds))
}

/// `marie`, `moss` and the administrator `admin`, whose ids are `id-` and the name.
pub(crate) struct Accounts(pub(crate) Mutex<Vec<User>>);

impl Default for Accounts {
    fn default() -> Self {
        let user = |name: &str| User {
            id: UserId::parse(&format!("id-{name}")).unwrap(),
            username: name.into(),
            display_name: name.into(),
            given_name: String::new(),
            surname: String::new(),
            mail: String::new(),
            groups: Vec::new(),
            enabled: true,
            user_type: UserType::Member,
            identities: Vec::new(),
            password_version: String::new(),
        };
        Self(Mutex::new(["marie", "moss", "admin"].map(user).into()))
    }
}

impl Accounts {
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut User)) {
        let mut all = self.0.lock();
        change(all.iter_mut().find(|user| user.username == name).unwrap());
    }

    /// The account `name`, signed in at that time.
    pub(crate) fn signed_in(&self, name: &str, seconds: u64) -> Cx {
        let user = self.0.lock().iter().find(|user| user.username == name).cloned().unwrap();
        let mut identity: Identity = crate::identity::of(user, &IDP.into());
        if name == "admin" {
            identity.role = UserRole::Admin;
        }
        Cx::new(Caller::User(Arc::new(identity)), at(seconds))
    }
}

#[async_trait]
impl Users for Accounts {
    async fn find(&self, cx: &Cx, request: FindUser) -> Result<User> {
        assert!(matches!(cx.caller, Caller::Service(_)), "{:?}", cx.caller);
        let all = self.0.lock();
        let found = all.iter().find(|user| match &request {
            FindUser::Id(id) => user.id == *id,
            FindUser::Username(name) => user.username == name.to_lowercase(),
            FindUser::Mail(mail) => user.mail == *mail,
        });
        found.cloned().ok_or_else(|| Error::not_found("there is no such user"))
    }

    async fn list(&self, _: &Cx, _: ListUsers) -> Result<Page<User>> {
        Err(Error::unimplemented("not in this fake"))
    }
}
