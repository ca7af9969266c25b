//! The operations, and the permissions that each of them needs, in oCIS's letters.

use std::future::Future;
use std::pin::Pin;

use ocis_core::access::{Grant, Grantee};
use ocis_core::lock::LockScope;
use ocis_core::path::SpacePath;
use ocis_core::permissions::Permissions;
use ocis_core::port::{
    Conditions, Copy, CreateFolder, CreateSpace, Delete, GetSpace, Grants, List, ListGrants,
    ListSpaces, ListTrash, ListVersions, LockNode, Move, Nodes, OpenRead, OpenVersion, PageRequest,
    PurgeRule, PurgeTrash, PurgeVersions, RefreshLock, RemoveGrant, RestoreTrash, RestoreVersion,
    SetGrant, SetMetadata, Spaces, Stat, Tag, Touch, Trash, Unlock, UpdateSpace, Versions,
};
use ocis_core::reference::Reference;
use ocis_core::trash::Collision;
use ocis_core::{Error, ErrorKind, Result};

use crate::world::{World, at, person};

type Done<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// An operation.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What it needs beside `t` (see).
    pub(crate) needs: &'static str,
    /// How the name of the node ends that it needs them on: the root of the space, unless it is said.
    pub(crate) on: &'static str,
    pub(crate) run: for<'a> fn(&'a World) -> Done<'a>,
}

macro_rules! cases {
    (@on) => { "nstein" };
    (@on $on:literal) => { $on };
    ($($name:literal needs $needs:literal $(on $on:literal)?: |$world:ident| $run:expr;)*) => {
        /// Every operation of the storage that asks for permissions.
        pub(crate) const CASES: &[Case] = &[$(Case {
            name: $name,
            needs: $needs,
            on: cases!(@on $($on)?),
            run: |$world| Box::pin(async move { $run }),
        }),*];
    };
}

fn free() -> Conditions {
    Conditions::default()
}

fn page() -> PageRequest {
    PageRequest { cursor: None, limit: 100 }
}

fn moved(from: &str, to: &str) -> Move {
    Move { from: at(from), to: at(to), overwrite: true, conditions: free() }
}

fn copied(from: &str, to: &str) -> Copy {
    Copy { from: at(from), to: at(to), overwrite: true, deep: true, conditions: free() }
}

fn locked(path: &str) -> LockNode {
    LockNode {
        target: at(path),
        scope: LockScope::Exclusive,
        deep: false,
        owner: None,
        app_name: String::new(),
        expires: None,
        create: false,
        conditions: free(),
    }
}

fn properties(path: &str) -> SetMetadata {
    SetMetadata {
        target: at(path),
        set: Vec::new(),
        unset: Vec::new(),
        mtime: None,
        favorite: None,
        conditions: free(),
    }
}

/// A grant to somebody else, on a folder.
fn given(letters: &str) -> SetGrant {
    let grant = Grant {
        grantee: Grantee::User("bob".parse().unwrap()),
        permissions: Permissions::from_letters(letters),
        expires: None,
        creator: None,
    };
    SetGrant { target: at("d"), grant, lock_tokens: Vec::new() }
}

/// What names something in the trash that lay here.
async fn key(world: &World, path: &str) -> String {
    let request = ListTrash { space: at("").base, key: None, page: page() };
    let page = Trash::list(&world.driver, &person("einstein"), request).await.unwrap();
    page.items.into_iter().find(|item| item.origin.as_str() == path).unwrap().key
}

/// What is [`NotFound`](ErrorKind::NotFound) for her, as it should be.
fn unseen<T: std::fmt::Debug>(found: Result<T>) -> Result<()> {
    match found {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        found => Err(Error::internal(format!("it is not hidden: {found:?}"))),
    }
}

/// What names the version of `f`.
async fn version(world: &World) -> String {
    let request = ListVersions { target: at("f"), page: page() };
    let page = Versions::list(&world.driver, &person("einstein"), request).await.unwrap();
    page.items[0].key.clone()
}

async fn listed(world: &World, key: Option<String>) -> Result<()> {
    let request = ListTrash { space: at("").base, key, page: page() };
    let page = Trash::list(&world.driver, &world.cx, request).await?;
    if page.items.is_empty() { Err(Error::internal("nothing is listed")) } else { Ok(()) }
}

