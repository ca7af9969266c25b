//! How a store does what the model does, and what is seen of it.

use std::sync::Arc;
use std::time::Duration;

use ocis_core::access::{Grant, Grantee};
use ocis_core::cx::{Caller, Cx};
use ocis_core::id::GroupId;
use ocis_core::permissions::Permissions;
use ocis_core::port::{
    DisableSpace, Grants, ListGrants, ListSpaces, Nodes, PageRequest, PurgeSpace, RemoveGrant,
    RestoreSpace, SetGrant, Spaces, Stat, UpdateSpace,
};
use ocis_core::{ErrorKind, Result};

use crate::model::{HOME, Op, Seen, To, Who, content, space_of};
use crate::world::{World, at, now, person, server};

const GROUP: &str = "group";

fn later(cx: Cx, seconds: i64) -> Cx {
    Cx { now: now().plus(Duration::from_secs(seconds as u64)), ..cx }
}

fn marie() -> Cx {
    let mut cx = person("marie");
    if let Caller::User(identity) = &mut cx.caller {
        Arc::make_mut(identity).groups = vec![GroupId::parse(GROUP).unwrap()];
    }
    cx
}

fn grantee(to: To) -> Grantee {
    match to {
        To::Marie => Grantee::User("marie".parse().unwrap()),
        To::Group => Grantee::Group(GROUP.parse().unwrap()),
    }
}

/// The letters in the order of the alphabet.
fn letters(permissions: Permissions) -> String {
    let mut letters: Vec<char> = permissions.letters().chars().collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

impl World {
    /// The same store, used by one of the two, so many seconds after the beginning.
    fn at_work(&self, who: Who, seconds: i64) -> Self {
        let cx = if who == Who::Marie { marie() } else { person(HOME) };
        self.by(later(cx, seconds))
    }

    /// Makes a change, so many seconds after the beginning.
    pub(crate) async fn run(&self, op: &Op, seconds: i64) -> Result<()> {
        let world = self.at_work(Who::Einstein, seconds);
        let (cx, driver) = (&world.cx, &self.driver);
        let root = |space: &str| at(&format!("{space}:")).base;
        match op {
            Op::Folder(who, path) => self.at_work(*who, seconds).mkdir(path).await,
            Op::Write(who, path, seed) => {
                self.at_work(*who, seconds).put(path, &content(*seed)).await
            }
            Op::WriteById(who, path, seed) => {
                let target = self.by_id(path).await?;
                self.at_work(*who, seconds).put_at(target, &content(*seed)).await
            }
            Op::Take(from, to) => {
                // Between spaces it is a copy, which is not what this is about.
                if space_of(from) != space_of(to) {
                    return Err(ocis_core::Error::invalid("not within a space"));
                }
                self.at_work(Who::Marie, seconds).rename(from, to).await
            }
            Op::Delete(who, path) => self.at_work(*who, seconds).delete(path).await,
            Op::Move(from, to) => world.rename(from, to).await,
            Op::Copy(from, to) => world.copy(from, to).await,
            Op::Grant(path, to, letters, until) => {
                let grant = Grant {
                    grantee: grantee(*to),
                    permissions: Permissions::from_letters(letters),
                    expires: until.map(|until| cx.now.plus(Duration::from_secs(until as u64))),
                    creator: None,
                };
                let request = SetGrant { target: at(path), grant, lock_tokens: Vec::new() };
                driver.set(cx, request).await
            }
            Op::Ungrant(path, to) => {
                let (target, grantee) = (at(path), grantee(*to));
                let request = RemoveGrant { target, grantee, lock_tokens: Vec::new() };
                driver.remove(cx, request).await
            }
            Op::Create(space) => self.project(space).await,
            Op::Disable(space) => driver.disable(cx, DisableSpace { space: root(space) }).await,
            Op::Restore(space) => {
                driver.restore(cx, RestoreSpace { space: root(space) }).await.map(drop)
            }
            Op::Purge(space) => Spaces::purge(driver, cx, PurgeSpace { space: root(space) }).await,
            Op::Quota(space, quota) => {
                let request = UpdateSpace { quota: Some(*quota), ..UpdateSpace::of(root(space)) };
                driver.update(&server(), request).await.map(drop)
            }
            Op::Later(_) | Op::Reopen => Ok(()),
        }
    }

    /// Everything that can be seen, so many seconds after the beginning.
    pub(crate) async fn see(&self, seconds: i64) -> Result<Seen> {
        let mut seen = Seen::default();
        let world = self.at_work(Who::Einstein, seconds);
        let marie = self.at_work(Who::Marie, seconds);
        let request =
            ListSpaces { page: PageRequest { cursor: None, limit: 100 }, ..ListSpaces::default() };
        for space in Spaces::list(&self.driver, &world.cx, request).await?.items {
            let (id, is_disabled) = (space.root.space.to_string(), space.disabled.is_some());
            let quota = space.quota.total.unwrap_or(0);
            let root = format!("{id}:");
            seen.spaces.insert(id, (is_disabled, space.quota.used, quota));
            if is_disabled {
                assert_eq!(world.list(&root).await.unwrap_err().kind(), ErrorKind::NotFound);
                continue;
            }
            seen.see_of(&world, &marie, &root).await?;
            for (path, _) in world.below(&root).await? {
                let content = world.read(&path).await?;
                seen.tree.insert(path.clone(), content);
                seen.see_of(&world, &marie, &path).await?;
            }
        }
        Ok(seen)
    }
}

impl Seen {
    /// Who may do what with a node.
    async fn see_of(&mut self, world: &World, marie: &World, path: &str) -> Result<()> {
        let request = ListGrants { target: at(path) };
        for grant in Grants::list(&world.driver, &world.cx, request).await? {
            let to = match &grant.grantee {
                Grantee::User(user) if user.as_str() == HOME => continue,
                Grantee::User(_) => To::Marie,
                Grantee::Group(_) => To::Group,
            };
            let until = grant.expires.map(|until| until.unix_seconds() - now().unix_seconds());
            self.grants.insert((path.to_owned(), to), (letters(grant.permissions), until));
        }
        let request = Stat { target: at(path) };
        let permissions = match marie.driver.stat(&marie.cx, request).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            node => node?.permissions,
        };
        // What she may, she can; what lies in a folder is listed unless it is kept from her.
        let (has, node) = (letters(permissions), world.read(path).await?);
        let is_read = marie.read(path).await.is_ok();
        assert!(is_read == (has.contains('r') || node.is_none()), "{path} {has}");
        if node.is_none() && has.contains('x') {
            for child in marie.list(path).await? {
                let name = child.path.to_string();
                let child_path = format!("{}:{}", space_of(path), name.trim_matches('/'));
                let found = marie.driver.stat(&marie.cx, Stat { target: at(&child_path) }).await?;
                assert_eq!(found.permissions, child.permissions, "{child_path}");
            }
        }
        self.marie.insert(path.to_owned(), has);
        Ok(())
    }
}
