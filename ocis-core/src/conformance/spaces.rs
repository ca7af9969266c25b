//! What every storage must do with spaces.

use std::sync::Arc;

use super::subject::{Subject, at, person, refused};
use crate::access::{Grant, Grantee};
use crate::cx::{Caller, Cx, Identity};
use crate::error::ErrorKind;
use crate::id::{GroupId, NodeId, ResourceId, SpaceId};
use crate::permissions::Permissions;
use crate::port::{
    CreateSpace, DisableSpace, GetSpace, Grants, ListSpaces, PageRequest, PurgeSpace, RestoreSpace,
    SetGrant, UpdateSpace,
};
use crate::space::{Space, SpaceKind};
use crate::user::UserRole;

/// A person with a role and groups.
pub(super) fn member(name: &str, role: UserRole, groups: &[&str]) -> Cx {
    let cx = person(name, 0);
    let identity = Identity::clone(cx.caller.identity().unwrap());
    let groups = groups.iter().map(|group| GroupId::parse(group).unwrap()).collect();
    Cx { caller: Caller::User(Arc::new(Identity { role, groups, ..identity })), ..cx }
}

/// The server itself.
fn server() -> Cx {
    Cx { caller: Caller::Service("suite".into()), ..person("server", 0) }
}

/// Gives `to` what `letters` stand for at the root of a space or on a node.
pub(super) fn grant(node: &ResourceId, to: Grantee, letters: &str) -> SetGrant {
    let permissions = Permissions::from_letters(letters);
    let grant = Grant { grantee: to, permissions, expires: None, creator: None };
    SetGrant { target: at(node, ""), grant, lock_tokens: Vec::new() }
}

pub(super) fn user(name: &str) -> Grantee {
    Grantee::User(name.parse().unwrap())
}

impl Subject {
    async fn all(&self, cx: &Cx, request: ListSpaces, limit: u32) -> Vec<Space> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = PageRequest { cursor, limit };
            let page = self.spaces.list(cx, ListSpaces { page, ..request.clone() }).await.unwrap();
            assert!(page.items.len() <= limit as usize, "a page is longer than asked for");
            found.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return found,
            }
        }
    }

    async fn names_of(&self, cx: &Cx, request: ListSpaces) -> Vec<String> {
        let mut names: Vec<_> =
            self.all(cx, request, 2).await.into_iter().map(|space| space.name).collect();
        names.sort();
        names
    }

    pub(super) async fn project(&self, cx: &Cx, name: &str) -> Space {
        self.spaces.create(cx, CreateSpace::new(SpaceKind::Project, name)).await.unwrap()
    }
}

/// Runs everything about spaces, in a storage in which there are none.
pub async fn spaces(subject: &Subject, grants: &dyn Grants) {
    making(subject).await;
    listing(subject, grants).await;
    changing(subject, grants).await;
    ending(subject, grants).await;
}

async fn making(subject: &Subject) {
    let admin = member("m-admin", UserRole::Admin, &[]);
    let common = member("m-user", UserRole::User, &[]);
    let made = subject.project(&admin, "Some Thing").await;
    assert!(made.root.is_root());
    assert_eq!((&*made.alias, made.owner, made.quota.total), ("project/some-thing", None, None));
    assert_eq!(made.permissions, Permissions::MANAGER, "its creator manages it");
    assert_ne!(subject.project(&admin, "Some Thing").await.root, made.root);
    let create = |kind, name: &str| CreateSpace::new(kind, name);
    let quota = CreateSpace {
        quota: Some(100),
        description: "About".into(),
        alias: Some("project/a".into()),
        ..create(SpaceKind::Project, "Q")
    };
    let quota = subject.spaces.create(&admin, quota).await.unwrap();
    assert_eq!((quota.quota.total, quota.quota.used), (Some(100), 0));
    assert_eq!((&*quota.description, &*quota.alias), ("About", "project/a"));
    for (cx, request, kind) in [
        (&common, create(SpaceKind::Project, "no"), ErrorKind::PermissionDenied),
        (&admin, create(SpaceKind::Metadata, "no"), ErrorKind::PermissionDenied),
        (&admin, create(SpaceKind::Project, ""), ErrorKind::InvalidArgument),
        (&admin, create(SpaceKind::Project, "a\nb"), ErrorKind::InvalidArgument),
        (&common, create(SpaceKind::Personal, "no owner"), ErrorKind::InvalidArgument),
    ] {
        assert_eq!(refused(subject.spaces.create(cx, request).await), kind);
    }
    let records = CreateSpace {
        id: SpaceId::parse("records").ok(),
        owner: "system".parse().ok(),
        ..create(SpaceKind::Metadata, "Metadata")
    };
    let chosen = subject.spaces.create(&admin, records.clone()).await;
    assert_eq!(refused(chosen), ErrorKind::PermissionDenied);
    let made = subject.spaces.create(&server(), records.clone()).await.unwrap();
    assert_eq!((made.root.space.as_str(), made.kind), ("records", SpaceKind::Metadata));
    let again = subject.spaces.create(&server(), records).await;
    assert_eq!(refused(again), ErrorKind::AlreadyExists);
}

