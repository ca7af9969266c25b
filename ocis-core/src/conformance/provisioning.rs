//! What every directory that can be changed must do, and every one that can not.

use std::fmt;
use std::sync::Arc;

use super::subject::{person, refused};
use crate::config::Secret;
use crate::cx::{Caller, Cx, Identity};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, UserId};
use crate::port::{
    Authenticate, ChangeMembers, ChangeUser, Credentials, FindUser, GetGroup, Groups, ListGroups,
    ListUsers, NewGroup, NewUser, Provisioning, RenameGroup, UserChange, Users,
};
use crate::user::{ExternalIdentity, Group, User, UserRole, UserType};

/// A directory under test, through all of its ports.
#[derive(Clone, Copy)]
pub struct Accounts<'a> {
    /// The accounts.
    pub users: &'a dyn Users,
    /// The groups.
    pub groups: &'a dyn Groups,
    /// The changes.
    pub provisioning: &'a dyn Provisioning,
    /// Who knows the passwords. That an old password may be remembered for a while is no defect:
    /// the suite never signs in with one that it changes or locks out later.
    pub authenticate: &'a dyn Authenticate,
}

impl fmt::Debug for Accounts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

/// Runs everything about changes, on a directory that can be changed and that has no accounts or
/// groups whose names begin with `suite-`.
pub async fn provisioning(subject: Accounts<'_>) {
    subject.accounts_come_and_go().await;
    subject.accounts_change().await;
    subject.passwords_change().await;
    subject.accounts_are_locked_out().await;
    subject.what_is_taken_or_wrong_is_refused().await;
    subject.groups_come_and_go().await;
    subject.members_come_and_go().await;
    subject.only_some_roles_may().await;
    subject.nobody_ends_the_own_account().await;
}

/// Runs everything about a directory that can only be read and holds at least one group with
/// members: each change is refused, whoever asks, and nothing is different after it.
pub async fn read_only(users: &dyn Users, groups: &dyn Groups, provisioning: &dyn Provisioning) {
    let cx = admin();
    let before = (
        users.list(&cx, ListUsers::default()).await.unwrap(),
        groups.list(&cx, ListGroups::default()).await.unwrap(),
    );
    let group = before.1.items.iter().find(|group| !group.members.is_empty()).unwrap();
    let user = group.members.first().unwrap();
    for kind in all_changes(provisioning, &cx, user, &group.id).await {
        assert_eq!(kind.map_err(|error| error.kind()), Err(ErrorKind::PermissionDenied));
    }
    let after = (
        users.list(&cx, ListUsers::default()).await.unwrap(),
        groups.list(&cx, ListGroups::default()).await.unwrap(),
    );
    assert_eq!(before, after);
}

/// What each method of the port says to a caller who asks for something that could be done.
async fn all_changes(
    port: &dyn Provisioning,
    cx: &Cx,
    user: &UserId,
    group: &GroupId,
) -> Vec<Result<()>> {
    let members = || ChangeMembers { group: group.clone(), members: vec![user.clone()] };
    let change = UserChange { display_name: Some("Somebody Else".into()), ..Default::default() };
    let renamed = RenameGroup { group: group.clone(), name: "suite-renamed-by-all".into() };
    let new_group = NewGroup { name: "suite-made-by-all".into(), ..Default::default() };
    vec![
        port.create_user(cx, account("suite-made-by-all")).await.map(drop),
        port.change_user(cx, ChangeUser { user: user.clone(), change }).await.map(drop),
        port.create_group(cx, new_group).await.map(drop),
        port.rename_group(cx, renamed).await.map(drop),
        port.add_members(cx, members()).await.map(drop),
        port.remove_members(cx, members()).await.map(drop),
        port.delete_group(cx, group.clone()).await,
        port.delete_user(cx, user.clone()).await,
    ]
}

fn admin() -> Cx {
    with_role("suite-asker", UserRole::Admin)
}

fn with_role(id: &str, role: UserRole) -> Cx {
    let mut cx = person(id, 0);
    let identity = Identity { role, ..Identity::clone(cx.caller.identity().unwrap()) };
    cx.caller = Caller::User(Arc::new(identity));
    cx
}

