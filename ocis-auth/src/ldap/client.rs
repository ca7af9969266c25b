//! Requests to the server: on a connection of the pool, with a time limit, and tried once more when
//! the server had closed the connection meanwhile.

use std::collections::HashSet;
use std::sync::Arc;

use ldap3::controls::{Control, ControlType, PagedResults};
use ldap3::exop::PasswordModify;
use ldap3::{LdapError, Mod, SearchOptions};
use ocis_core::config::Secret;
use ocis_core::{Error, Result};
use tokio::time::timeout;

use super::entry::Entry;
use super::fault::{self, code};
use super::options::{LdapOptions, Scope};
use super::pool::{Lease, Pool, SignedIn};

/// How many entries of a long list come at once.
const PAGE: i32 = 500;

/// Requests to a directory.
#[derive(Debug)]
pub(super) struct Client {
    options: Arc<LdapOptions>,
    requests: Pool,
    sign_ins: Pool,
}

/// What to look for.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) base: String,
    pub(super) scope: Scope,
    pub(super) filter: String,
    pub(super) attributes: Vec<String>,
    /// How many entries are enough; none for all there are.
    pub(super) enough: Option<i32>,
}

/// Something to be done to one entry.
#[derive(Debug)]
pub(super) enum Change {
    /// Makes an entry with these attributes.
    Add(String, Vec<(Vec<u8>, HashSet<Vec<u8>>)>),
    /// Changes attributes of an entry.
    Modify(String, Vec<Mod<Vec<u8>>>),
    /// Gives an entry another name at the same place.
    Rename(String, String),
    /// Removes an entry.
    Remove(String),
    /// Sets a password; the server hashes it.
    Password(String, Secret),
}

impl Client {
    pub(super) fn new(options: Arc<LdapOptions>) -> Self {
        let requests = Pool::new(Arc::clone(&options), SignedIn::AsService);
        let sign_ins = Pool::new(Arc::clone(&options), SignedIn::ByRequest);
        Self { options, requests, sign_ins }
    }

    /// Hands every entry that is found to `each`. A base that is not there holds nothing.
    pub(super) async fn search(
        &self,
        query: &Query,
        mut each: impl FnMut(Entry) + Send,
    ) -> Result<()> {
        let mut lease = self.requests.take().await?;
        let mut begun = false;
        let mut seen = |entry| {
            begun = true;
            each(entry);
        };
        let mut found = self.pages(&mut lease, query, &mut seen).await;
        if let Err(error) = &found
            && lease.is_reused
            && fault::is_lost(error)
            && !begun
        {
            let mut seen = |entry| each(entry);
            lease.renew().await?;
            found = self.pages(&mut lease, query, &mut seen).await;
        }
        settled(lease, found)
    }

    /// The first entry that is found.
    pub(super) async fn first(&self, query: &Query) -> Result<Option<Entry>> {
        let mut first = None;
        self.search(query, |entry| first = first.take().or(Some(entry))).await?;
        Ok(first)
    }

    /// Changes an entry. It is never tried twice, because it may have been done when its answer is
    /// lost; so it goes over a connection that is known to live.
    pub(super) async fn change(&self, change: Change) -> Result<()> {
        let mut lease = self.requests.take().await?;
        if lease.is_reused && self.pages(&mut lease, &Query::nothing(), &mut |_| ()).await.is_err()
        {
            lease.renew().await?;
        }
        let done = self.in_time(apply(lease.ldap(), change)).await;
        settled(lease, done)
    }

    /// Whether `password`, which must not be empty (RFC 4513 section 5.1.2), is that of the entry
    /// called `dn`.
    pub(super) async fn is_password(&self, dn: &str, password: &str) -> Result<bool> {
        if password.is_empty() {
            return Ok(false);
        }
        let mut lease = self.sign_ins.take().await?;
        let mut answer = self.in_time(lease.ldap().simple_bind(dn, password)).await;
        if lease.is_reused && answer.as_ref().is_err_and(fault::is_lost) {
            lease.renew().await?;
            answer = self.in_time(lease.ldap().simple_bind(dn, password)).await;
        }
        let result = answer.map_err(fault::failed)?;
        lease.give_back();
        match result.rc {
            0 => Ok(true),
            // An account without a password, a wrong one, and one that is locked or has expired.
            code::INAPPROPRIATE_AUTHENTICATION
            | code::INVALID_CREDENTIALS
            | code::UNWILLING_TO_PERFORM
            | code::NO_SUCH_OBJECT => Ok(false),
            _ => Err(fault::refused(result)),
        }
    }

