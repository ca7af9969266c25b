//! What stands before every change: the header `If`, the conditions of HTTP, and locks.
//!
//! Conditions of HTTP and submitted lock tokens go to the storage, which checks them in the same
//! step as the change. The header `If` may ask about other resources and is decided here, before
//! (RFC 4918 section 10.4).

use http::StatusCode;
use ocis_core::etag::Etag;
use ocis_core::node::Node;
use ocis_core::port::{Conditions, Stat};
use ocis_core::{Error, ErrorKind};

use crate::error::{Answer, Condition, Failure};
use crate::headers::if_header::{self, List, State};
use crate::headers::{self, conditions};
use crate::route::{self, Route};
use crate::service::Call;
use crate::tree::Target;

/// The most resources that one header may ask about.
const MAX_RESOURCES: usize = 16;

/// What a resource has, as far as `If` can ask.
#[derive(Debug, Default)]
struct Facts {
    etag: Option<Etag>,
    tokens: Vec<String>,
}

/// Decides the header `If` (412 when it does not hold) and gathers what the storage must check.
pub(crate) async fn check(call: &Call) -> Answer<Conditions> {
    let mut conditions = conditions::for_change(&call.headers)?;
    // Where clients of oCIS put the token, also for other methods than UNLOCK.
    conditions.lock_tokens.extend(headers::lock_token(&call.headers)?);
    let Some(text) = headers::text(&call.headers, &headers::IF)? else { return Ok(conditions) };
    let lists = if_header::parse(text)?;
    if !holds(call, &lists).await? {
        return Err(Failure::precondition("the header If does not hold"));
    }
    // A token is submitted by being in the header, whether its list holds or not (10.4.1).
    for condition in lists.iter().flat_map(|list| &list.conditions) {
        if let State::Token(token) = &condition.state
            && !conditions.lock_tokens.contains(token)
        {
            conditions.lock_tokens.push(token.clone());
        }
    }
    Ok(conditions)
}

async fn holds(call: &Call, lists: &[List]) -> Answer<bool> {
    let mut known: Vec<(Option<&str>, Facts)> = Vec::new();
    for list in lists {
        let resource = list.resource.as_deref();
        let at = known.iter().position(|(name, _)| *name == resource);
        if at.is_none() {
            if known.len() >= MAX_RESOURCES {
                return Err(Failure::bad_request("the header If names too many resources"));
            }
            let facts = match resource {
                None => facts(call, &call.target).await?,
                Some(url) => tagged(call, url).await?,
            };
            known.push((resource, facts));
        }
        let facts = known.get(at.unwrap_or(known.len() - 1)).map(|(_, facts)| facts);
        if facts.is_some_and(|facts| list.conditions.iter().all(|one| matches(one, facts))) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn matches(condition: &if_header::Condition, facts: &Facts) -> bool {
    let has = match &condition.state {
        State::Token(token) => facts.tokens.contains(token),
        State::Etag(etag) => facts.etag.as_ref() == Some(etag),
    };
    has != condition.not
}

/// The facts of a resource that the header names. What is not on this server, or not a file, has
/// no state.
async fn tagged(call: &Call, url: &str) -> Answer<Facts> {
    match resolve(call, url).await {
        Ok(Some(target)) => facts(call, &target).await,
        Ok(None) => Ok(Facts::default()),
        Err(failure) if failure.status == StatusCode::NOT_FOUND => Ok(Facts::default()),
        Err(failure) => Err(failure),
    }
}

/// What a URL in a header stands for; none when it is another server's.
pub(crate) async fn resolve(call: &Call, url: &str) -> Answer<Option<Target>> {
    let (authority, path) = route::split_url(url)?;
    if !authority.is_empty() && !is_here(call, authority) {
        return Ok(None);
    }
    match route::parse(path)? {
        Route::Node(place) => Target::find(&call.server, &call.cx, place).await.map(Some),
        _ => Err(Error::not_found("no such file or folder").into()),
    }
}

fn is_here(call: &Call, authority: &str) -> bool {
    let public = call.server.parts.options.url.split_once("://").map_or("", |(_, host)| host);
    let public = public.split('/').next().unwrap_or_default();
    route::same_host(authority, &call.host) || route::same_host(authority, public)
}

async fn facts(call: &Call, target: &Target) -> Answer<Facts> {
    let mut at = target.clone();
    loop {
        let request = Stat { target: at.reference() };
        match call.nodes().stat(call.cx(), request).await {
            Ok(node) if at.path == target.path => {
                let tokens = node.locks.iter().map(|active| active.lock.token.clone()).collect();
                return Ok(Facts { etag: Some(node.info.etag.clone()), tokens });
            }
            // Nothing is at the URL yet, but a deep lock above covers it.
            Ok(node) => {
                let deep = node.locks.iter().filter(|active| active.lock.deep);
                let tokens = deep.map(|active| active.lock.token.clone()).collect();
                return Ok(Facts { etag: None, tokens });
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict) => {
                match at.parent() {
                    Some(parent) => at = parent,
                    None => return Ok(Facts::default()),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The failure of an error of a port; for a lock in the way, with the place where it was taken.
pub(crate) async fn explain(call: &Call, target: &Target, error: Error) -> Failure {
    if error.kind() != ErrorKind::Locked {
        return error.into();
    }
    let url = lock_root(call, target).await.unwrap_or_else(|| target.url(false));
    Failure::from(error).with(Condition::At("lock-token-submitted", url))
}

/// The decoded path of the URL where a lock that covers `target` was taken.
pub(crate) async fn lock_root(call: &Call, target: &Target) -> Option<String> {
    let mut at = Some(target.clone());
    while let Some(place) = at {
        let request = Stat { target: place.reference() };
        let node: Option<Node> = call.nodes().stat(call.cx(), request).await.ok();
        if let Some(node) = node {
            return node.locks.first().map(|lock| place.links(&node).lock_root(lock));
        }
        at = place.parent();
    }
    None
}
