//! The roles of accounts as the port [`Roles`], as oCIS's settings service keeps them: one document
//! `settings/accounts/<account>/<assignment>` for each.
//!
//! Every request asks for the role of its caller, so what was read is remembered. This is the only
//! part of the server that writes these documents, and it remembers a change before it answers it:
//! a role that was given or taken back counts for the next request.

mod record;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use moka::sync::Cache;
use ocis_core::id::UserId;
use ocis_core::port::{
    AssignRole, DocumentKey, KeyValue, PutDocument, RoleAssignment, Roles, UnassignRole,
};
use ocis_core::role::RolePermission;
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, Error, Result};
use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;

pub use self::record::SETTINGS_SPACE;
use self::record::{Record, folder, path};
use crate::directory::DEMO_ROLES;

/// For how many accounts it is remembered which role they have; for others it is read again.
const REMEMBERED: u64 = 100_000;

/// Which roles accounts have from the start.
#[derive(Debug, Clone, Default)]
pub struct DefaultRoles {
    /// Has the role `admin` at every start, whatever happened before (`OCIS_ADMIN_USER_ID`).
    pub admin: Option<UserId>,
    /// Whether the demo accounts get their roles, unless they have one
    /// (`SETTINGS_SETUP_DEFAULT_ASSIGNMENTS`, `IDM_CREATE_DEMO_USERS`).
    pub demo: bool,
}

/// The roles of accounts.
pub struct RoleStore {
    documents: Arc<dyn KeyValue>,
    defaults: DefaultRoles,
    known: Cache<UserId, Option<RoleAssignment>>,
    /// Held while something is read or changed that is not remembered: what is remembered is then
    /// never older than the documents.
    turn: Mutex<()>,
    is_set_up: OnceCell<()>,
}

impl std::fmt::Debug for RoleStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoleStore").field("defaults", &self.defaults).finish_non_exhaustive()
    }
}

impl RoleStore {
    /// The roles in `documents`. `defaults` are given before the first question is answered.
    pub fn new(documents: Arc<dyn KeyValue>, defaults: DefaultRoles) -> Self {
        let known = Cache::new(REMEMBERED);
        Self { documents, defaults, known, turn: Mutex::default(), is_set_up: OnceCell::new() }
    }

    /// Gives the default roles, unless that was done. Every question does it first.
    pub async fn set_up(&self, cx: &Cx) -> Result<()> {
        self.is_set_up.get_or_try_init(|| self.give_defaults(cx)).await.copied()
    }

    async fn give_defaults(&self, cx: &Cx) -> Result<()> {
        let _turn = self.turn.lock().await;
        let cx = &own(cx);
        if self.defaults.demo {
            for (user, role) in DEMO_ROLES {
                let user = UserId::parse(user)?;
                if self.read(cx, &user).await?.is_empty() {
                    self.write(cx, AssignRole { user, role }).await?;
                }
            }
        }
        if let Some(user) = self.defaults.admin.clone() {
            let role = UserRole::Admin;
            let there = self.read(cx, &user).await?;
            if !there.iter().any(|record| record.role_id == role.id()) {
                self.write(cx, AssignRole { user, role }).await?;
            }
        }
        Ok(())
    }

    /// The assignment of an account, remembered or read.
    async fn current(&self, cx: &Cx, user: &UserId) -> Result<Option<RoleAssignment>> {
        self.set_up(cx).await?;
        if let Some(known) = self.known.get(user) {
            return Ok(known);
        }
        let _turn = self.turn.lock().await;
        self.current_in_turn(&own(cx), user).await
    }

    /// The same for who holds the turn.
    async fn current_in_turn(&self, cx: &Cx, user: &UserId) -> Result<Option<RoleAssignment>> {
        if let Some(known) = self.known.get(user) {
            return Ok(known);
        }
        let records = self.read(cx, user).await?;
        let assignment = mightiest(user, records)?;
        self.known.insert(user.clone(), assignment.clone());
        Ok(assignment)
    }

