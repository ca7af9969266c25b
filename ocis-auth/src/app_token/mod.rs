//! App tokens: passwords for programs, which their owner can revoke one by one.
//!
//! [`AppTokens`] makes, lists and revokes them (the port of the same name) and lets programs sign in
//! with them (the port [`Authenticate`]). They are kept through [`KeyValue`] (`document`); a hash is
//! all that is kept of a token (`token`). Those of oCIS 7 are taken over (`takeover`).
//!
//! What was verified is remembered under a keyed hash, so a request costs a look-up and a question
//! for the account as it is now: whoever was disabled is out at once, and so is a token that was
//! revoked or has expired.

mod document;
mod takeover;
mod token;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use ocis_core::config::Secret;
use ocis_core::id::UserId;
use ocis_core::port::{
    AppToken, AppTokens as Port, Authenticate, CreateAppToken, Credentials, DocumentCondition,
    FindUser, KeyValue, ListAppTokens, NewAppToken, PutDocument, RevokeAppToken, Users,
};
use ocis_core::role::RolePermission;
use ocis_core::time::Timestamp;
use ocis_core::user::User;
use ocis_core::{Caller, Cx, Error, ErrorKind, Identity, Result};
use tokio::sync::OnceCell;

use self::document::{Record, Tokens};
use crate::digest::{self, Digest};
use crate::identity;
use crate::throttle::{self, Throttle};
use crate::turns::Turns;

/// How often a change is tried again when somebody else changed the document meanwhile.
const TRIES: usize = 5;
/// The longest label in bytes.
const LONGEST_LABEL: usize = 1000;
/// How many people's slow hashes are verified at once, and how many may wait for that.
const SLOW_AT_ONCE: (usize, usize) = (2, 64);

/// How [`AppTokens`] behaves.
#[derive(Debug, Clone)]
pub struct AppTokenOptions {
    /// The issuer named in identities: `OCIS_URL`.
    pub idp: Arc<str>,
    /// Whether who may change accounts may make tokens for others
    /// (`AUTH_APP_ENABLE_IMPERSONATION`).
    pub impersonation: bool,
    /// How many tokens an account may have that are not expired.
    pub most: usize,
    /// How many verified tokens are remembered.
    pub capacity: u64,
    /// The file of oCIS's app tokens, which are taken over once.
    pub takes_over: Option<PathBuf>,
}

impl AppTokenOptions {
    /// The defaults: no impersonation, 500 tokens for each account, 10,000 remembered.
    pub fn new(idp: impl Into<Arc<str>>) -> Self {
        let idp = idp.into();
        Self { idp, impersonation: false, most: 500, capacity: 10_000, takes_over: None }
    }
}

/// The app tokens of all accounts.
pub struct AppTokens {
    store: Arc<dyn KeyValue>,
    users: Arc<dyn Users>,
    options: AppTokenOptions,
    throttle: Arc<Throttle>,
    secret: hmac::Key,
    memory: moka::sync::Cache<Digest, Verified>,
    /// Changes when a token is revoked; what was verified before is verified again then.
    revision: AtomicU64,
    /// The account and the hash that stand for those that there are not.
    decoy: (UserId, String),
    has_taken_over: OnceCell<()>,
    turns: Turns,
}

/// What somebody presented, by its form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form<'a> {
    /// A token of ours, with its name.
    Ours(&'a str),
    /// A token of oCIS, which has none.
    OfOcis,
}

impl<'a> Form<'a> {
    fn of(token: &'a str) -> Option<Self> {
        let of_ocis = || takeover::has_form(token).then_some(Self::OfOcis);
        token::name(token).map(Self::Ours).or_else(of_ocis)
    }
}

/// A token that was right.
#[derive(Clone)]
struct Verified {
    user: UserId,
    /// In seconds since 1970; 0 for never.
    ends: i64,
    revision: u64,
}

