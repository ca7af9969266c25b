//! What every storage must do with callers whose credentials are good for one node only.

use std::sync::Arc;

use super::subject::{Subject, at, person, refused};
use crate::cx::{Caller, Cx, Identity};
use crate::error::ErrorKind;
use crate::id::ResourceId;
use crate::permissions::Permissions;
use crate::port::{Conditions, CreateSpace, Delete, ListSpaces, Move};
use crate::scope::Scope;
use crate::space::SpaceKind;
use crate::user::UserRole;

/// `cx` with credentials that reach to `node` and no further.
fn narrowed(cx: &Cx, node: &ResourceId, permissions: Permissions) -> Cx {
    let identity = Identity {
        scope: Scope::Below { node: node.clone(), permissions },
        // Nothing of what the role allows is left.
        role: UserRole::Admin,
        ..(**cx.caller.identity().unwrap()).clone()
    };
    Cx { caller: Caller::User(Arc::new(identity)), ..cx.clone() }
}

/// Runs everything about scopes.
pub async fn scopes(subject: &Subject) {
    let owner = person("sc-owner", 0);
    let root = subject.home(&owner).await;
    let folder = subject.mkdir(&owner, at(&root, "d")).await.unwrap().info.id.clone();
    subject.mkdir(&owner, at(&folder, "below")).await.unwrap();
    subject.put(&owner, at(&folder, "below/f"), b"shared").await.unwrap();
    subject.put(&owner, at(&root, "secret"), b"secret").await.unwrap();

    let read = Permissions::STAT
        | Permissions::GET_PATH
        | Permissions::LIST_CONTAINER
        | Permissions::DOWNLOAD;
    let reader = narrowed(&owner, &folder, read);
    assert_eq!(subject.get(&reader, at(&folder, "below/f")).await.unwrap(), b"shared");
    assert_eq!(subject.names(&reader, &at(&folder, ""), 10).await.unwrap(), ["below"]);
    let node = subject.stat(&reader, at(&folder, "below/f")).await.unwrap();
    assert_eq!(node.permissions, read, "no more than the scope");
    for path in ["", "secret"] {
        assert_eq!(refused(subject.stat(&reader, at(&root, path)).await), ErrorKind::NotFound);
    }
    assert_eq!(refused(subject.names(&reader, &at(&root, ""), 10).await), ErrorKind::NotFound);
    assert_eq!(refused(subject.get(&reader, at(&root, "secret")).await), ErrorKind::NotFound);
    let denied = ErrorKind::PermissionDenied;
    assert_eq!(refused(subject.put(&reader, at(&folder, "x"), b"").await), denied);
    assert_eq!(refused(subject.mkdir(&reader, at(&folder, "x")).await), denied);
    let delete = Delete { target: at(&folder, "below/f"), conditions: Conditions::default() };
    assert_eq!(refused(subject.nodes.delete(&reader, delete).await), denied);

    let writer = narrowed(&owner, &folder, Permissions::MANAGER);
    subject.put(&writer, at(&folder, "below/f"), b"written").await.unwrap();
    assert_eq!(subject.get(&owner, at(&folder, "below/f")).await.unwrap(), b"written");
    assert_eq!(refused(subject.put(&writer, at(&root, "x"), b"").await), ErrorKind::NotFound);
    for (from, to) in [("d/below/f", "f"), ("secret", "d/stolen")] {
        let (source, target) = (at(&root, from), at(&root, to));
        let conditions = Conditions::default();
        let request = Move { from: source, to: target, overwrite: false, conditions };
        assert!(subject.nodes.rename(&writer, request).await.is_err(), "{from} {to}");
    }
    // What is an account's own, or its role's, is not its link's.
    let spaces = subject.spaces.list(&writer, ListSpaces::default()).await.unwrap().items;
    assert!(spaces.is_empty(), "{spaces:?}");
    let project = CreateSpace::new(SpaceKind::Project, "sc");
    assert_eq!(refused(subject.spaces.create(&writer, project).await), denied);
    let bob = person("sc-bob", 0);
    let own = narrowed(&bob, &folder, Permissions::MANAGER);
    let home = CreateSpace::personal("sc-bob".parse().unwrap(), "sc-bob");
    assert_eq!(refused(subject.spaces.create(&own, home).await), denied);
    // A scope gives nothing that the account does not have.
    assert_eq!(refused(subject.stat(&own, at(&folder, "")).await), ErrorKind::NotFound);
}
