//! One personal space in memory behind the ports that WebDAV calls: enough of a storage to test the
//! protocol, and nothing more. Paths are the keys; a node's id is made when it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use ocis_core::data::{Body, HttpService, TICKET, Written, full};
use ocis_core::etag::Etag;
use ocis_core::id::{NodeId, ResourceId, SpaceId, StorageId, UserId};
use ocis_core::lock::{ActiveLock, Lock, LockScope};
use ocis_core::node::{Node, NodeInfo, NodeKind};
use ocis_core::path::SpacePath;
use ocis_core::permissions::Permissions;
use ocis_core::port::{
    Changed, Conditions, Copy, CreateFolder, CreateSpace, Cursor, Delete, DisableSpace, FindUser,
    GetSpace, List, ListSpaces, ListUsers, LockNode, Locked, Move, Nodes, OpenRead, OpenUpload,
    Page, PurgeSpace, Read, RefreshLock, RestoreSpace, SetMetadata, Spaces, Stat, Tag, Touch,
    Unlock, UpdateSpace, UploadTicket, Uploads, Users,
};
use ocis_core::quota::Quota;
use ocis_core::reference::Reference;
use ocis_core::space::{Space, SpaceKind};
use ocis_core::time::Timestamp;
use ocis_core::user::User;
use ocis_core::{Cx, Error, ErrorKind, Result};
use parking_lot::Mutex;

use crate::sessions::Session;

/// The id of the user whose space this is.
pub(crate) const USER: &str = "4c510ada-c86b-4815-8820-42cdf82c3d51";

#[derive(Debug, Clone)]
struct Entry {
    id: NodeId,
    kind: NodeKind,
    content: Bytes,
    mtime: Timestamp,
    version: u64,
    metadata: BTreeMap<String, String>,
    favorite: bool,
    processing: bool,
}

/// What is known of everything.
#[derive(Debug)]
pub(crate) struct State {
    nodes: BTreeMap<String, Entry>,
    locks: Vec<ActiveLock>,
    uploads: BTreeMap<String, OpenUpload>,
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) count: u64,
    lists: u64,
    good_lists: Option<u64>,
}

/// The space; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Memory(pub(crate) Arc<Mutex<State>>);

impl Memory {
    /// An empty space.
    pub(crate) fn new(now: Timestamp) -> Self {
        let root = Entry {
            id: NodeId::parse(USER).unwrap(),
            kind: NodeKind::Folder,
            content: Bytes::new(),
            mtime: now,
            version: 0,
            metadata: BTreeMap::new(),
            favorite: false,
            processing: false,
        };
        Self(Arc::new(Mutex::new(State {
            nodes: BTreeMap::from([(String::new(), root)]),
            locks: Vec::new(),
            uploads: BTreeMap::new(),
            sessions: BTreeMap::new(),
            count: 0,
            lists: 0,
            good_lists: None,
        })))
    }

    /// The data plane.
    pub(crate) fn data(&self) -> HttpService {
        let memory = self.clone();
        HttpService::new(tower::service_fn(move |request| {
            let memory = memory.clone();
            async move {
                Ok::<_, std::convert::Infallible>(memory.transfer(request).await.unwrap_or_else(
                    |error| {
                        let mut response = Response::new(full(serde_json::to_vec(&error).unwrap()));
                        *response.status_mut() = StatusCode::IM_A_TEAPOT;
                        response
                    },
                ))
            }
        }))
    }

    /// Marks a file as still being processed.
    pub(crate) fn process(&self, path: &str) {
        self.0.lock().nodes.get_mut(path).unwrap().processing = true;
    }

    /// How many pages were listed.
    pub(crate) fn lists(&self) -> u64 {
        self.0.lock().lists
    }

    /// Lets every page of a list after the next `good` ones fail.
    pub(crate) fn fail_lists(&self, good: u64) {
        let mut state = self.0.lock();
        state.good_lists = Some(state.lists + good);
    }

    /// Stores a property as other software may have left it.
    pub(crate) fn store(&self, path: &str, key: &str, value: &str) {
        let mut state = self.0.lock();
        state.nodes.get_mut(path).unwrap().metadata.insert(key.into(), value.into());
    }

