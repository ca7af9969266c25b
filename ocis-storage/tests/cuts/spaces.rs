//! Changes of spaces and grants.

use ocis_core::Result;
use ocis_core::access::{Grant, Grantee};
use ocis_core::permissions::Permissions;
use ocis_core::port::{
    Conditions, CreateSpace, DisableSpace, Grants, Nodes, PurgeSpace, RemoveGrant, RestoreSpace,
    SetGrant, Spaces, Tag, UpdateSpace,
};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;

use crate::op::Op;
use crate::world::{World, at, server};

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
        self.project("project").await.unwrap();
        self.mkdir("project:in").await.unwrap();
        self.driver.set(&self.cx, grant(at("project:"), "@group", "txr")).await.unwrap();
        if matches!(op, Op::RestoreSpace | Op::PurgeSpace) {
            self.rename("d", "project:in/d").await.unwrap();
            let space = at("project:").base;
            self.driver.disable(&self.cx, DisableSpace { space }).await.unwrap();
        }
    }

    pub(crate) async fn run_spaces(&self, op: Op) -> Result<()> {
        let (cx, space) = (&self.cx, at("project:").base);
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
            Op::AddMember => self.driver.set(cx, grant(at("project:"), "marie", "txr")).await,
            Op::RemoveMember => {
                let grantee = Grantee::Group("group".parse().unwrap());
                let request =
                    RemoveGrant { target: at("project:"), grantee, lock_tokens: Vec::new() };
                self.driver.remove(cx, request).await
            }
            Op::Share => self.driver.set(cx, grant(at("d"), "marie", "txr")).await,
            Op::Tag => {
                let (target, add) = (at("f"), vec!["one".into()]);
                let (remove, conditions) = (Vec::new(), Conditions::default());
                self.driver.tag(cx, Tag { target, add, remove, conditions }).await.map(drop)
            }
            _ => self.rename("d", "project:in/d").await,
        }
    }
}
