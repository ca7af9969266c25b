//! LOCK (RFC 4918 section 9.10): takes a lock, or moves the end of one.

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use ocis_core::ErrorKind;
use ocis_core::data::{Body, full};
use ocis_core::lock::ActiveLock;
use ocis_core::port::{LockNode, RefreshLock, Stat};
use ocis_core::time::Timestamp;

use crate::error::{Answer, Condition, Failure};
use crate::headers::{self, Depth, timeout};
use crate::props;
use crate::service::{Call, value};
use crate::tree::Links;
use crate::verb::{body, guard, options};
use crate::xml::lockinfo::{self, LockInfo};
use crate::xml::write;

/// Locks a file or folder; an empty file is made where nothing is.
pub(crate) async fn lock(call: &Call, content: Body) -> Answer {
    let wish = timeout::parse(headers::text(&call.headers, &headers::TIMEOUT)?)?;
    let expires = expires(call, wish);
    match lockinfo::read(&body::xml(content).await?)? {
        Some(info) => take(call, info, expires).await,
        None => refresh(call, expires).await,
    }
}

async fn take(call: &Call, info: LockInfo, expires: Option<Timestamp>) -> Answer {
    let deep = match headers::depth(&call.headers, Depth::Infinity)? {
        Depth::Zero => false,
        Depth::One => return Err(Failure::bad_request("the depth must be 0 or infinity")),
        Depth::Infinity => true,
    };
    let conditions = guard::check(call).await?;
    let request = LockNode {
        target: call.target.reference(),
        scope: info.scope,
        deep,
        owner: info.owner,
        app_name: String::new(),
        expires,
        create: true,
        conditions,
    };
    let locked = match call.nodes().lock(call.cx(), request).await {
        Ok(locked) => locked,
        Err(error) if error.kind() == ErrorKind::Locked => {
            let url = guard::lock_root(call, &call.target).await;
            let url = url.unwrap_or_else(|| call.target.url(false));
            return Err(Failure::from(error).with(Condition::At("no-conflicting-lock", url)));
        }
        Err(error) => return Err(error.into()),
    };
    let links = call.target.links(&locked.node);
    let mut response = described(call, &locked.lock, &links);
    if locked.created {
        *response.status_mut() = StatusCode::CREATED;
    }
    let token = value(&format!("<{}>", locked.lock.lock.token));
    response.headers_mut().insert(headers::LOCK_TOKEN, token);
    Ok(response)
}

/// Moves the end of the lock whose token is the only one that the header `If` submits.
async fn refresh(call: &Call, expires: Option<Timestamp>) -> Answer {
    let conditions = guard::check(call).await?;
    let [token] = conditions.lock_tokens.as_slice() else {
        return Err(Failure::bad_request(
            "a request without a body must name one lock in the header If",
        ));
    };
    let target = call.target.reference();
    let node = call.nodes().stat(call.cx(), Stat { target: target.clone() }).await?;
    let request = RefreshLock { target, token: token.clone(), expires };
    let lock = call.nodes().refresh_lock(call.cx(), request).await?;
    Ok(described(call, &lock, &call.target.links(&node)))
}

fn expires(call: &Call, wish: Option<Duration>) -> Option<Timestamp> {
    let longest = call.server.parts.options.max_lock_timeout;
    let duration = match (wish, longest) {
        (Some(wish), Some(longest)) => Some(wish.min(longest)),
        (wish, longest) => wish.or(longest),
    };
    duration.map(|duration| call.cx.now.plus(duration))
}

fn described(call: &Call, lock: &ActiveLock, links: &Links) -> Response<Body> {
    let mut out = Vec::with_capacity(1024);
    write::raw(
        &mut out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <d:prop xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:lockdiscovery>",
    );
    props::discovery(&mut out, std::slice::from_ref(lock), links, call.cx());
    write::raw(&mut out, "</d:lockdiscovery></d:prop>");
    let mut response = Response::new(full(out));
    let headers = response.headers_mut();
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"));
    headers.insert(headers::DAV, HeaderValue::from_static(options::CLASSES));
    response
}