async fn listing(subject: &Subject, grants: &dyn Grants) {
    let admin = member("l-admin", UserRole::SpaceAdmin, &[]);
    let (ada, bob) = (member("l-ada", UserRole::User, &["g1"]), person("l-bob", 0));
    subject.home(&ada).await;
    let one = subject.project(&admin, "l-one").await;
    let two = subject.project(&admin, "l-two").await;
    subject.project(&admin, "l-three").await;
    grants.set(&admin, grant(&one.root, user("l-ada"), "txr")).await.unwrap();
    let group = Grantee::Group("g1".parse().unwrap());
    grants.set(&admin, grant(&two.root, group.clone(), "txr")).await.unwrap();
    let all = ListSpaces::default;
    assert_eq!(subject.names_of(&ada, all()).await, ["l-ada", "l-one", "l-two"]);
    assert_eq!(subject.names_of(&bob, ListSpaces { all: true, ..all() }).await, [""; 0]);
    assert_eq!(subject.names_of(&admin, all()).await, ["l-one", "l-three", "l-two"]);
    let everything = subject.names_of(&admin, ListSpaces { all: true, ..all() }).await;
    assert!(everything.contains(&"l-ada".into()), "a role sees personal spaces");
    assert!(!everything.contains(&"Metadata".into()), "records are listed when asked for");
    let records = ListSpaces { kind: Some(SpaceKind::Metadata), ..all() };
    assert_eq!(subject.names_of(&server(), records).await, ["Metadata"]);
    let projects = ListSpaces { kind: Some(SpaceKind::Project), ..all() };
    assert_eq!(subject.names_of(&ada, projects).await, ["l-one", "l-two"]);
    for (member, names) in [(user("l-ada"), vec!["l-one"]), (group, vec!["l-two"])] {
        let of = ListSpaces { member: Some(member), ..all() };
        assert_eq!(subject.names_of(&admin, of).await, names, "only those that one may see");
    }
    let own = ListSpaces { owner: "l-ada".parse().ok(), ..all() };
    assert_eq!(subject.names_of(&ada, own).await, ["l-ada"]);
    let ids: Vec<_> = subject.all(&ada, all(), 1).await.into_iter().map(|it| it.root).collect();
    assert!(ids.is_sorted(), "the order is that of the ids");
    let hidden = subject.spaces.get(&bob, GetSpace { space: one.root }).await;
    assert_eq!(refused(hidden), ErrorKind::NotFound);
}

async fn changing(subject: &Subject, grants: &dyn Grants) {
    let admin = member("c-admin", UserRole::SpaceAdmin, &[]);
    let (ada, bob) = (person("c-ada", 0), person("c-bob", 0));
    let (eve, role) = (person("c-eve", 0), member("c-role", UserRole::Admin, &[]));
    let home = subject.home(&eve).await;
    let space = subject.project(&admin, "c").await;
    let id = &space.root;
    grants.set(&admin, grant(id, user("c-ada"), "txrwadCcoOuUPvVq")).await.unwrap();
    grants.set(&admin, grant(id, user("c-bob"), "txrwad")).await.unwrap();
    subject.put(&bob, at(id, "readme.md"), b"# Hello").await.unwrap();
    let file = subject.stat(&bob, at(id, "readme.md")).await.unwrap().info.id.clone();
    let of = || UpdateSpace::of(id.clone());
    let renamed = UpdateSpace {
        name: Some("d".into()),
        alias: Some("project/d".into()),
        description: Some("text".into()),
        image: Some(file.clone()),
        readme: Some(file.clone()),
        ..of()
    };
    let after = subject.spaces.update(&ada, renamed).await.unwrap();
    assert_eq!((&*after.name, &*after.alias, &*after.description), ("d", "project/d", "text"));
    assert_eq!((after.image.as_ref(), after.readme.as_ref()), (Some(&file), Some(&file)));
    assert_ne!(after.etag, space.etag, "a change is seen by the etag");
    assert_eq!(subject.stat(&bob, at(id, "")).await.unwrap().info.name, "d");
    let nowhere = ResourceId { node: NodeId::parse("nowhere").unwrap(), ..id.clone() };
    let named = |name: &str| UpdateSpace { name: Some(name.into()), ..of() };
    let quota = |bytes| UpdateSpace { quota: Some(bytes), ..of() };
    let denied = ErrorKind::PermissionDenied;
    for (cx, request, kind) in [
        (&bob, named("e"), denied),
        (&eve, named("e"), ErrorKind::NotFound),
        (&ada, quota(7), denied),
        (&ada, named(" "), ErrorKind::InvalidArgument),
        (&ada, UpdateSpace { image: Some(nowhere), ..of() }, ErrorKind::NotFound),
        (&ada, UpdateSpace { image: Some(id.clone()), ..of() }, ErrorKind::InvalidArgument),
        (&admin, UpdateSpace { quota: Some(7), ..UpdateSpace::of(home.clone()) }, denied),
    ] {
        assert_eq!(refused(subject.spaces.update(cx, request).await), kind);
    }
    let dressed = UpdateSpace { alias: Some("project/e".into()), ..of() };
    assert_eq!(subject.spaces.update(&bob, dressed).await.unwrap().alias, "project/e");
    assert_eq!(subject.spaces.update(&role, named("by role")).await.unwrap().name, "by role");
    assert_eq!(subject.spaces.update(&admin, quota(7)).await.unwrap().quota.remaining, Some(0));
    let more = subject.put(&bob, at(id, "more"), b"12345678").await;
    assert_eq!(refused(more), ErrorKind::InsufficientStorage);
    assert_eq!(subject.spaces.update(&admin, quota(0)).await.unwrap().quota.total, None);
    subject.put(&bob, at(id, "more"), b"12345678").await.unwrap();
    let own = UpdateSpace { quota: Some(7), ..UpdateSpace::of(home) };
    assert_eq!(subject.spaces.update(&role, own).await.unwrap().quota.total, Some(7));
}