fn account(username: &str) -> NewUser {
    NewUser {
        username: username.into(),
        display_name: format!("Display of {username}"),
        given_name: "Given".into(),
        surname: "Name".into(),
        mail: format!("{username}@example.org"),
        enabled: true,
        ..NewUser::default()
    }
}

fn nobody() -> UserId {
    UserId::parse("00000000-0000-4000-8000-000000000000").unwrap()
}

fn no_group() -> GroupId {
    GroupId::parse("00000000-0000-4000-8000-000000000000").unwrap()
}

impl Accounts<'_> {
    async fn make(&self, username: &str) -> User {
        self.provisioning.create_user(&admin(), account(username)).await.unwrap()
    }

    async fn make_group(&self, name: &str, members: &[&User]) -> Group {
        let members = members.iter().map(|user| user.id.clone()).collect();
        let new = NewGroup { id: None, name: name.into(), members };
        self.provisioning.create_group(&admin(), new).await.unwrap()
    }

    async fn change(&self, cx: &Cx, user: &UserId, change: UserChange) -> Result<User> {
        self.provisioning.change_user(cx, ChangeUser { user: user.clone(), change }).await
    }

    async fn user(&self, id: &UserId) -> Result<User> {
        self.users.find(&admin(), FindUser::Id(id.clone())).await
    }

    async fn group(&self, id: &GroupId) -> Result<Group> {
        self.groups.get(&admin(), GetGroup::Id(id.clone())).await
    }

    async fn listed(&self, search: &str) -> Vec<User> {
        let request = ListUsers { search: Some(search.into()), ..ListUsers::default() };
        self.users.list(&admin(), request).await.unwrap().items
    }

    async fn signs_in(&self, username: &str, password: &str) -> bool {
        let credentials = Credentials::Basic {
            username: username.into(),
            password: password.into(),
            peer: Some([127, 0, 0, 1].into()),
        };
        match self.authenticate.authenticate(&person("suite-asker", 0), credentials).await {
            Ok(identity) => {
                assert!(identity.username.eq_ignore_ascii_case(username));
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
                false
            }
        }
    }

    async fn accounts_come_and_go(&self) {
        let id = UserId::parse("5a17e000-0000-4000-8000-000000000001").unwrap();
        let identity = ExternalIdentity {
            issuer: "https://login.example.org".into(),
            id: "subject $ (of) another*issuer".into(),
        };
        let new = NewUser {
            id: Some(id.clone()),
            username: "suite-Ada".into(),
            display_name: "Ada, \"Countess\" of Lovelace+King; <née Byron> \\ #1 é☃".into(),
            given_name: "Ada (Augusta)".into(),
            surname: "Lovelace*".into(),
            mail: "ada=suite@example.org".into(),
            user_type: UserType::Guest,
            enabled: true,
            password: Some(Secret::new("diff=erence, (engine)*")),
            identities: vec![identity],
        };
        let made = self.provisioning.create_user(&admin(), new.clone()).await.unwrap();
        assert_eq!((&made.id, &made.username), (&id, &new.username));
        assert_eq!((&made.display_name, &made.mail), (&new.display_name, &new.mail));
        assert_eq!((&made.given_name, &made.surname), (&new.given_name, &new.surname));
        assert_eq!((made.user_type, made.enabled), (UserType::Guest, true));
        assert_eq!(made.identities, new.identities);
        assert!(made.groups.is_empty());
        for way in [
            FindUser::Id(id.clone()),
            FindUser::Username("SUITE-ADA".into()),
            FindUser::Mail("Ada=Suite@Example.ORG".into()),
        ] {
            assert_eq!(self.users.find(&admin(), way).await.unwrap(), made);
        }
        for part in ["suite-ad", "Lovelace+King; <n", "da=suite@example"] {
            assert_eq!(self.listed(part).await, std::slice::from_ref(&made), "{part}");
        }
        assert!(self.listed("*uite-ada").await.is_empty(), "a star is a star");
        assert!(self.signs_in("suite-ada", "diff=erence, (engine)*").await);
        assert!(!self.signs_in("suite-ada", "*").await);

        self.provisioning.delete_user(&admin(), id.clone()).await.unwrap();
        assert_eq!(refused(self.user(&id).await), ErrorKind::NotFound);
        assert!(self.listed("suite-ada").await.is_empty());
        let again = self.provisioning.delete_user(&admin(), id).await;
        assert_eq!(refused(again), ErrorKind::NotFound);

        // What is left out is empty or derived, and an account without a password never signs in.
        let bare = NewUser { username: "suite-bare".into(), enabled: true, ..NewUser::default() };
        let bare = self.provisioning.create_user(&admin(), bare).await.unwrap();
        assert_eq!(bare.display_name, "suite-bare");
        assert_eq!((bare.mail.as_str(), bare.user_type), ("", UserType::Member));
        assert!(bare.identities.is_empty());
        assert_eq!(self.user(&bare.id).await.unwrap(), bare);
        assert!(!self.signs_in("suite-bare", "anything").await);
        let service = Cx::new(Caller::Service("suite".into()), admin().now);
        self.provisioning.delete_user(&service, bare.id).await.unwrap();
    }

    async fn accounts_change(&self) {
        let made = self.make("suite-mary").await;
        let team = self.make_group("suite-marys", &[&made]).await;
        let same = self.change(&admin(), &made.id, UserChange::default()).await.unwrap();
        assert_eq!(same, User { groups: vec![team.id.clone()], ..made.clone() });
        let identity = ExternalIdentity { issuer: "https://a.example".into(), id: "7".into() };
        let change = UserChange {
            username: Some("suite-marie".into()),
            display_name: Some("Marie S.".into()),
            given_name: Some(String::new()),
            surname: Some("Sommerville".into()),
            mail: Some(String::new()),
            user_type: Some(UserType::Federated),
            identities: Some(vec![identity.clone()]),
            ..UserChange::default()
        };
        let changed = self.change(&admin(), &made.id, change).await.unwrap();
        let expected = User {
            id: made.id.clone(),
            username: "suite-marie".into(),
            display_name: "Marie S.".into(),
            given_name: String::new(),
            surname: "Sommerville".into(),
            mail: String::new(),
            groups: vec![team.id.clone()],
            enabled: true,
            user_type: UserType::Federated,
            identities: vec![identity],
            password_version: made.password_version.clone(),
        };
        assert_eq!(changed, expected);
        assert_eq!(self.user(&made.id).await.unwrap(), expected);
        for gone in [
            FindUser::Username("suite-mary".into()),
            FindUser::Mail("suite-mary@example.org".into()),
        ] {
            assert_eq!(refused(self.users.find(&admin(), gone).await), ErrorKind::NotFound);
        }
        assert_eq!(
            self.group(&team.id).await.unwrap().members,
            std::slice::from_ref(&made.id),
            "a member that is called otherwise is still a member"
        );
        // The same name in another case is no other name.
        let case = UserChange { username: Some("Suite-Marie".into()), ..UserChange::default() };
        assert_eq!(self.change(&admin(), &made.id, case).await.unwrap().username, "Suite-Marie");
        let back = UserChange {
            user_type: Some(UserType::Member),
            identities: Some(Vec::new()),
            ..UserChange::default()
        };
        let back = self.change(&admin(), &made.id, back).await.unwrap();
        assert_eq!((back.user_type, back.identities.len()), (UserType::Member, 0));
        let missing = UserChange { mail: Some("a@example.org".into()), ..UserChange::default() };
        assert_eq!(refused(self.change(&admin(), &nobody(), missing).await), ErrorKind::NotFound);
    }

    async fn passwords_change(&self) {
        let new = NewUser { password: Some(Secret::new("first-secret")), ..account("suite-own") };
        let user = self.provisioning.create_user(&admin(), new).await.unwrap();
        let password =
            |text: &str| UserChange { password: Some(Secret::new(text)), ..Default::default() };
        let changed = self.change(&admin(), &user.id, password("second-secret")).await.unwrap();
        let version = changed.password_version.clone();
        // Empty where the directory does not tell.
        assert!(version != user.password_version || version.is_empty(), "another password");
        assert_eq!(changed, User { password_version: version, ..user.clone() }, "nothing else");
        assert!(!self.signs_in("suite-own", "first-secret").await);
        // Their own, but nothing else of it, and not that of others.
        for role in [UserRole::User, UserRole::SpaceAdmin] {
            let own = with_role(user.id.as_str(), role);
            self.change(&own, &user.id, password("third-secret")).await.unwrap();
            let more = UserChange { mail: Some(String::new()), ..password("fourth-secret") };
            let kind = refused(self.change(&own, &user.id, more).await);
            assert_eq!(kind, ErrorKind::PermissionDenied);
        }
        for stranger in [
            with_role(user.id.as_str(), UserRole::UserLight),
            with_role("suite-asker", UserRole::User),
        ] {
            let kind = refused(self.change(&stranger, &user.id, password("theirs")).await);
            assert_eq!(kind, ErrorKind::PermissionDenied);
        }
        let empty = self.change(&admin(), &user.id, password("")).await;
        assert_eq!(refused(empty), ErrorKind::InvalidArgument);
        assert!(!self.signs_in("suite-own", "second-secret").await);
        assert!(self.signs_in("suite-own", "third-secret").await);
    }

    async fn accounts_are_locked_out(&self) {
        let enabled = |enabled| UserChange { enabled: Some(enabled), ..UserChange::default() };
        let new = NewUser { password: Some(Secret::new("a-secret")), ..account("suite-out") };
        let user = self.provisioning.create_user(&admin(), new).await.unwrap();
        let out = self.change(&admin(), &user.id, enabled(false)).await.unwrap();
        assert_eq!(out, User { enabled: false, ..user.clone() });
        assert!(!self.signs_in("suite-out", "a-secret").await);
        assert_eq!(self.user(&user.id).await.unwrap(), out, "it is found all the same");
        assert_eq!(self.listed("suite-out").await, [out]);
        assert_eq!(self.change(&admin(), &user.id, enabled(true)).await.unwrap(), user);
        assert!(self.signs_in("suite-out", "a-secret").await);
        let new = NewUser { enabled: false, ..account("suite-never") };
        assert!(!self.provisioning.create_user(&admin(), new).await.unwrap().enabled);
    }

    async fn what_is_taken_or_wrong_is_refused(&self) {
        let first = self.make("suite-first").await;
        let second = self.make("suite-second").await;
        let same_name = account("SUITE-first");
        let same_id = NewUser { id: Some(first.id.clone()), ..account("suite-third") };
        for new in [same_name, same_id] {
            let kind = refused(self.provisioning.create_user(&admin(), new).await);
            assert_eq!(kind, ErrorKind::AlreadyExists);
        }
        let name = |name: &str| UserChange { username: Some(name.into()), ..Default::default() };
        let kind = refused(self.change(&admin(), &second.id, name("Suite-First")).await);
        assert_eq!(kind, ErrorKind::AlreadyExists);
        let long = "x".repeat(10_000);
        for wrong in ["", " ", "suite ", "a:b", "a\0b", "a\nb", long.as_str()] {
            let kind = refused(self.provisioning.create_user(&admin(), account(wrong)).await);
            assert_eq!(kind, ErrorKind::InvalidArgument, "{wrong:?}");
            let kind = refused(self.change(&admin(), &second.id, name(wrong)).await);
            assert_eq!(kind, ErrorKind::InvalidArgument, "{wrong:?}");
        }
        for wrong in ["no-address", "@example.org", "a@", "a b@example.org", "a@b\n.org"] {
            let new = NewUser { mail: wrong.into(), ..account("suite-mail") };
            let kind = refused(self.provisioning.create_user(&admin(), new).await);
            assert_eq!(kind, ErrorKind::InvalidArgument, "{wrong:?}");
        }
        for wrong in ["a\0b", "a\nb", long.as_str()] {
            let new = NewUser { display_name: wrong.into(), ..account("suite-display") };
            let kind = refused(self.provisioning.create_user(&admin(), new).await);
            assert_eq!(kind, ErrorKind::InvalidArgument, "{wrong:?}");
        }
        assert_eq!(self.user(&first.id).await.unwrap(), first);
        assert_eq!(self.user(&second.id).await.unwrap(), second);
        for left in ["suite-third", "suite-mail", "suite-display"] {
            assert!(self.listed(left).await.is_empty(), "{left}");
        }
    }

    async fn groups_come_and_go(&self) {
        let id = GroupId::parse("5a17e000-0000-4000-8000-000000000002").unwrap();
        let name = "suite, the + \"first\" (group)*";
        let new = NewGroup { id: Some(id.clone()), name: name.into(), members: Vec::new() };
        let made = self.provisioning.create_group(&admin(), new.clone()).await.unwrap();
        assert_eq!(made, Group { id: id.clone(), name: name.into(), members: Vec::new() });
        assert_eq!(self.group(&id).await.unwrap(), made);
        let same_id = NewGroup { name: "suite-other".into(), ..new.clone() };
        let same_name = NewGroup { id: None, name: name.to_uppercase(), ..new.clone() };
        for taken in [same_id, same_name] {
            let kind = refused(self.provisioning.create_group(&admin(), taken).await);
            assert_eq!(kind, ErrorKind::AlreadyExists);
        }
        let long = "x".repeat(10_000);
        for wrong in ["", "  ", "a\nb", long.as_str()] {
            let new = NewGroup { name: wrong.into(), ..NewGroup::default() };
            let kind = refused(self.provisioning.create_group(&admin(), new).await);
            assert_eq!(kind, ErrorKind::InvalidArgument, "{wrong:?}");
            let rename = RenameGroup { group: id.clone(), name: wrong.into() };
            let kind = refused(self.provisioning.rename_group(&admin(), rename).await);
            assert_eq!(kind, ErrorKind::InvalidArgument, "{wrong:?}");
        }
        let unknown =
            NewGroup { id: None, name: "suite-with-nobody".into(), members: vec![nobody()] };
        let kind = refused(self.provisioning.create_group(&admin(), unknown).await);
        assert_eq!(kind, ErrorKind::NotFound);
        let half = GetGroup::Name("suite-with-nobody".into());
        assert_eq!(refused(self.groups.get(&admin(), half).await), ErrorKind::NotFound);

        let member = self.make("suite-member").await;
        let other = self.make_group("suite-others", &[&member]).await;
        let taken = RenameGroup { group: other.id.clone(), name: name.to_uppercase() };
        let kind = refused(self.provisioning.rename_group(&admin(), taken).await);
        assert_eq!(kind, ErrorKind::AlreadyExists);
        for name in ["suite-renamed", "Suite-Renamed"] {
            let rename = RenameGroup { group: other.id.clone(), name: name.into() };
            let renamed = self.provisioning.rename_group(&admin(), rename).await.unwrap();
            assert_eq!(renamed, Group { name: name.into(), ..other.clone() });
        }
        let old = GetGroup::Name("suite-others".into());
        assert_eq!(refused(self.groups.get(&admin(), old).await), ErrorKind::NotFound);
        assert_eq!(self.user(&member.id).await.unwrap().groups, std::slice::from_ref(&other.id));

        self.provisioning.delete_group(&admin(), other.id.clone()).await.unwrap();
        assert_eq!(refused(self.group(&other.id).await), ErrorKind::NotFound);
        assert!(self.user(&member.id).await.unwrap().groups.is_empty());
        let again = self.provisioning.delete_group(&admin(), other.id.clone()).await;
        assert_eq!(refused(again), ErrorKind::NotFound);
        let rename = RenameGroup { group: other.id, name: "suite-back".into() };
        let kind = refused(self.provisioning.rename_group(&admin(), rename).await);
        assert_eq!(kind, ErrorKind::NotFound);
    }

    async fn members_come_and_go(&self) {
        let one = self.make("suite-one").await;
        let two = self.make("suite-two").await;
        let team = self.make_group("suite-team", &[&one]).await;
        assert_eq!(team.members, std::slice::from_ref(&one.id));
        let members = |who: &[&UserId]| ChangeMembers {
            group: team.id.clone(),
            members: who.iter().copied().cloned().collect(),
        };
        let both = members(&[&one.id, &two.id, &two.id]);
        let added = self.provisioning.add_members(&admin(), both).await.unwrap();
        assert_eq!(sorted(added.members), sorted(vec![one.id.clone(), two.id.clone()]));
        assert_eq!(self.user(&two.id).await.unwrap().groups, std::slice::from_ref(&team.id));
        // As a whole or not at all.
        let half = self.provisioning.remove_members(&admin(), members(&[&one.id, &nobody()])).await;
        assert_eq!(refused(half), ErrorKind::NotFound);
        assert_eq!(self.group(&team.id).await.unwrap().members.len(), 2);
        let three = self.make("suite-three").await;
        let half = self.provisioning.add_members(&admin(), members(&[&three.id, &nobody()])).await;
        assert_eq!(refused(half), ErrorKind::NotFound);
        assert!(self.user(&three.id).await.unwrap().groups.is_empty());
        let left = self.provisioning.remove_members(&admin(), members(&[&one.id])).await.unwrap();
        assert_eq!(left.members, std::slice::from_ref(&two.id));
        assert!(self.user(&one.id).await.unwrap().groups.is_empty());
        let again = self.provisioning.remove_members(&admin(), members(&[&one.id])).await;
        assert_eq!(refused(again), ErrorKind::NotFound);
        // The last one may leave, and who is removed is in no group.
        let nobody_left =
            self.provisioning.remove_members(&admin(), members(&[&two.id])).await.unwrap();
        assert!(nobody_left.members.is_empty());
        self.provisioning.add_members(&admin(), members(&[&one.id, &two.id])).await.unwrap();
        self.provisioning.delete_user(&admin(), two.id).await.unwrap();
        assert_eq!(self.group(&team.id).await.unwrap().members, std::slice::from_ref(&one.id));
        let unknown = ChangeMembers { group: no_group(), members: vec![one.id.clone()] };
        let kind = refused(self.provisioning.add_members(&admin(), unknown.clone()).await);
        assert_eq!(kind, ErrorKind::NotFound);
        let kind = refused(self.provisioning.remove_members(&admin(), unknown).await);
        assert_eq!(kind, ErrorKind::NotFound);
    }

    async fn only_some_roles_may(&self) {
        let user = self.make("suite-theirs").await;
        let group = self.make_group("suite-their-group", &[&user]).await;
        for role in [UserRole::SpaceAdmin, UserRole::User, UserRole::UserLight] {
            let cx = with_role("suite-asker", role);
            for result in all_changes(self.provisioning, &cx, &user.id, &group.id).await {
                let kind = result.map_err(|error| error.kind());
                assert_eq!(kind, Err(ErrorKind::PermissionDenied), "{role:?}");
            }
        }
        let cx = Cx { caller: Caller::Anonymous, ..admin() };
        for result in all_changes(self.provisioning, &cx, &user.id, &group.id).await {
            assert_eq!(
                result.map_err(|error: Error| error.kind()),
                Err(ErrorKind::Unauthenticated)
            );
        }
        let user = User { groups: vec![group.id.clone()], ..user };
        assert_eq!(self.user(&user.id).await.unwrap(), user);
        assert_eq!(self.group(&group.id).await.unwrap(), group);
    }

    async fn nobody_ends_the_own_account(&self) {
        let user = self.make("suite-self").await;
        let own = with_role(user.id.as_str(), UserRole::Admin);
        let kind = refused(self.provisioning.delete_user(&own, user.id.clone()).await);
        assert_eq!(kind, ErrorKind::PermissionDenied);
        let out = UserChange { enabled: Some(false), ..UserChange::default() };
        let kind = refused(self.change(&own, &user.id, out).await);
        assert_eq!(kind, ErrorKind::PermissionDenied);
        assert_eq!(self.user(&user.id).await.unwrap(), user);
        let other = UserChange { surname: Some("Other".into()), ..UserChange::default() };
        assert_eq!(self.change(&own, &user.id, other).await.unwrap().surname, "Other");
    }
}

fn sorted(mut ids: Vec<UserId>) -> Vec<UserId> {
    ids.sort();
    ids
}
