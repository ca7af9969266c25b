//! What every storage must do with grants.

use std::time::Duration;

use super::spaces::{grant, member, user};
use super::subject::{Subject, at, person, refused};
use crate::access::{Grant, Grantee};
use crate::cx::Cx;
use crate::error::ErrorKind;
use crate::permissions::Permissions;
use crate::port::{Grants, ListGrants, RemoveGrant, SetGrant};
use crate::reference::Reference;
use crate::user::UserRole;

const MANAGER: &str = "txrwadCcoOuUPvVq";

async fn list(grants: &dyn Grants, cx: &Cx, target: Reference) -> Vec<Grant> {
    grants.list(cx, ListGrants { target }).await.unwrap()
}

fn remove(target: Reference, grantee: Grantee) -> RemoveGrant {
    RemoveGrant { target, grantee, lock_tokens: Vec::new() }
}

/// Runs everything about grants.
pub async fn grants(subject: &Subject, grants: &dyn Grants) {
    sharing(subject, grants).await;
    limits(subject, grants).await;
    members(subject, grants).await;
}

async fn sharing(subject: &Subject, grants: &dyn Grants) {
    let (owner, bob) = (person("gs-owner", 0), person("gs-bob", 0));
    let eve = member("gs-eve", UserRole::User, &["gs-group"]);
    let root = subject.home(&owner).await;
    let folder = subject.mkdir(&owner, at(&root, "d")).await.unwrap().info.id.clone();
    subject.put(&owner, at(&root, "d/f"), b"shared").await.unwrap();
    let before = subject.stat(&owner, at(&root, "")).await.unwrap().info.etag.clone();
    grants.set(&owner, grant(&folder, user("gs-bob"), "txr")).await.unwrap();
    let after = subject.stat(&owner, at(&root, "")).await.unwrap().info.etag.clone();
    assert_ne!(before, after, "a grant reaches the root's etag");
    let listed = list(grants, &owner, at(&folder, "")).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].creator, Some("gs-owner".parse().unwrap()));
    assert_eq!(subject.get(&bob, at(&folder, "f")).await.unwrap(), b"shared");
    assert_eq!(refused(subject.stat(&bob, at(&root, "")).await), ErrorKind::NotFound);
    let own = grants.list(&bob, ListGrants { target: at(&folder, "") }).await;
    assert_eq!(refused(own), ErrorKind::PermissionDenied);
    assert_eq!(
        refused(subject.put(&bob, at(&folder, "f"), b"x").await),
        ErrorKind::PermissionDenied
    );
    // Changed, to one that ends.
    // Late, because the data plane goes by a clock of its own.
    let end = owner.now.plus(Duration::from_secs(86_400 * 365 * 50));
    let mut ending = grant(&folder, user("gs-bob"), "txrw");
    ending.grant.expires = Some(end);
    grants.set(&owner, ending).await.unwrap();
    assert_eq!(list(grants, &owner, at(&folder, "")).await[0].expires, Some(end));
    subject.put(&bob, at(&folder, "f"), b"written").await.unwrap();
    let late = Cx { now: end, ..bob.clone() };
    assert_eq!(refused(subject.stat(&late, at(&folder, "f")).await), ErrorKind::NotFound);
    // A group, one of whose members is denied.
    let group = Grantee::Group("gs-group".parse().unwrap());
    grants.set(&owner, grant(&folder, group.clone(), "txr")).await.unwrap();
    assert_eq!(subject.get(&eve, at(&folder, "f")).await.unwrap(), b"written");
    let file = subject.stat(&owner, at(&folder, "f")).await.unwrap().info.id.clone();
    grants.set(&owner, grant(&file, user("gs-eve"), "")).await.unwrap();
    assert_eq!(refused(subject.get(&eve, at(&folder, "f")).await), ErrorKind::NotFound);
    assert!(subject.names(&eve, &at(&folder, ""), 10).await.unwrap().is_empty());
    grants.remove(&owner, remove(at(&file, ""), user("gs-eve"))).await.unwrap();
    grants.remove(&owner, remove(at(&folder, ""), group.clone())).await.unwrap();
    assert_eq!(refused(subject.stat(&eve, at(&folder, "f")).await), ErrorKind::NotFound);
    let gone = grants.remove(&owner, remove(at(&folder, ""), group)).await;
    assert_eq!(refused(gone), ErrorKind::NotFound);
}

