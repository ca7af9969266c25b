//! Changes of spaces and grants, and what can be seen of them.

use ocis_core::access::{Grant, Grantee};
use ocis_core::cx::{Caller, Cx};
use ocis_core::id::{ResourceId, SpaceId};
use ocis_core::path::SpacePath;
use ocis_core::permissions::Permissions;
use ocis_core::port::{
    Conditions, CreateFolder, CreateSpace, DisableSpace, Grants, ListGrants, ListSpaces, Move,
    Nodes, PageRequest, PurgeSpace, RemoveGrant, RestoreSpace, SetGrant, Spaces, Stat, Tag,
    UpdateSpace,
};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::{ErrorKind, Result};

use crate::op::Op;
use crate::world::{Seen, World, me, person, storage};

/// The server itself.
fn server() -> Cx {
    Cx { caller: Caller::Service("test".into()), ..person("server") }
}

/// A place in the project space that is there before each of these changes.
fn project(path: &str) -> Reference {
    let root = ResourceId::root(storage(), SpaceId::parse("project").unwrap());
    Reference::below(root, SpacePath::parse(path).unwrap())
}

fn grant(target: Reference, to: &str, letters: &str) -> SetGrant {
    let grantee = match to.strip_prefix('@') {
        Some(group) => Grantee::Group(group.parse().unwrap()),
        None => Grantee::User(to.parse().unwrap()),
    };
    let permissions = Permissions::from_letters(letters);
    let grant = Grant { grantee, permissions, expires: None, creator: None };
    SetGrant { target, grant, lock_tokens: Vec::new() }
}

/// What the changes of this file begin with.
fn is_of_spaces(op: Op) -> bool {
    matches!(
        op,
        Op::UpdateSpace
            | Op::DisableSpace
            | Op::RestoreSpace
            | Op::PurgeSpace
            | Op::AddMember
            | Op::RemoveMember
            | Op::MoveAway
    )
}

impl World {
    pub(crate) async fn prepare_spaces(&self, op: Op) {
        if !is_of_spaces(op) {
            return;
        }
        let request = CreateSpace {
            id: SpaceId::parse("project").ok(),
            owner: "einstein".parse().ok(),
            ..CreateSpace::new(SpaceKind::Project, "project")
        };
        self.driver.create(&server(), request).await.unwrap();
        let request = CreateFolder { target: project("in"), conditions: Conditions::default() };
        self.driver.create_folder(&self.cx, request).await.unwrap();
        self.driver.set(&self.cx, grant(project(""), "@group", "txr")).await.unwrap();
        if matches!(op, Op::RestoreSpace | Op::PurgeSpace) {
            self.rename_away("d", "in/d").await.unwrap();
            let space = project("").base;
            self.driver.disable(&self.cx, DisableSpace { space }).await.unwrap();
        }
    }

    async fn rename_away(&self, from: &str, to: &str) -> Result<()> {
        let (from, to, conditions) = (me(from), project(to), Conditions::default());
        let request = Move { from, to, overwrite: false, conditions };
        self.driver.rename(&self.cx, request).await.map(drop)
    }

    pub(crate) async fn run_spaces(&self, op: Op) -> Result<()> {
        let (cx, space) = (&self.cx, project("").base);
        match op {
            Op::CreateProject => {
                let owner = "marie".parse().ok();
                let request =
                    CreateSpace { owner, ..CreateSpace::new(SpaceKind::Project, "another") };
                self.driver.create(&server(), request).await.map(drop)
            }
            Op::UpdateSpace => {
                let request = UpdateSpace { name: Some("new".into()), ..UpdateSpace::of(space) };
                self.driver.update(cx, request).await.map(drop)
            }
            Op::DisableSpace => self.driver.disable(cx, DisableSpace { space }).await,
            Op::RestoreSpace => self.driver.restore(cx, RestoreSpace { space }).await.map(drop),
            Op::PurgeSpace => self.driver.purge(cx, PurgeSpace { space }).await,
            Op::AddMember => self.driver.set(cx, grant(project(""), "marie", "txr")).await,
            Op::RemoveMember => {
                let grantee = Grantee::Group("group".parse().unwrap());
                let request = RemoveGrant { target: project(""), grantee, lock_tokens: Vec::new() };
                self.driver.remove(cx, request).await
            }
            Op::Share => self.driver.set(cx, grant(me("d"), "marie", "txr")).await,
            Op::Tag => {
                let (target, add) = (me("f"), vec!["one".into()]);
                let (remove, conditions) = (Vec::new(), Conditions::default());
                self.driver.tag(cx, Tag { target, add, remove, conditions }).await.map(drop)
            }
            _ => self.rename_away("d", "in/d").await,
        }
    }

    /// What can be seen of spaces, by the server and in the lists of their members.
    pub(crate) async fn see_spaces(&self, seen: &mut Seen) -> Result<()> {
        let page = || PageRequest { cursor: None, limit: 100 };
        for (who, cx) in
            [("", server()), ("einstein", person("einstein")), ("marie", person("marie"))]
        {
            let request = ListSpaces { page: page(), ..ListSpaces::default() };
            for space in Spaces::list(&self.driver, &cx, request).await?.items {
                let (used, disabled) = (space.quota.used, space.disabled.is_some());
                seen.insert(format!("{who}:{}", space.name), format!("{used} {disabled}"));
            }
        }
        let shared = [project(""), me(""), me("d")];
        for target in shared {
            match self.driver.stat(&server(), Stat { target: target.clone() }).await {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                node => node?,
            };
            let name = format!("grants on {target:?}");
            let grants = Grants::list(&self.driver, &server(), ListGrants { target }).await?;
            seen.insert(name, format!("{grants:?}"));
        }
        let (target, cx) = (project("in/d/x"), server());
        match self.store.content(&cx, &target).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            content => {
                let (node, content) = content?;
                let has_content = content.is_some_and(|content| content.blob.is_some());
                seen.insert("project/in/d/x".into(), format!("{} {has_content}", node.info.size));
            }
        }
        Ok(())
    }
}