async fn ending(subject: &Subject, grants: &dyn Grants) {
    let admin = member("e-admin", UserRole::Admin, &[]);
    let (ada, bob) = (person("e-ada", 0), person("e-bob", 0));
    let spaces = &*subject.spaces;
    let id = subject.project(&admin, "e").await.root;
    grants.set(&admin, grant(&id, user("e-ada"), "txrwadCcoOuUPvVq")).await.unwrap();
    grants.set(&admin, grant(&id, user("e-bob"), "txrwad")).await.unwrap();
    subject.put(&bob, at(&id, "f"), &[7; 100_000]).await.unwrap();
    let (disable, restore) =
        (DisableSpace { space: id.clone() }, RestoreSpace { space: id.clone() });
    let purge = PurgeSpace { space: id.clone() };
    assert_eq!(refused(spaces.disable(&bob, disable.clone()).await), ErrorKind::PermissionDenied);
    assert_eq!(refused(spaces.purge(&ada, purge.clone()).await), ErrorKind::InvalidArgument);
    spaces.disable(&ada, disable.clone()).await.unwrap();
    for cx in [&ada, &bob, &admin] {
        assert_eq!(refused(subject.stat(cx, at(&id, "")).await), ErrorKind::NotFound);
        assert_eq!(refused(subject.put(cx, at(&id, "g"), b"x").await), ErrorKind::NotFound);
    }
    let named = UpdateSpace { name: Some("x".into()), ..UpdateSpace::of(id.clone()) };
    assert_eq!(refused(spaces.update(&ada, named).await), ErrorKind::PermissionDenied);
    assert_eq!(subject.names_of(&bob, ListSpaces::default()).await, [""; 0]);
    assert_eq!(subject.names_of(&ada, ListSpaces::default()).await, ["e"]);
    let seen = spaces.get(&ada, GetSpace { space: id.clone() }).await.unwrap();
    assert!(seen.disabled.is_some());
    assert_eq!(refused(spaces.restore(&bob, restore.clone()).await), ErrorKind::NotFound);
    assert_eq!(spaces.restore(&ada, restore).await.unwrap().disabled, None);
    assert_eq!(subject.get(&bob, at(&id, "f")).await.unwrap(), [7; 100_000]);
    spaces.disable(&admin, disable).await.unwrap();
    assert_eq!(refused(spaces.purge(&bob, purge.clone()).await), ErrorKind::NotFound);
    spaces.purge(&ada, purge.clone()).await.unwrap();
    assert_eq!(refused(spaces.purge(&admin, purge).await), ErrorKind::NotFound);
    assert_eq!(refused(spaces.get(&admin, GetSpace { space: id }).await), ErrorKind::NotFound);
    assert_eq!(subject.names_of(&ada, ListSpaces::default()).await, [""; 0]);

    // Ids may come from a directory that makes short ones: this one's folder holds that of another.
    let (ada, other) = (person("e-", 0), person("e-another", 0));
    let others = subject.home(&other).await;
    let home = subject.home(&ada).await;
    subject.put(&ada, at(&home, "f"), b"content").await.unwrap();
    let disable = DisableSpace { space: home.clone() };
    assert_eq!(refused(spaces.disable(&ada, disable.clone()).await), ErrorKind::PermissionDenied);
    spaces.disable(&admin, disable).await.unwrap();
    spaces.purge(&admin, PurgeSpace { space: home.clone() }).await.unwrap();
    assert_eq!(subject.home(&ada).await, home, "the same id once more");
    assert!(subject.names(&ada, &at(&home, ""), 10).await.unwrap().is_empty());
    assert!(subject.names(&other, &at(&others, ""), 10).await.unwrap().is_empty());
}
