//! Which node a URL stands for, and which URL a node has.

mod home;

use ocis_core::Cx;
use ocis_core::id::ResourceId;
use ocis_core::lock::ActiveLock;
use ocis_core::node::Node;
use ocis_core::path::SpacePath;
use ocis_core::reference::Reference;

use crate::error::Answer;
use crate::route::{Place, Root};
use crate::service::Server;

pub(crate) use home::Homes;

/// A place in a space, under the name that the request gave to it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The node at which the path begins.
    pub(crate) base: ResourceId,
    /// The path below it.
    pub(crate) path: SpacePath,
    /// What stands before the path in URLs, decoded, without a slash at its end.
    pub(crate) prefix: String,
}

impl Target {
    /// Finds the space; whether there is anything at the path is not asked.
    pub(crate) async fn find(server: &Server, cx: &Cx, place: Place) -> Answer<Self> {
        let Place { prefix, root, path } = place;
        let base = match root {
            Root::Own => server.homes.of(server, cx, None).await?,
            Root::User(name) => server.homes.of(server, cx, Some(&name)).await?,
            Root::Resource(id) => id,
        };
        Ok(Self { base, path, prefix })
    }

    /// What the ports call it.
    pub(crate) fn reference(&self) -> Reference {
        Reference::below(self.base.clone(), self.path.clone())
    }

    /// Whether it is the root of a space.
    pub(crate) fn is_space(&self) -> bool {
        self.path.is_root() && self.base.is_root()
    }

    /// The path of its URL, decoded; with a slash at its end for a folder.
    pub(crate) fn url(&self, folder: bool) -> String {
        let mut url = self.prefix.clone();
        if !self.path.is_root() {
            url.push('/');
            url.push_str(self.path.as_str());
        }
        if folder {
            url.push('/');
        }
        url
    }

    /// The place of the folder that it lies in; none for the base.
    pub(crate) fn parent(&self) -> Option<Self> {
        let path = self.path.parent()?;
        Some(Self { base: self.base.clone(), path, prefix: self.prefix.clone() })
    }

    /// How URLs are made for nodes of this space, given the node that is here.
    pub(crate) fn links(&self, node: &Node) -> Links {
        self.links_of(node.path.as_str())
    }

    fn links_of(&self, path: &str) -> Links {
        let url = self.path.as_str();
        let before = |long: &str, short: &str| {
            let rest = long.strip_suffix(short)?;
            Some(rest.strip_suffix('/').unwrap_or(rest).to_owned())
        };
        // The storage names nothing above what the caller may see; the URL may.
        let unseen = before(url, path).filter(|unseen| !unseen.is_empty());
        let slash = if unseen.is_some() { "/" } else { "" };
        let prefix = format!("{}{slash}{}", self.prefix, unseen.as_deref().unwrap_or_default());
        let is_root = self.base.is_root() || unseen.is_some();
        let base = if is_root { String::new() } else { before(path, url).unwrap_or_default() };
        Links { prefix, base, space: self.base.space_id() }
    }
}

/// Makes URLs of paths from the root of a space.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    prefix: String,
    /// The path of what the prefix stands for, from the root of the space.
    base: String,
    space: String,
}

impl Links {
    /// The decoded path of the URL of where a lock was taken. What lies above the base of the
    /// request has no URL with its prefix and gets that of the space.
    pub(crate) fn lock_root(&self, lock: &ActiveLock) -> String {
        let path = lock.root.as_str();
        let below = match path.strip_prefix(self.base.as_str()) {
            Some(rest) if self.base.is_empty() || rest.is_empty() || rest.starts_with('/') => rest,
            _ => {
                let above = self.prefix.rsplit_once('/').map_or("", |(above, _)| above);
                return format!("{above}/{}/{path}", self.space);
            }
        };
        let slash = if below.starts_with('/') || below.is_empty() { "" } else { "/" };
        format!("{}{slash}{below}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocis_core::lock::{Lock, LockScope};

    fn lock(root: &str) -> ActiveLock {
        ActiveLock {
            lock: Lock {
                token: "t:1".into(),
                scope: LockScope::Shared,
                deep: true,
                owner: None,
                app_name: String::new(),
                user: None,
                owner_name: None,
                taken: None,
                expires: None,
            },
            root: SpacePath::parse(root).unwrap(),
        }
    }

    #[test]
    fn locks_are_named_under_the_prefix_of_the_request() {
        let links = |prefix: &str, base: &str| Links {
            prefix: prefix.into(),
            base: base.into(),
            space: "s$p".into(),
        };
        let home = links("/webdav", "");
        assert_eq!(home.lock_root(&lock("a/b")), "/webdav/a/b");
        assert_eq!(home.lock_root(&lock("")), "/webdav");
        let node = links("/dav/spaces/s$p!n", "a");
        assert_eq!(node.lock_root(&lock("a/b")), "/dav/spaces/s$p!n/b");
        assert_eq!(node.lock_root(&lock("a")), "/dav/spaces/s$p!n");
        assert_eq!(node.lock_root(&lock("ab")), "/dav/spaces/s$p/ab");
    }

    #[test]
    fn what_the_caller_may_not_see_is_named_as_in_the_url() {
        let target = |base: &str, path: &str| Target {
            base: base.parse().unwrap(),
            path: SpacePath::parse(path).unwrap(),
            prefix: format!("/dav/spaces/{base}"),
        };
        for (base, url, path, named) in [
            ("s$p", "a/b/x", "a/b/x", "/dav/spaces/s$p/a/b/x"),
            ("s$p", "a/b/x", "x", "/dav/spaces/s$p/a/b/x"),
            ("s$p", "a/b/x", "b/x", "/dav/spaces/s$p/a/b/x"),
            ("s$p!x", "", "x", "/dav/spaces/s$p!x"),
            ("s$p!b", "x", "b/x", "/dav/spaces/s$p!b/x"),
            ("s$p!b", "x", "x", "/dav/spaces/s$p!b/x"),
        ] {
            let links = target(base, url).links_of(path);
            assert_eq!(links.lock_root(&lock(path)), named, "{base} {url} {path}");
        }
        // A lock above what they see has no place.
        let links = target("s$p!x", "").links_of("x");
        assert_eq!(links.lock_root(&lock("")), "/dav/spaces/s$p/");
    }
}