    async fn transfer(&self, request: Request<Body>) -> Result<Response<Body>> {
        let ticket = request.headers()[TICKET].to_str().unwrap().to_owned();
        if request.method() == http::Method::PUT {
            let open = self.0.lock().uploads.remove(&ticket).unwrap();
            let content = request.into_body().collect().await?.to_bytes();
            let written = self.0.lock().write(&open, content)?;
            return Ok(Response::new(full(serde_json::to_vec(&written).unwrap())));
        }
        if request.headers().contains_key("upload-offset") || request.method() != http::Method::GET
        {
            return self.resume(&ticket, request).await;
        }
        let state = self.0.lock();
        let entry = state.nodes.values().find(|entry| State::etag(entry).as_str() == ticket);
        let entry = entry.ok_or_else(|| Error::not_found("gone"))?;
        let mut content = entry.content.clone();
        let mut status = StatusCode::OK;
        if let Some(range) = request.headers().get(header::RANGE) {
            let range = range.to_str().unwrap().strip_prefix("bytes=").unwrap();
            let (first, last) = range.split_once('-').unwrap();
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            content = content.slice(first..=last);
            status = StatusCode::PARTIAL_CONTENT;
        }
        let mut response = Response::new(full(content));
        *response.status_mut() = status;
        Ok(response)
    }
}