impl AppTokens {
    /// Tokens in `store` of the accounts in `users`. Failures are counted by `throttle`.
    /// [`ErrorKind::Internal`] when the system gives no random numbers.
    pub fn new(
        store: Arc<dyn KeyValue>,
        users: Arc<dyn Users>,
        throttle: Arc<Throttle>,
        options: AppTokenOptions,
    ) -> Result<Self> {
        Ok(Self {
            store,
            users,
            throttle,
            secret: digest::random_key()?,
            memory: moka::sync::Cache::new(options.capacity),
            revision: AtomicU64::new(0),
            decoy: (UserId::random(), token::make()?.1),
            has_taken_over: OnceCell::new(),
            turns: Turns::new(SLOW_AT_ONCE.0, SLOW_AT_ONCE.1),
            options,
        })
    }

    async fn sign_in(
        &self,
        cx: &Cx,
        username: &str,
        token: &str,
        peer: Option<IpAddr>,
    ) -> Result<Arc<Identity>> {
        // What has not the form of a token is a password, and for others to judge and to count.
        let form = Form::of(token).ok_or_else(refused)?;
        let own = own_account(cx);
        let key = digest::of(&self.secret, [username.as_bytes(), token.as_bytes()]);
        let revision = self.revision.load(Ordering::Acquire);
        if let Some(verified) = self.memory.get(&key)
            && verified.revision == revision
            && (verified.ends == 0 || cx.now.unix_seconds() < verified.ends)
        {
            return self.still(&own, verified.user, username).await;
        }
        // A password may look like a token of oCIS; then it is for others as well.
        if form == Form::OfOcis && !self.has_tokens_of_ocis(&own, username).await? {
            return Err(refused());
        }
        let (account, peer) = (self.throttle.account(username), peer.map(throttle::network));
        self.throttle.begin(&account, &key, peer, cx.now)?;
        match self.check(&own, username, form, token).await {
            Ok(Some((user, ends))) => {
                self.throttle.succeeded(&account, peer);
                self.memory.insert(key, Verified { user: user.id.clone(), ends, revision });
                Ok(Arc::new(identity::of(user, &self.options.idp)))
            }
            Ok(None) => {
                self.throttle.failed(peer, cx.now);
                tracing::info!(user = username, ?peer, "app token refused");
                Err(refused())
            }
            Err(error) => {
                self.throttle.undo(&account, peer, cx.now);
                Err(error)
            }
        }
    }

    /// The account of a token that was verified before, as it is now.
    async fn still(&self, cx: &Cx, user: UserId, username: &str) -> Result<Arc<Identity>> {
        match self.users.find(cx, FindUser::Id(user)).await {
            Ok(user) if user.enabled && same_name(&user.username, username) => {
                Ok(Arc::new(identity::of(user, &self.options.idp)))
            }
            Ok(_) => Err(refused()),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(refused()),
            Err(error) => Err(error),
        }
    }

    /// The account that `token` is of, and when the token ends. Does the same work whether or not
    /// there are such an account and such a token.
    async fn check(
        &self,
        cx: &Cx,
        username: &str,
        form: Form<'_>,
        token: &str,
    ) -> Result<Option<(User, i64)>> {
        let user = self.user(cx, username).await?;
        let (nobody, no_hash) = &self.decoy;
        let (tokens, _) = self.read(cx, user.as_ref().map_or(nobody, |user| &user.id)).await?;
        let good = match form {
            Form::Ours(name) => {
                let record = tokens.0.get(name);
                let right = token::is_hash_of(token, record.map_or(no_hash, Record::hash));
                record.cloned().filter(|record| right && !record.is_expired(cx.now))
            }
            Form::OfOcis => self.of_ocis(tokens, token, cx.now).await?,
        };
        let enabled = user.filter(|user| user.enabled);
        Ok(enabled.zip(good).map(|(user, record)| (user, record.ends())))
    }