async fn restored(
    world: &World,
    key: String,
    to: Option<Reference>,
    collision: Collision,
) -> Result<()> {
    let request = RestoreTrash { space: at("").base, key, to, collision, lock_tokens: Vec::new() };
    Trash::restore(&world.driver, &world.cx, request).await.map(drop)
}

async fn purged(world: &World, key: Option<String>) -> Result<()> {
    let request = PurgeTrash { space: at("").base, key, before: None };
    Trash::purge(&world.driver, &world.cx, request).await.map(drop)
}

cases! {
    "stat" needs "": |world| {
        world.driver.stat(&world.cx, Stat { target: at("d/x") }).await.map(drop)
    };
    "list" needs "x": |world| {
        let request = List { target: at("d"), page: page() };
        Nodes::list(&world.driver, &world.cx, request).await.map(drop)
    };
    "list without what is denied" needs "x": |world| {
        let request = List { target: at("d"), page: page() };
        let page = Nodes::list(&world.driver, &world.cx, request).await?;
        let is_hidden = page.items.iter().all(|node| node.info.name != "hidden");
        if is_hidden { Ok(()) } else { Err(Error::internal("it is listed")) }
    };
    "read" needs "r": |world| {
        let request = OpenRead { target: at("d/x") };
        let read = Nodes::open_read(&world.driver, &world.cx, request).await?;
        world.fetch(read.ticket).await.map(drop)
    };
    "create a folder" needs "a": |world| {
        let request = CreateFolder { target: at("d/new"), conditions: free() };
        world.driver.create_folder(&world.cx, request).await.map(drop)
    };
    "create an empty file" needs "w": |world| {
        let request = Touch { target: at("d/new"), conditions: free() };
        world.driver.touch(&world.cx, request).await.map(drop)
    };
    "upload a new file" needs "w": |world| world.put("d/new", b"new").await;
    "overwrite a file" needs "w": |world| world.put("d/x", b"other").await;
    "delete" needs "d": |world| {
        let request = Delete { target: at("d"), conditions: free() };
        world.driver.delete(&world.cx, request).await
    };
    "move" needs "wa": |world| {
        world.driver.rename(&world.cx, moved("d/x", "x")).await.map(drop)
    };
    "move over something" needs "wd": |world| {
        world.driver.rename(&world.cx, moved("d/x", "f")).await.map(drop)
    };
    "copy" needs "ra": |world| {
        world.driver.copy(&world.cx, copied("d/x", "x")).await.map(drop)
    };
    "copy without what is denied" needs "ra": |world| {
        world.driver.copy(&world.cx, copied("d", "c")).await?;
        let request = List { target: at("c"), page: page() };
        let page = Nodes::list(&world.driver, &person("einstein"), request).await?;
        let is_hidden = page.items.iter().all(|node| node.info.name != "hidden");
        if is_hidden { Ok(()) } else { Err(Error::internal("it is copied")) }
    };
    "move to another space" needs "rd": |world| {
        let marie = world.cx.caller.identity()?.id.clone();
        let home = world.driver.create(&world.cx, CreateSpace::personal(marie, "marie")).await?;
        let to = |name| Reference::below(home.root.clone(), SpacePath::parse(name).unwrap());
        let request = Move { to: to("x"), ..moved("d/x", "") };
        world.driver.rename(&world.cx, request).await?;
        // What she may not see stays, and so does the folder around it.
        let request = Move { to: to("d"), ..moved("d", "") };
        match world.driver.rename(&world.cx, request).await {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
            moved => Err(Error::internal(format!("what is denied went along: {moved:?}"))),
        }
    };
    "set a property" needs "w": |world| {
        let request = SetMetadata { set: vec![("k".into(), "v".into())], ..properties("d/x") };
        world.driver.set_metadata(&world.cx, request).await.map(drop)
    };
    "mark as a favorite" needs "": |world| {
        let request = SetMetadata { favorite: Some(true), ..properties("d/x") };
        world.driver.set_metadata(&world.cx, request).await.map(drop)
    };
    "lock" needs "w": |world| {
        world.driver.lock(&world.cx, locked("d/x")).await.map(drop)
    };
    "refresh somebody's lock" needs "w": |world| {
        let taken = world.driver.lock(&person("einstein"), locked("d/x")).await?;
        let token = taken.lock.lock.token;
        let request = RefreshLock { target: at("d/x"), token, expires: None };
        world.driver.refresh_lock(&world.cx, request).await.map(drop)
    };
    "list the trash" needs "u": |world| listed(world, None).await;
    "list a folder in the trash" needs "u": |world| {
        listed(world, Some(key(world, "old").await)).await
    };
    "bring back" needs "Uwa": |world| {
        restored(world, key(world, "gone").await, None, Collision::Refuse).await
    };
    "bring back over something" needs "Uwd": |world| {
        restored(world, key(world, "gone").await, Some(at("f")), Collision::Replace).await
    };
    "bring back from a folder" needs "Uwa": |world| {
        let key = format!("{}/y", key(world, "old").await);
        restored(world, key, Some(at("d/y")), Collision::Refuse).await
    };
    "purge" needs "P": |world| purged(world, Some(key(world, "old").await)).await;
    "purge all" needs "P": |world| purged(world, None).await;
    "list versions" needs "v": |world| {
        let request = ListVersions { target: at("f"), page: page() };
        Versions::list(&world.driver, &world.cx, request).await.map(drop)
    };
    "read a version" needs "vr": |world| {
        let request = OpenVersion { target: at("f"), key: version(world).await };
        let read = Versions::open_read(&world.driver, &world.cx, request).await?;
        world.fetch(read.ticket).await.map(drop)
    };
    "restore a version" needs "V": |world| {
        let (target, key, conditions) = (at("f"), version(world).await, free());
        let request = RestoreVersion { target, key, conditions };
        Versions::restore(&world.driver, &world.cx, request).await.map(drop)
    };
    "purge versions" needs "d": |world| {
        let request = PurgeVersions { target: at("f"), rule: PurgeRule::All, dry_run: false };
        Versions::purge(&world.driver, &world.cx, request).await.map(drop)
    };
    "get a space" needs "": |world| {
        world.driver.get(&world.cx, GetSpace { space: at("").base }).await.map(drop)
    };
    "see a space in the list" needs "": |world| {
        let page = Spaces::list(&world.driver, &world.cx, ListSpaces::default()).await?;
        if page.items.is_empty() { Err(Error::not_found("no space")) } else { Ok(()) }
    };
    "rename a space" needs "o": |world| {
        let request = UpdateSpace { name: Some("new".into()), ..UpdateSpace::of(at("").base) };
        world.driver.update(&world.cx, request).await.map(drop)
    };
    "give a space another alias" needs "w": |world| {
        let request = UpdateSpace { alias: Some("new".into()), ..UpdateSpace::of(at("").base) };
        world.driver.update(&world.cx, request).await.map(drop)
    };
    "tag" needs "w": |world| {
        let (add, remove) = (vec!["new".into()], Vec::new());
        let request = Tag { target: at("d/x"), add, remove, conditions: free() };
        world.driver.tag(&world.cx, request).await.map(drop)
    };
    "see a file alone, and no name above it" needs "" on "x": |world| {
        let target = world.by_id("d/x").await?;
        let node = world.driver.stat(&world.cx, Stat { target }).await?;
        match node.path.as_str() {
            "x" => Ok(()),
            path => Err(Error::internal(format!("the path is {path}"))),
        }
    };
    "see nothing around a file alone" needs "" on "x": |world| {
        let target = world.by_id("d/x").await?;
        world.driver.stat(&world.cx, Stat { target }).await?;
        for path in ["", "d", "d/e", "f"] {
            unseen(world.driver.stat(&world.cx, Stat { target: at(path) }).await)?;
            unseen(world.list(path).await)?;
        }
        for path in ["d/new", "f", "d/e/new"] {
            unseen(world.put(path, b"new").await)?;
            unseen(world.mkdir(path).await)?;
            unseen(world.rename("d/x", path).await)?;
        }
        Ok(())
    };
    "read a file alone" needs "r" on "x": |world| {
        world.content(world.by_id("d/x").await?).await.map(drop)
    };
    "overwrite a file alone" needs "w" on "x": |world| {
        world.put_at(world.by_id("d/x").await?, b"other").await
    };
    "overwrite a file alone by its path" needs "w" on "x": |world| {
        world.put("d/x", b"other").await
    };
    "overwrite a file alone in pieces" needs "w" on "x": |world| {
        world.put_in_pieces(world.by_id("d/x").await?, b"other").await
    };
    "lock a file alone" needs "w" on "x": |world| {
        let target = world.by_id("d/x").await?;
        let request = LockNode { target: target.clone(), ..locked("") };
        let lock = world.driver.lock(&world.cx, request).await?.lock;
        if lock.root.as_str() != "x" {
            return Err(Error::internal(format!("the root is {}", lock.root)));
        }
        let token = lock.lock.token;
        let request = RefreshLock { target: target.clone(), token: token.clone(), expires: None };
        world.driver.refresh_lock(&world.cx, request).await?;
        world.driver.unlock(&world.cx, Unlock { target, token }).await
    };
    "set a property of a file alone" needs "w" on "x": |world| {
        let (target, set) = (world.by_id("d/x").await?, vec![("k".into(), "v".into())]);
        let request = SetMetadata { target, set, ..properties("") };
        world.driver.set_metadata(&world.cx, request).await.map(drop)
    };
    "tag a file alone" needs "w" on "x": |world| {
        let (target, add) = (world.by_id("d/x").await?, vec!["new".into()]);
        let request = Tag { target, add, remove: Vec::new(), conditions: free() };
        world.driver.tag(&world.cx, request).await.map(drop)
    };
    "read a version of a file alone" needs "vr" on "f": |world| {
        let (target, key) = (world.by_id("f").await?, version(world).await);
        let request = ListVersions { target: target.clone(), page: page() };
        Versions::list(&world.driver, &world.cx, request).await?;
        let request = OpenVersion { target, key };
        let read = Versions::open_read(&world.driver, &world.cx, request).await?;
        world.fetch(read.ticket).await.map(drop)
    };
    "restore a version of a file alone" needs "V" on "f": |world| {
        let (target, key) = (world.by_id("f").await?, version(world).await);
        let request = RestoreVersion { target, key, conditions: free() };
        Versions::restore(&world.driver, &world.cx, request).await.map(drop)
    };
    "delete a file alone" needs "d" on "x": |world| {
        let request = Delete { target: world.by_id("d/x").await?, conditions: free() };
        world.driver.delete(&world.cx, request).await
    };
    "leave a file alone in its folder" needs "w" on "x": |world| {
        let from = world.by_id("d/x").await?;
        world.put_at(from.clone(), b"other").await?;
        let (path, permissions) = ("d/e", Permissions::from_letters("txrwad"));
        let grantee = Grantee::User(world.cx.caller.identity()?.id.clone());
        let grant = Grant { grantee, permissions, ..given("").grant };
        let request = SetGrant { target: at(path), grant, lock_tokens: Vec::new() };
        world.driver.set(&person("einstein"), request).await?;
        world.put("d/e/other", b"other").await?;
        match world.driver.rename(&world.cx, Move { from, ..moved("", "d/e/x") }).await {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
            moved => Err(Error::internal(format!("it was taken out: {moved:?}"))),
        }
    };
    "list grants" needs "c": |world| {
        Grants::list(&world.driver, &world.cx, ListGrants { target: at("d") }).await.map(drop)
    };
    "give a grant" needs "C": |world| world.driver.set(&world.cx, given("t")).await;
    "give what one has" needs "rC": |world| world.driver.set(&world.cx, given("r")).await;
    "deny" needs "CO": |world| world.driver.set(&world.cx, given("")).await;
    "change somebody's grant" needs "o": |world| {
        world.driver.set(&person("einstein"), given("tr")).await?;
        world.driver.set(&world.cx, given("t")).await
    };
    "take back somebody's grant" needs "o": |world| {
        world.driver.set(&person("einstein"), given("tr")).await?;
        let (grantee, lock_tokens) = (given("").grant.grantee, Vec::new());
        let request = RemoveGrant { target: at("d"), grantee, lock_tokens };
        world.driver.remove(&world.cx, request).await
    };
}