fn root() -> ResourceId {
    ResourceId::root(StorageId::parse("storage").unwrap(), SpaceId::parse(USER).unwrap())
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn is_below(path: &str, above: &str) -> bool {
    above.is_empty() || path == above || path.starts_with(&format!("{above}/"))
}

impl State {
    fn path(&self, reference: &Reference) -> Result<String> {
        let base = self.nodes.iter().find(|(_, entry)| entry.id == reference.base.node);
        let (base, _) = base.ok_or_else(|| Error::not_found("no such space"))?;
        let path = format!("{base}/{}", reference.path);
        Ok(path.trim_matches('/').into())
    }

    fn etag(entry: &Entry) -> Etag {
        Etag::new(&format!("{}-{}", entry.id, entry.version))
    }

    fn node(&self, path: &str) -> Result<Node> {
        let entry = self.nodes.get(path).ok_or_else(|| Error::not_found("no such file"))?;
        let size = match entry.kind {
            NodeKind::File => entry.content.len(),
            NodeKind::Folder => {
                let below = self.nodes.iter().filter(|(other, _)| is_below(other, path));
                below.map(|(_, entry)| entry.content.len()).sum()
            }
        };
        let name = path.rsplit('/').next().unwrap();
        Ok(Node {
            info: Arc::new(NodeInfo {
                id: ResourceId { node: entry.id.clone(), ..root() },
                parent: (!path.is_empty()).then(|| self.nodes[parent(path)].id.clone()),
                name: if path.is_empty() { "Albert Einstein" } else { name }.into(),
                kind: entry.kind,
                size: size as u64,
                mtime: entry.mtime,
                etag: Self::etag(entry),
                checksums: (entry.kind == NodeKind::File).then_some(
                    ocis_core::checksum::Checksums { sha1: [1; 20], md5: [2; 16], adler32: [3; 4] },
                ),
                metadata: entry.metadata.clone(),
                owner: Some(UserId::parse(USER).unwrap()),
                processing: entry.processing.then(|| "upload".into()),
            }),
            path: SpacePath::parse(path)?,
            permissions: Permissions::MANAGER | Permissions::DENY_GRANT,
            favorite: entry.favorite,
            locks: self.covering(path).cloned().collect(),
        })
    }

    fn covering(&self, path: &str) -> impl Iterator<Item = &ActiveLock> {
        self.locks.iter().filter(move |active| {
            let root = active.root.as_str();
            root == path || active.lock.deep && is_below(path, root)
        })
    }

    fn check(&self, path: &str, conditions: &Conditions) -> Result<()> {
        let entry = self.nodes.get(path);
        let etag = entry.map(Self::etag);
        let etag = etag.as_ref();
        let failed = conditions.if_match.as_ref().is_some_and(|wanted| !wanted.matches(etag))
            || conditions.if_none_match.as_ref().is_some_and(|wanted| wanted.matches(etag))
            || conditions
                .if_unmodified_since
                .is_some_and(|since| entry.is_some_and(|entry| entry.mtime > since));
        if failed { Err(Error::precondition("a condition does not hold")) } else { Ok(()) }
    }

    /// Whether every lock on `path` (and with `members`, on its parent and below it) is submitted.
    fn unlocked(&self, path: &str, members: bool, conditions: &Conditions) -> Result<()> {
        let mut groups: Vec<Vec<&ActiveLock>> = vec![self.covering(path).collect()];
        if members {
            groups.push(self.covering(parent(path)).collect());
            for lock in &self.locks {
                if is_below(lock.root.as_str(), path) {
                    groups.push(vec![lock]);
                }
            }
        }
        let given = |lock: &&ActiveLock| conditions.lock_tokens.contains(&lock.lock.token);
        match groups.iter().all(|group| group.is_empty() || group.iter().any(given)) {
            true => Ok(()),
            false => Err(Error::locked("a lock is held")),
        }
    }

    fn create(&mut self, path: &str, kind: NodeKind, now: Timestamp) -> Result<()> {
        match self.nodes.get(parent(path)) {
            Some(entry) if entry.kind == NodeKind::Folder => {}
            _ => return Err(Error::conflict("the parent is missing")),
        }
        self.count += 1;
        let id = NodeId::parse(&format!("node-{}", self.count)).unwrap();
        let (content, metadata) = (Bytes::new(), BTreeMap::new());
        let (favorite, processing, version) = (false, false, 0);
        let entry =
            Entry { id, kind, content, mtime: now, version, metadata, favorite, processing };
        self.nodes.insert(path.into(), entry);
        self.touch(path);
        Ok(())
    }

    fn touch(&mut self, path: &str) {
        let mut at = path;
        loop {
            if let Some(entry) = self.nodes.get_mut(at) {
                entry.version += 1;
            }
            if at.is_empty() {
                break;
            }
            at = parent(at);
        }
    }

    fn remove(&mut self, path: &str) {
        self.nodes.retain(|other, _| !is_below(other, path));
        self.locks.retain(|lock| !is_below(lock.root.as_str(), path));
        self.touch(parent(path));
    }

    pub(crate) fn check_upload(&self, open: &OpenUpload) -> Result<String> {
        let path = self.path(&open.target)?;
        self.check(&path, &open.conditions)?;
        match self.nodes.get(&path) {
            Some(entry) if entry.kind == NodeKind::Folder => {
                return Err(Error::conflict("this is a folder"));
            }
            Some(_) => self.unlocked(&path, false, &open.conditions)?,
            None => self.unlocked(&path, true, &open.conditions)?,
        }
        match self.nodes.get(parent(&path)) {
            Some(entry) if entry.kind == NodeKind::Folder => Ok(path),
            _ => Err(Error::conflict("the parent is missing")),
        }
    }

    pub(crate) fn write(&mut self, open: &OpenUpload, content: Bytes) -> Result<Written> {
        let path = self.check_upload(open)?;
        if open.length.is_some_and(|length| length != content.len() as u64) {
            return Err(Error::invalid("the content has another length"));
        }
        let created = !self.nodes.contains_key(&path);
        let now = open.mtime.unwrap_or_else(|| self.nodes[""].mtime);
        if created {
            self.create(&path, NodeKind::File, now)?;
        }
        let entry = self.nodes.get_mut(&path).unwrap();
        entry.content = content;
        entry.mtime = now;
        self.touch(&path);
        Ok(Written { node: self.node(&path)?, created })
    }

    /// Checks a copy or move; whether there is nothing at its destination.
    fn check_copy(&self, from: &str, to: &str, overwrite: bool, on: &Conditions) -> Result<bool> {
        if is_below(to, from) {
            return Err(Error::conflict("it cannot go into itself"));
        }
        self.node(from)?;
        self.check(from, on)?;
        self.unlocked(to, true, on)?;
        match self.nodes.get(parent(to)) {
            Some(entry) if entry.kind == NodeKind::Folder => {}
            _ => return Err(Error::conflict("the parent is missing")),
        }
        let created = !self.nodes.contains_key(to);
        if !created && !overwrite {
            return Err(Error::precondition("there is something already"));
        }
        Ok(created)
    }
}

#[async_trait]
impl Nodes for Memory {
    async fn stat(&self, _: &Cx, request: Stat) -> Result<Node> {
        let state = self.0.lock();
        state.node(&state.path(&request.target)?)
    }

    async fn list(&self, _: &Cx, request: List) -> Result<Page<Node>> {
        let mut state = self.0.lock();
        state.lists += 1;
        if state.good_lists.is_some_and(|good| state.lists > good) {
            return Err(Error::internal("the disk is broken"));
        }
        let path = state.path(&request.target)?;
        if !state.node(&path)?.is_folder() {
            return Err(Error::conflict("this is a file"));
        }
        let after = request.page.cursor.map(|cursor| cursor.0);
        let mut children = state
            .nodes
            .keys()
            .filter(|other| !other.is_empty() && parent(other) == path)
            .filter(|other| after.as_ref().is_none_or(|after| *other > after));
        let limit = request.page.limit as usize;
        let page: Vec<&String> = children.by_ref().take(limit).collect();
        let next = children.next().and_then(|_| page.last()).map(|last| Cursor((*last).clone()));
        let items = page.into_iter().map(|path| state.node(path)).collect::<Result<_>>()?;
        Ok(Page { items, next })
    }

    async fn create_folder(&self, cx: &Cx, request: CreateFolder) -> Result<Node> {
        let mut state = self.0.lock();
        let path = state.path(&request.target)?;
        if state.nodes.contains_key(&path) {
            return Err(Error::exists("there is something already"));
        }
        state.unlocked(&path, true, &request.conditions)?;
        state.create(&path, NodeKind::Folder, cx.now)?;
        state.node(&path)
    }

    async fn touch(&self, _: &Cx, _: Touch) -> Result<Node> {
        Err(Error::unimplemented("WebDAV does not call this"))
    }

    async fn delete(&self, _: &Cx, request: Delete) -> Result<()> {
        let mut state = self.0.lock();
        let path = state.path(&request.target)?;
        state.node(&path)?;
        state.check(&path, &request.conditions)?;
        state.unlocked(&path, true, &request.conditions)?;
        state.remove(&path);
        Ok(())
    }

    async fn rename(&self, _: &Cx, request: Move) -> Result<Changed> {
        let mut state = self.0.lock();
        let (from, to) = (state.path(&request.from)?, state.path(&request.to)?);
        let created = state.check_copy(&from, &to, request.overwrite, &request.conditions)?;
        state.unlocked(&from, true, &request.conditions)?;
        state.remove(&to);
        let moved: Vec<_> = state
            .nodes
            .iter()
            .filter(|(path, _)| is_below(path, &from))
            .map(|(p, e)| (p.clone(), e.clone()))
            .collect();
        state.remove(&from);
        for (path, entry) in moved {
            state.nodes.insert(path.replacen(&from, &to, 1), entry);
        }
        state.touch(&to);
        Ok(Changed { node: state.node(&to)?, created })
    }

    async fn copy(&self, cx: &Cx, request: Copy) -> Result<Changed> {
        let mut state = self.0.lock();
        let (from, to) = (state.path(&request.from)?, state.path(&request.to)?);
        let created = state.check_copy(&from, &to, request.overwrite, &request.conditions)?;
        state.remove(&to);
        let copied: Vec<_> = state
            .nodes
            .iter()
            .filter(|(path, _)| **path == from || request.deep && is_below(path, &from))
            .map(|(path, entry)| (path.clone(), entry.clone()))
            .collect();
        for (path, old) in copied {
            let path = path.replacen(&from, &to, 1);
            state.create(&path, old.kind, cx.now)?;
            let entry = state.nodes.get_mut(&path).unwrap();
            entry.content = old.content;
            entry.metadata = old.metadata;
        }
        Ok(Changed { node: state.node(&to)?, created })
    }

    async fn set_metadata(&self, _: &Cx, request: SetMetadata) -> Result<Node> {
        let mut state = self.0.lock();
        let path = state.path(&request.target)?;
        state.node(&path)?;
        state.check(&path, &request.conditions)?;
        state.unlocked(&path, false, &request.conditions)?;
        let entry = state.nodes.get_mut(&path).unwrap();
        entry.metadata.extend(request.set);
        for key in request.unset {
            entry.metadata.remove(&key);
        }
        entry.mtime = request.mtime.unwrap_or(entry.mtime);
        entry.favorite = request.favorite.unwrap_or(entry.favorite);
        state.touch(&path);
        state.node(&path)
    }

    async fn tag(&self, _: &Cx, _: Tag) -> Result<Node> {
        Err(Error::unimplemented("WebDAV does not call this"))
    }

    async fn lock(&self, cx: &Cx, request: LockNode) -> Result<Locked> {
        let mut state = self.0.lock();
        let path = state.path(&request.target)?;
        state.check(&path, &request.conditions)?;
        let conflicts = state.covering(&path).any(|other| {
            other.lock.scope == LockScope::Exclusive || request.scope == LockScope::Exclusive
        }) || request.deep
            && state.locks.iter().any(|other| {
                is_below(other.root.as_str(), &path)
                    && (other.lock.scope == LockScope::Exclusive
                        || request.scope == LockScope::Exclusive)
            });
        if conflicts {
            return Err(Error::locked("another lock is held"));
        }
        let created = !state.nodes.contains_key(&path);
        if created {
            state.unlocked(&path, true, &request.conditions)?;
            state.create(&path, NodeKind::File, cx.now)?;
        }
        state.count += 1;
        let lock = Lock {
            token: format!("opaquelocktoken:{:032}", state.count),
            scope: request.scope,
            deep: request.deep,
            owner: request.owner,
            app_name: request.app_name,
            user: cx.caller.identity().ok().map(|identity| identity.id.clone()),
            owner_name: cx.caller.identity().ok().map(|me| me.display_name.clone()),
            taken: None,
            expires: request.expires,
        };
        let lock = ActiveLock { lock, root: SpacePath::parse(&path)? };
        state.locks.push(lock.clone());
        Ok(Locked { lock, node: state.node(&path)?, created })
    }

    async fn refresh_lock(&self, _: &Cx, request: RefreshLock) -> Result<ActiveLock> {
        let mut state = self.0.lock();
        let path = state.path(&request.target)?;
        let has = state.covering(&path).any(|lock| lock.lock.token == request.token);
        let lock = state.locks.iter_mut().find(|lock| lock.lock.token == request.token);
        match lock.filter(|_| has) {
            Some(lock) => {
                lock.lock.expires = request.expires;
                Ok(lock.clone())
            }
            None => Err(Error::precondition("there is no such lock")),
        }
    }

    async fn unlock(&self, _: &Cx, request: Unlock) -> Result<()> {
        let mut state = self.0.lock();
        let path = state.path(&request.target)?;
        state.node(&path)?;
        if !state.covering(&path).any(|lock| lock.lock.token == request.token) {
            return Err(Error::conflict("there is no such lock"));
        }
        state.locks.retain(|lock| lock.lock.token != request.token);
        Ok(())
    }

    async fn open_read(&self, _: &Cx, request: OpenRead) -> Result<Read> {
        let state = self.0.lock();
        let path = state.path(&request.target)?;
        let node = state.node(&path)?;
        if node.info.processing.is_some() {
            return Err(Error::new(ErrorKind::TooEarly, "still being processed"));
        }
        let ticket = node.info.etag.to_string();
        Ok(Read { node, ticket })
    }
}

#[async_trait]
impl Uploads for Memory {
    async fn open(&self, _: &Cx, request: OpenUpload) -> Result<UploadTicket> {
        let mut state = self.0.lock();
        state.check_upload(&request)?;
        state.count += 1;
        let ticket = state.count.to_string();
        state.uploads.insert(ticket.clone(), request);
        Ok(UploadTicket { ticket })
    }
}

#[async_trait]
impl Spaces for Memory {
    async fn list(&self, cx: &Cx, request: ListSpaces) -> Result<Page<Space>> {
        let mine = request.owner.is_none_or(|owner| owner.as_str() == USER);
        let items =
            if mine { vec![self.get(cx, GetSpace { space: root() }).await?] } else { vec![] };
        Ok(Page { items, next: None })
    }

    async fn get(&self, _: &Cx, _: GetSpace) -> Result<Space> {
        let state = self.0.lock();
        let node = state.node("")?;
        Ok(Space {
            root: root(),
            kind: SpaceKind::Personal,
            name: node.info.name.clone(),
            alias: "personal/einstein".into(),
            description: String::new(),
            owner: node.info.owner.clone(),
            quota: Quota {
                total: Some(1000),
                used: node.info.size,
                remaining: Some(1000 - node.info.size.min(1000)),
            },
            etag: node.info.etag.clone(),
            mtime: node.info.mtime,
            permissions: node.permissions,
            image: None,
            readme: None,
            disabled: None,
        })
    }

    async fn create(&self, _: &Cx, _: CreateSpace) -> Result<Space> {
        Err(Error::unimplemented("WebDAV does not call this"))
    }

    async fn update(&self, _: &Cx, _: UpdateSpace) -> Result<Space> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn disable(&self, _: &Cx, _: DisableSpace) -> Result<()> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn restore(&self, _: &Cx, _: RestoreSpace) -> Result<Space> {
        Err(Error::unimplemented("not in this fake"))
    }

    async fn purge(&self, _: &Cx, _: PurgeSpace) -> Result<()> {
        Err(Error::unimplemented("not in this fake"))
    }
}

#[async_trait]
impl Users for Memory {
    async fn find(&self, _: &Cx, _: FindUser) -> Result<User> {
        Ok(User {
            id: UserId::parse(USER).unwrap(),
            username: "einstein".into(),
            display_name: "Albert Einstein".into(),
            mail: String::new(),
            groups: Vec::new(),
            enabled: true,
            user_type: ocis_core::user::UserType::Member,
            identities: Vec::new(),
            given_name: "Albert".into(),
            surname: "Einstein".into(),
            password_version: String::new(),
        })
    }

    async fn list(&self, _: &Cx, _: ListUsers) -> Result<Page<User>> {
        Ok(Page { items: Vec::new(), next: None })
    }
}
