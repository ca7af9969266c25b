//! What everybody who keeps roles must do.

use std::sync::Arc;

use futures::future::join_all;

use super::subject::{person, refused};
use crate::cx::{Caller, Cx};
use crate::error::ErrorKind;
use crate::id::UserId;
use crate::port::{AssignRole, RoleAssignment, Roles, UnassignRole};
use crate::user::UserRole;

fn with_role(name: &str, role: UserRole) -> Cx {
    let cx = person(name, 0);
    let identity = cx.caller.identity().unwrap();
    let identity = crate::Identity { role, ..(**identity).clone() };
    Cx { caller: Caller::User(Arc::new(identity)), ..cx }
}

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn give(name: &str, role: UserRole) -> AssignRole {
    AssignRole { user: user(name), role }
}

/// Runs everything about roles, on a port where nobody called `r-…` has one.
pub async fn roles(port: &dyn Roles) {
    let admin = with_role("r-admin", UserRole::Admin);
    let server = Cx { caller: Caller::Service("test".into()), ..admin.clone() };
    let of = async |name: &str| port.assigned(&server, user(name)).await.unwrap();
    assert_eq!(of("r-ada").await, None);
    let first = port.assign(&admin, give("r-ada", UserRole::SpaceAdmin)).await.unwrap();
    assert_eq!((first.user.as_str(), first.role), ("r-ada", UserRole::SpaceAdmin));
    assert_eq!(of("r-ada").await, Some(first.clone()));
    let second = port.assign(&admin, give("r-ada", UserRole::User)).await.unwrap();
    assert_eq!(of("r-ada").await, Some(second.clone()), "one role at most");
    let mine = port.assigned(&person("r-ada", 0), user("r-ada")).await.unwrap();
    assert_eq!(mine, Some(second.clone()), "everybody may ask for themselves");

    let kept = port.ensure(&server, give("r-ada", UserRole::UserLight)).await.unwrap();
    assert_eq!(kept, second, "who has a role keeps it");
    let firsts = (0..8).map(|_| port.ensure(&server, give("r-bob", UserRole::User)));
    let firsts: Vec<RoleAssignment> =
        join_all(firsts).await.into_iter().map(|first| first.unwrap()).collect();
    assert!(firsts.windows(2).all(|pair| pair[0] == pair[1]), "it is given once: {firsts:?}");
    let holders = port.holders(&admin, UserRole::User).await.unwrap();
    assert!(holders.contains(&second) && holders.contains(&firsts[0]), "{holders:?}");
    assert!(port.holders(&admin, UserRole::SpaceAdmin).await.unwrap().is_empty());

    strangers(port, &second).await;
    let other =
        |assignment: &str| UnassignRole { user: user("r-ada"), assignment: assignment.into() };
    assert_eq!(refused(port.unassign(&admin, other("none")).await), ErrorKind::NotFound);
    port.unassign(&admin, other(&second.id)).await.unwrap();
    assert_eq!(of("r-ada").await, None);
    assert_eq!(refused(port.unassign(&admin, other(&second.id)).await), ErrorKind::NotFound);
    let again = port.ensure(&server, give("r-ada", UserRole::User)).await.unwrap();
    assert_eq!(of("r-ada").await, Some(again));
}

/// What who may not, may not.
async fn strangers(port: &dyn Roles, ada: &RoleAssignment) {
    let unassign = UnassignRole { user: ada.user.clone(), assignment: ada.id.clone() };
    let callers = [
        with_role("r-bob", UserRole::User),
        with_role("r-bob", UserRole::SpaceAdmin),
        with_role("r-bob", UserRole::UserLight),
    ];
    for cx in callers {
        for kind in [
            refused(port.assigned(&cx, user("r-ada")).await),
            refused(port.holders(&cx, UserRole::User).await),
            refused(port.assign(&cx, give("r-ada", UserRole::Admin)).await),
            refused(port.assign(&cx, give("r-bob", UserRole::Admin)).await),
            refused(port.ensure(&cx, give("r-eve", UserRole::Admin)).await),
            refused(port.unassign(&cx, unassign.clone()).await),
        ] {
            assert_eq!(kind, ErrorKind::PermissionDenied);
        }
    }
    let own = with_role("r-ada", UserRole::Admin);
    let kind = refused(port.assign(&own, give("r-ada", UserRole::Admin)).await);
    assert_eq!(kind, ErrorKind::PermissionDenied, "nobody changes the own role");
    assert_eq!(refused(port.unassign(&own, unassign).await), ErrorKind::PermissionDenied);
    let nobody = Cx { caller: Caller::Anonymous, ..own };
    let kind = refused(port.assigned(&nobody, user("r-ada")).await);
    assert_eq!(kind, ErrorKind::Unauthenticated);
}