    async fn user(&self, cx: &Cx, username: &str) -> Result<Option<User>> {
        match self.users.find(cx, FindUser::Username(username.to_owned())).await {
            Ok(user) => Ok(Some(user)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the account has tokens that were taken over.
    async fn has_tokens_of_ocis(&self, cx: &Cx, username: &str) -> Result<bool> {
        let Some(user) = self.user(cx, username).await? else { return Ok(false) };
        let (tokens, _) = self.read(cx, &user.id).await?;
        Ok(tokens.0.values().any(|record| takeover::is_of_ocis(record.hash())))
    }

    /// The record of a token that was taken over.
    async fn of_ocis(&self, tokens: Tokens, token: &str, now: Timestamp) -> Result<Option<Record>> {
        let token = Secret::new(token);
        let good = move |record: &Record| {
            takeover::is_of_ocis(record.hash())
                && !record.is_expired(now)
                && takeover::is_hash_of(token.expose(), record.hash())
        };
        self.turns.take(move || Ok(tokens.0.into_values().find(good))).await
    }

    /// Takes the tokens of oCIS over, unless that was done. What cannot be read is left alone, and
    /// looked at again when the service starts again.
    async fn take_over(&self, cx: &Cx) -> Result<()> {
        let Some(path) = &self.options.takes_over else { return Ok(()) };
        if self.store.get(cx, document::taken_over()).await?.is_some() {
            return Ok(());
        }
        let file = path.clone();
        let found = tokio::task::spawn_blocking(move || takeover::read(&file)).await;
        let found = found.map_err(|error| Error::internal("taking over broke off").because(error));
        let found = match found.flatten() {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::error!(%error, "nobody can sign in with an app token of oCIS");
                return Ok(());
            }
        };
        let mut count = 0;
        for (user, records) in found {
            count += records.len();
            self.edit(cx, &user, |tokens| {
                for (name, record) in &records {
                    tokens.0.entry(name.clone()).or_insert_with(|| record.clone());
                }
                Ok(())
            })
            .await?;
        }
        let (key, condition) = (document::taken_over(), DocumentCondition::None);
        self.store.put(cx, PutDocument { key, content: Vec::new(), condition }).await?;
        tracing::info!(count, file = %path.display(), "app tokens of oCIS taken over");
        Ok(())
    }

    async fn read(&self, cx: &Cx, user: &UserId) -> Result<(Tokens, DocumentCondition)> {
        self.has_taken_over.get_or_try_init(|| self.take_over(cx)).await?;
        self.document(cx, user).await
    }

    async fn document(&self, cx: &Cx, user: &UserId) -> Result<(Tokens, DocumentCondition)> {
        match self.store.get(cx, document::key(user)).await? {
            Some(document) => {
                let tokens = Tokens::read(&document.content)?;
                Ok((tokens, DocumentCondition::Is(document.etag)))
            }
            None => Ok((Tokens::default(), DocumentCondition::Absent)),
        }
    }

    /// Changes the tokens of an account.
    async fn change(
        &self,
        cx: &Cx,
        user: &UserId,
        change: impl Fn(&mut Tokens) -> Result<()> + Send + Sync,
    ) -> Result<()> {
        self.has_taken_over.get_or_try_init(|| self.take_over(cx)).await?;
        self.edit(cx, user, change).await
    }

    async fn edit(
        &self,
        cx: &Cx,
        user: &UserId,
        change: impl Fn(&mut Tokens) -> Result<()> + Send + Sync,
    ) -> Result<()> {
        for _ in 0..TRIES {
            let (mut tokens, condition) = self.document(cx, user).await?;
            change(&mut tokens)?;
            let key = document::key(user);
            let request = PutDocument { key, content: tokens.written()?, condition };
            match self.store.put(cx, request).await {
                Err(error) if error.kind() == ErrorKind::PreconditionFailed => {}
                done => return done.map(drop),
            }
        }
        Err(Error::unavailable("the app tokens are being changed by others, try again"))
    }

    /// Whose token is to be made: id and name.
    async fn owner(&self, cx: &Cx, request: &CreateAppToken) -> Result<(UserId, String)> {
        if request.user.is_none() && request.username.is_none() {
            let identity = cx.caller.identity()?;
            return Ok((identity.id.clone(), identity.username.clone()));
        }
        if !matches!(cx.caller, Caller::Service(_)) {
            if !self.options.impersonation {
                return Err(Error::denied("impersonation is not allowed"));
            }
            cx.caller.require(&RolePermission::ACCOUNTS_READ_WRITE)?;
        }
        let which = match (&request.user, &request.username) {
            (Some(id), _) => FindUser::Id(id.clone()),
            (None, name) => FindUser::Username(name.clone().unwrap_or_default()),
        };
        let user = self.users.find(&own_account(cx), which).await?;
        match &request.username {
            Some(name) if !same_name(&user.username, name) => {
                Err(Error::invalid("the id and the name are not those of one account"))
            }
            _ => Ok((user.id, user.username)),
        }
    }
}

#[async_trait]
impl Port for AppTokens {
    async fn create(&self, cx: &Cx, request: CreateAppToken) -> Result<NewAppToken> {
        let (user, username) = self.owner(cx, &request).await?;
        if request.expires <= cx.now {
            return Err(Error::invalid("the token would have expired already"));
        }
        if request.label.len() > LONGEST_LABEL {
            return Err(Error::invalid(format!("a label has at most {LONGEST_LABEL} bytes")));
        }
        let (secret, hash) = token::make()?;
        let name = token::name(secret.expose()).unwrap_or_default().to_owned();
        let times = [cx.now, request.expires];
        let record = Record::new(hash, request.label, times, (&user, &self.options.idp));
        self.change(&own_account(cx), &user, |tokens| {
            // Expired ones are of no use but to be looked at, and that until there is a new one.
            tokens.0.retain(|_, record| !record.is_expired(cx.now));
            if tokens.0.len() >= self.options.most {
                let most = self.options.most;
                let sentence = format!("an account has at most {most} app tokens, revoke some");
                return Err(Error::new(ErrorKind::ResourceExhausted, sentence));
            }
            tokens.0.insert(name.clone(), record.clone());
            Ok(())
        })
        .await?;
        tracing::info!(user = username, "app token made");
        Ok(NewAppToken { token: secret, username, kept: record.shown()? })
    }

    async fn list(&self, cx: &Cx, _: ListAppTokens) -> Result<Vec<AppToken>> {
        let user = &cx.caller.identity()?.id;
        let (tokens, _) = self.read(&own_account(cx), user).await?;
        let mut all = tokens.0.values().map(Record::shown).collect::<Result<Vec<_>>>()?;
        all.sort_by_key(|token| token.created);
        Ok(all)
    }

    async fn revoke(&self, cx: &Cx, request: RevokeAppToken) -> Result<()> {
        let identity = cx.caller.identity()?;
        let given = &request.token;
        self.change(&own_account(cx), &identity.id, |tokens| {
            let before = tokens.0.len();
            tokens.0.retain(|name, record| !is_meant(given, name, record));
            match tokens.0.len() < before {
                true => Ok(()),
                false => Err(Error::not_found("you have no such app token")),
            }
        })
        .await?;
        self.revision.fetch_add(1, Ordering::Release);
        tracing::info!(user = identity.username, "app token revoked");
        Ok(())
    }
}

#[async_trait]
impl Authenticate for AppTokens {
    async fn authenticate(&self, cx: &Cx, request: Credentials) -> Result<Arc<Identity>> {
        match request {
            Credentials::AppToken { username, token, peer } => {
                self.sign_in(cx, &username, token.expose(), peer).await
            }
            _ => Err(Error::unimplemented("only app tokens are understood here")),
        }
    }
}

impl fmt::Debug for AppTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppTokens").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Whether `given` is the hash of a record, or the token itself.
fn is_meant(given: &Secret, name: &str, record: &Record) -> bool {
    let (given, hash) = (given.expose(), record.hash());
    verify_slices_are_equal(given.as_bytes(), hash.as_bytes()).is_ok()
        || (token::name(given) == Some(name) && token::is_hash_of(given, hash))
}

/// This part of the server asks on its own account, for somebody.
fn own_account(cx: &Cx) -> Cx {
    Cx { caller: Caller::Service("auth-app".into()), ..cx.clone() }
}

fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// The same for a wrong token, an unknown account and a disabled one.
fn refused() -> Error {
    Error::unauthenticated("user name or app token is wrong")
}

#[cfg(test)]
mod tests;