    /// The records of an account; more than one only where oCIS left them so.
    async fn read(&self, cx: &Cx, user: &UserId) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        for id in self.documents.names(cx, key(folder(user))).await? {
            if let Some(document) = self.documents.get(cx, key(path(user, &id))).await? {
                records.push(Record::read(&document.content)?);
            }
        }
        Ok(records)
    }

    /// Gives a role in one step: the document that is there is replaced, and keeps its id.
    async fn write(
        &self,
        cx: &Cx,
        AssignRole { user, role }: AssignRole,
    ) -> Result<RoleAssignment> {
        let mut ids = self.documents.names(cx, key(folder(&user))).await?.into_iter();
        let id = ids.next().unwrap_or_else(|| Uuid::new_v4().to_string());
        let assignment = RoleAssignment { id, user, role };
        let put = PutDocument {
            key: key(path(&assignment.user, &assignment.id)),
            content: Record::of(&assignment).written()?,
            condition: ocis_core::port::DocumentCondition::None,
        };
        // Whatever comes of it: what is remembered is not right any more.
        self.known.invalidate(&assignment.user);
        self.documents.put(cx, put).await?;
        for other in ids {
            self.documents.remove(cx, key(path(&assignment.user, &other))).await?;
        }
        self.known.insert(assignment.user.clone(), Some(assignment.clone()));
        Ok(assignment)
    }
}

/// The documents belong to this part of the server, whoever asks.
fn own(cx: &Cx) -> Cx {
    Cx { caller: Caller::Service("settings".into()), ..cx.clone() }
}

fn key(path: String) -> DocumentKey {
    DocumentKey { space: SETTINGS_SPACE.to_owned(), path }
}

/// The assignment that counts. An account whose only role is one that this server does not know is
/// refused, and not taken for one without a role.
fn mightiest(user: &UserId, records: Vec<Record>) -> Result<Option<RoleAssignment>> {
    let known = |role: UserRole| records.iter().find(|record| record.role_id == role.id());
    let found = UserRole::ALL.into_iter().find_map(|role| Some((role, known(role)?)));
    match (found, records.first()) {
        (Some((role, record)), _) => {
            Ok(Some(RoleAssignment { id: record.id.clone(), user: user.clone(), role }))
        }
        (None, None) => Ok(None),
        (None, Some(record)) => Err(Error::internal("an account has a role that is not known")
            .with("user", user)
            .with("role", &record.role_id)),
    }
}

/// [`ocis_core::ErrorKind::PermissionDenied`] when somebody would change the own role.
fn not_the_own(caller: &Caller, user: &UserId) -> Result<()> {
    match caller {
        Caller::User(identity) if identity.id == *user => {
            Err(Error::denied("nobody can change the own role"))
        }
        _ => Ok(()),
    }
}

#[async_trait]
impl Roles for RoleStore {
    async fn assigned(&self, cx: &Cx, user: UserId) -> Result<Option<RoleAssignment>> {
        if !matches!(&cx.caller, Caller::User(identity) if identity.id == user) {
            cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
        }
        self.current(cx, &user).await
    }

    async fn holders(&self, cx: &Cx, role: UserRole) -> Result<Vec<RoleAssignment>> {
        cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
        self.set_up(cx).await?;
        let cx = &own(cx);
        let mut holders = Vec::new();
        for name in self.documents.names(cx, key(folder_of_all())).await? {
            let Ok(user) = UserId::parse(&name) else { continue };
            let records = self.read(cx, &user).await?;
            match mightiest(&user, records) {
                Ok(Some(assignment)) if assignment.role == role => holders.push(assignment),
                Ok(_) => {}
                // One account must not hide the others.
                Err(error) => tracing::warn!(?error, "left out of a listing"),
            }
        }
        Ok(holders)
    }

    async fn assign(&self, cx: &Cx, request: AssignRole) -> Result<RoleAssignment> {
        cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
        not_the_own(&cx.caller, &request.user)?;
        self.set_up(cx).await?;
        let _turn = self.turn.lock().await;
        self.write(&own(cx), request).await
    }

    async fn ensure(&self, cx: &Cx, request: AssignRole) -> Result<RoleAssignment> {
        cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
        if let Some(assignment) = self.current(cx, &request.user).await? {
            return Ok(assignment);
        }
        not_the_own(&cx.caller, &request.user)?;
        let _turn = self.turn.lock().await;
        let cx = &own(cx);
        match self.current_in_turn(cx, &request.user).await? {
            Some(assignment) => Ok(assignment),
            None => self.write(cx, request).await,
        }
    }

    async fn unassign(&self, cx: &Cx, request: UnassignRole) -> Result<()> {
        cx.caller.require(&RolePermission::ROLES_READ_WRITE)?;
        not_the_own(&cx.caller, &request.user)?;
        self.set_up(cx).await?;
        let _turn = self.turn.lock().await;
        let (cx, user) = (&own(cx), request.user);
        let records = self.read(cx, &user).await?;
        if !records.iter().any(|record| record.id == request.assignment) {
            return Err(Error::not_found("there is no such assignment"));
        }
        self.known.invalidate(&user);
        // All of them, as oCIS does: an account has one role at most.
        self.documents.remove(cx, key(folder(&user))).await
    }
}

fn folder_of_all() -> String {
    record::ACCOUNTS.to_owned()
}
