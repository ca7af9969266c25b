//! `lockdiscovery` and `supportedlock` (RFC 4918 sections 15.8 and 15.10).

use ocis_core::Cx;
use ocis_core::lock::{ActiveLock, Lock, LockScope};

use crate::tree::Links;
use crate::xml::{value, write};

/// The inside of `supportedlock`.
pub(crate) const SUPPORTED: &str = "<d:lockentry><d:lockscope><d:exclusive/></d:lockscope>\
    <d:locktype><d:write/></d:locktype></d:lockentry>\
    <d:lockentry><d:lockscope><d:shared/></d:lockscope>\
    <d:locktype><d:write/></d:locktype></d:lockentry>";

/// Appends the inside of `lockdiscovery`.
pub(crate) fn discovery(out: &mut Vec<u8>, locks: &[ActiveLock], links: &Links, cx: &Cx) {
    for active in locks {
        let lock = &active.lock;
        write::raw(out, "<d:activelock><d:locktype><d:write/></d:locktype><d:lockscope>");
        write::raw(
            out,
            match lock.scope {
                LockScope::Exclusive => "<d:exclusive/>",
                LockScope::Shared => "<d:shared/>",
            },
        );
        write::raw(out, "</d:lockscope><d:depth>");
        write::raw(out, if lock.deep { "infinity" } else { "0" });
        write::raw(out, "</d:depth>");
        if let Some(owner) = &lock.owner {
            write::raw(out, "<d:owner>");
            value::write(out, owner);
            write::raw(out, "</d:owner>");
        }
        holder(out, lock);
        write::raw(out, "<d:timeout>");
        match lock.expires {
            Some(end) => {
                let left = end.unix_seconds().saturating_sub(cx.now.unix_seconds());
                write::raw(out, "Second-");
                write::number(out, u64::try_from(left).unwrap_or(0));
            }
            None => write::raw(out, "Infinite"),
        }
        write::raw(out, "</d:timeout><d:locktoken><d:href>");
        write::text(out, &lock.token);
        write::raw(out, "</d:href></d:locktoken><d:lockroot><d:href>");
        write::href(out, &links.lock_root(active));
        write::raw(out, "</d:href></d:lockroot></d:activelock>");
    }
}

/// Appends who holds a lock and since when, in ownCloud's own elements: the desktop client tells its
/// user so.
fn holder(out: &mut Vec<u8>, lock: &Lock) {
    if let Some(name) = &lock.owner_name {
        write::raw(out, "<oc:ownername>");
        write::text(out, name);
        write::raw(out, "</oc:ownername>");
    }
    if let Some(taken) = lock.taken {
        write::raw(out, "<oc:locktime>");
        write::text(out, &taken.whole_seconds().to_string());
        write::raw(out, "</oc:locktime>");
    }
}
