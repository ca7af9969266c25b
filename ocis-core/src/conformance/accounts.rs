//! What every directory must do.

use super::subject::{person, refused};
use crate::error::ErrorKind;
use crate::port::{
    Authenticate, Credentials, FindUser, GetGroup, Groups, ListGroups, ListUsers, PageRequest,
    Users,
};
use crate::user::User;

/// Runs everything about accounts, on a directory that holds at least three.
pub async fn users(subject: &dyn Users) {
    let cx = person("asker", 0);
    let mut found: Vec<User> = Vec::new();
    let mut cursor = None;
    loop {
        let request = ListUsers { search: None, page: PageRequest { cursor, limit: 2 } };
        let page = subject.list(&cx, request).await.unwrap();
        assert!(page.items.len() <= 2);
        found.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert!(found.len() >= 3, "hand in a directory with at least three accounts");
    let names: Vec<_> = found.iter().map(|user| user.username.to_lowercase()).collect();
    assert!(names.is_sorted_by(|one, next| one < next), "sorted, none twice");
    for user in &found {
        let mut ways =
            vec![FindUser::Id(user.id.clone()), FindUser::Username(user.username.to_uppercase())];
        if !user.mail.is_empty() {
            ways.push(FindUser::Mail(user.mail.to_uppercase()));
        }
        for way in ways {
            assert_eq!(subject.find(&cx, way).await.unwrap(), *user);
        }
        let search = Some(user.username.to_uppercase());
        let request = ListUsers { search, page: PageRequest::default() };
        assert!(subject.list(&cx, request).await.unwrap().items.contains(user));
    }
    for nobody in [
        FindUser::Username("nobody-of-this-name".into()),
        FindUser::Username("*".into()),
        FindUser::Username(String::new()),
        FindUser::Mail(String::new()),
        FindUser::Mail("*".into()),
    ] {
        assert_eq!(refused(subject.find(&cx, nobody).await), ErrorKind::NotFound);
    }
    let none =
        ListUsers { search: Some("nobody-of-this-name".into()), page: PageRequest::default() };
    assert!(subject.list(&cx, none).await.unwrap().items.is_empty());
}

/// Runs everything about groups, on a directory that holds at least one.
pub async fn groups(subject: &dyn Groups, members: &dyn Users) {
    let cx = person("asker", 0);
    let list = subject.list(&cx, ListGroups::default()).await.unwrap().items;
    assert!(!list.is_empty(), "hand in a directory with a group");
    for group in list {
        assert_eq!(subject.get(&cx, GetGroup::Id(group.id.clone())).await.unwrap(), group);
        assert_eq!(subject.get(&cx, GetGroup::Name(group.name.clone())).await.unwrap(), group);
        for member in &group.members {
            let user = members.find(&cx, FindUser::Id(member.clone())).await.unwrap();
            assert!(user.groups.contains(&group.id), "membership reads the same from both sides");
        }
    }
    let none = GetGroup::Name("no-group-of-this-name".into());
    assert_eq!(refused(subject.get(&cx, none).await), ErrorKind::NotFound);
}

/// Runs everything about basic credentials, for an account with this name and password.
pub async fn authenticate(subject: &dyn Authenticate, username: &str, password: &str) {
    let cx = person("asker", 0);
    let basic = |username: &str, password: &str| Credentials::Basic {
        username: username.into(),
        password: password.into(),
        peer: Some([127, 0, 0, 1].into()),
    };
    for _ in 0..2 {
        let identity = subject.authenticate(&cx, basic(username, password)).await.unwrap();
        assert!(identity.username.eq_ignore_ascii_case(username));
    }
    for (username, password) in
        [(username, "wrong"), ("nobody-of-this-name", password), (username, "")]
    {
        let kind = refused(subject.authenticate(&cx, basic(username, password)).await);
        assert_eq!(kind, ErrorKind::Unauthenticated);
    }
}