async fn limits(subject: &Subject, grants: &dyn Grants) {
    let (owner, bob, eve) = (person("gl-owner", 0), person("gl-bob", 0), person("gl-eve", 0));
    let root = subject.home(&owner).await;
    let folder = subject.mkdir(&owner, at(&root, "d")).await.unwrap().info.id.clone();
    let denied = ErrorKind::PermissionDenied;
    grants.set(&owner, grant(&folder, user("gl-bob"), "txr")).await.unwrap();
    let set = |cx: &Cx, to: &str, letters: &str| {
        let (cx, request) = (cx.clone(), grant(&folder, user(to), letters));
        async move { grants.set(&cx, request).await }
    };
    assert_eq!(refused(set(&bob, "gl-eve", "txr").await), denied, "no permission to share");
    assert_eq!(refused(set(&eve, "gl-eve", "txr").await), ErrorKind::NotFound);
    grants.set(&owner, grant(&folder, user("gl-bob"), "txrC")).await.unwrap();
    assert_eq!(refused(set(&bob, "gl-eve", "txrw").await), denied, "more than they have");
    assert_eq!(refused(set(&bob, "gl-eve", "").await), denied, "no permission to deny");
    set(&bob, "gl-eve", "txr").await.unwrap();
    assert_eq!(refused(set(&bob, "gl-bob", "t").await), denied, "no permission to change");
    set(&bob, "gl-eve", "t").await.unwrap();
    let given = remove(at(&folder, ""), user("gl-bob"));
    assert_eq!(refused(grants.remove(&bob, given).await), denied);
    grants.remove(&bob, remove(at(&folder, ""), user("gl-eve"))).await.unwrap();
    let mut ended = grant(&folder, user("gl-eve"), "txr");
    ended.grant.expires = Some(owner.now);
    assert_eq!(refused(grants.set(&owner, ended).await), ErrorKind::InvalidArgument);
    let all = Permissions::from_letters(MANAGER);
    assert_eq!(all, Permissions::MANAGER, "a manager can give everything");
}

async fn members(subject: &Subject, grants: &dyn Grants) {
    let admin = member("gm-admin", UserRole::Admin, &[]);
    let ada = person("gm-ada", 0);
    let root = subject.project(&admin, "gm").await.root;
    let me = |letters: &str| grant(&root, user("gm-admin"), letters);
    let last = grants.remove(&admin, remove(at(&root, ""), user("gm-admin"))).await;
    assert_eq!(refused(last), ErrorKind::PermissionDenied, "the last manager stays");
    assert_eq!(refused(grants.set(&admin, me("txr")).await), ErrorKind::PermissionDenied);
    let mut ending: SetGrant = me(MANAGER);
    ending.grant.expires = Some(admin.now.plus(Duration::from_secs(1)));
    assert_eq!(refused(grants.set(&admin, ending).await), ErrorKind::PermissionDenied);
    let nobody = grants.set(&admin, grant(&root, user("gm-ada"), "")).await;
    assert_eq!(refused(nobody), ErrorKind::InvalidArgument, "a space has no denials");
    grants.set(&admin, grant(&root, user("gm-ada"), MANAGER)).await.unwrap();
    grants.remove(&ada, remove(at(&root, ""), user("gm-admin"))).await.unwrap();
    assert_eq!(refused(subject.stat(&admin, at(&root, "")).await), ErrorKind::NotFound);
    assert_eq!(list(grants, &ada, at(&root, "")).await.len(), 1);
}