    async fn pages(
        &self,
        lease: &mut Lease<'_>,
        query: &Query,
        each: &mut (dyn FnMut(Entry) + Send),
    ) -> Result<(), LdapError> {
        let mut cookie = Vec::new();
        loop {
            cookie = self.in_time(page(lease.ldap(), query, cookie, each)).await?;
            if cookie.is_empty() {
                return Ok(());
            }
        }
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, LdapError>>,
    ) -> Result<T, LdapError> {
        timeout(self.options.limits.operation, work).await?
    }
}

impl Query {
    /// The cheapest question there is.
    fn nothing() -> Self {
        Self {
            base: String::new(),
            scope: Scope::Base,
            filter: "(objectClass=*)".to_owned(),
            attributes: vec!["1.1".to_owned()],
            enough: Some(1),
        }
    }
}

/// Keeps the connection unless it is gone.
fn settled(lease: Lease<'_>, outcome: Result<(), LdapError>) -> Result<()> {
    if !outcome.as_ref().is_err_and(fault::is_lost) {
        lease.give_back();
    }
    outcome.map_err(fault::failed)
}

/// Asks for a page (RFC 2696) and returns where the next one begins; empty after the last.
async fn page(
    ldap: &mut ldap3::Ldap,
    query: &Query,
    cookie: Vec<u8>,
    each: &mut (dyn FnMut(Entry) + Send),
) -> Result<Vec<u8>, LdapError> {
    let scope = match query.scope {
        Scope::Base => ldap3::Scope::Base,
        Scope::One => ldap3::Scope::OneLevel,
        Scope::Sub => ldap3::Scope::Subtree,
    };
    match query.enough {
        Some(enough) => {
            ldap.with_search_options(SearchOptions::new().sizelimit(enough));
        }
        None => {
            ldap.with_controls(PagedResults { size: PAGE, cookie });
        }
    }
    let attributes = query.attributes.as_slice();
    let mut found = ldap.streaming_search(&query.base, scope, &query.filter, attributes).await?;
    while let Some(entry) = found.next().await? {
        // A reference leads to another server, where our account is nobody.
        if entry.is_ref() || entry.is_intermediate() {
            continue;
        }
        match Entry::read(entry) {
            Some(entry) => each(entry),
            None => tracing::warn!("the directory sent an entry that cannot be read"),
        }
    }
    let result = found.finish().await;
    match result.rc {
        0 => Ok(next_page(&result.ctrls)),
        code::NO_SUCH_OBJECT => Ok(Vec::new()),
        code::SIZE_LIMIT_EXCEEDED if query.enough.is_some() => Ok(Vec::new()),
        _ => Err(result.into()),
    }
}

fn next_page(controls: &[Control]) -> Vec<u8> {
    let paged = controls.iter().find_map(|Control(kind, raw)| {
        (matches!(kind, Some(ControlType::PagedResults)) && raw.val.is_some()).then_some(raw)
    });
    paged.map(|raw| raw.parse::<PagedResults>().cookie).unwrap_or_default()
}

async fn apply(ldap: &mut ldap3::Ldap, change: Change) -> Result<(), LdapError> {
    let result = match change {
        Change::Add(dn, attributes) => ldap.add(&dn, attributes).await?,
        Change::Modify(dn, changes) => ldap.modify(&dn, changes).await?,
        Change::Rename(dn, name) => ldap.modifydn(&dn, &name, true, None).await?,
        Change::Remove(dn) => ldap.delete(&dn).await?,
        Change::Password(dn, password) => {
            let request = PasswordModify {
                user_id: Some(&dn),
                old_pass: None,
                new_pass: Some(password.expose()),
            };
            ldap.extended(request).await?.1
        }
    };
    result.success().map(|_| ())
}

/// Nothing in the directory is what was asked for.
pub(super) fn nobody(what: &str) -> Error {
    Error::not_found(format!("there is no such {what}"))
}
