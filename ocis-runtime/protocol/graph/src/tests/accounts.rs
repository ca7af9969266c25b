//! The own account, and the accounts of others.

use ocis_core::space::SpaceKind;
use ocis_core::user::UserType;

use super::fake::{MARIE, PHYSICS, QUANTUM, RICHARD, STORAGE, USERS, user_id};
use super::*;

const RICHARD_OF_OCIS: &str = r#"{"accountEnabled":true,"displayName":"Richard Phillips Feynman","givenName":"Richard","id":"932b4540-8d16-481e-8ef4-588e4b6b151c","identities":[{"issuer":"https://localhost:9200","issuerAssignedId":"932b4540-8d16-481e-8ef4-588e4b6b151c"}],"mail":"richard@example.org","memberOf":[{"displayName":"users","groupTypes":[],"id":"509a9dcd-bb37-4f4f-a01a-19dca27d9cfa"},{"displayName":"quantum-lovers","groupTypes":[],"id":"a1726108-01f8-4c30-88df-2b1a9d1cba1a"}],"onPremisesSamAccountName":"richard","surname":"Feynman","userType":"Member"}"#;

#[tokio::test]
async fn me_is_what_ocis_answers() {
    let server = Server::new();
    let with_language =
        RICHARD_OF_OCIS.replace("\"surname\"", "\"preferredLanguage\":\"en\",\"surname\"");
    assert_eq!(server.richard("GET", "me?$expand=memberOf", "").await, (200, with_language));
    let (status, body) = server.richard("GET", "me/", "").await;
    assert_eq!(status, 200);
    assert!(!body.contains("memberOf"), "{body}");
}

#[tokio::test]
async fn who_has_no_identity_is_known_by_the_issuer_that_signed_in() {
    let server = Server::new();
    server.fake.0.lock().users.iter_mut().for_each(|user| user.identities.clear());
    let (_, body) = server.richard("GET", "me", "").await;
    assert!(body.contains(r#""identities":[{"issuer":"https://localhost:9200","#), "{body}");
    let (_, body) = server.admin("GET", "users/richard", "").await;
    assert!(!body.contains("identities"), "{body}");
}

#[tokio::test]
async fn what_belongs_to_an_account_can_be_asked_for_with_it() {
    let server = Server::new();
    let (_, body) = server.richard("GET", "me?$expand=drive,drives,appRoleAssignments", "").await;
    let me: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(me["drive"]["driveAlias"], "personal/richard");
    assert_eq!(me["drives"][0]["id"], format!("{STORAGE}${PHYSICS}"));
    let role = r#""appRoleAssignments":[{"appRoleId":"d7beeea8-8ff4-406b-8fb6-ab2dd81e6b11","id":"assignment-richard","principalId":"932b4540-8d16-481e-8ef4-588e4b6b151c","principalType":"User","resourceDisplayName":"ownCloud Infinite Scale","resourceId":"8ea1c2e5-application"}]"#;
    assert!(body.contains(role), "{body}");
}

#[tokio::test]
async fn the_list_is_what_ocis_answers() {
    let server = Server::new();
    let (status, body) = server.admin("GET", "users?$expand=memberOf&$search=richard", "").await;
    assert_eq!((status, body), (200, format!("{{\"value\":[{RICHARD_OF_OCIS}]}}")));
}

#[tokio::test]
async fn lists_are_searched_filtered_and_ordered() {
    let server = Server::new();
    server.fake.0.lock().users[0].user_type = UserType::Guest;
    for (query, expected) in [
        ("", "admin marie richard"),
        ("$search=FEYN", "richard"),
        ("$search=\"marie s\"", "marie"),
        ("$filter=userType eq 'Guest'", "admin"),
        ("$filter=userType eq 'Member'", "marie richard"),
        ("$filter=userType eq 'Federated'", ""),
        ("$filter=startswith(displayName,'mar')", "marie"),
        ("$filter=contains(displayName,'CURIE')", "marie"),
        (&*format!("$filter=id eq '{MARIE}'"), "marie"),
        (&*format!("$filter=memberOf/any(m:m/id eq '{USERS}')"), "admin marie richard"),
        (&*format!("$filter=memberOf/any(m:m/id eq {QUANTUM})"), "richard"),
        (
            &*format!(
                "$filter=memberOf/any(m:m/id eq '{USERS}') and userType eq 'Member' and \
                 (startswith(displayName,'r') or startswith(displayName,'a'))"
            ),
            "richard",
        ),
        (
            "$filter=appRoleAssignments/any(a:a/appRoleId eq \
             '71881883-1768-46bd-a24d-a356a2afdf7f')",
            "admin",
        ),
        ("$filter=appRoleAssignments/any(a:a/appRoleId eq 'unknown')", ""),
        ("$orderby=displayName desc", "richard marie admin"),
        ("$orderby=mail", "admin marie richard"),
        ("$orderby=onPremisesSamAccountName desc&$top=1", "richard marie admin"),
    ] {
        let (status, body) = server.admin("GET", &format!("users?{query}"), "").await;
        assert_eq!(status, 200, "{query}: {body}");
        assert_eq!(each(&body, "onPremisesSamAccountName").join(" "), expected, "{query}");
    }
}

#[tokio::test]
async fn what_is_no_list() {
    let server = Server::new();
    for (query, status, message) in [
        ("$filter=mail eq 'x'", 501, "unsupported filter"),
        ("$filter=not userType eq 'Member'", 501, "unsupported filter"),
        ("$filter=userType ne 'Member'", 501, "unsupported filter"),
        ("$filter=memberOf/all(m:m/id eq 'x')", 501, "unsupported filter"),
        ("$filter=memberOf/any(m:m/id eq 'x')", 404, "no such group"),
        ("$filter=userType eq", 400, "cannot be read"),
        ("$search=a OR b", 501, "complex search queries are not supported"),
        ("$search=a@b", 400, "Token '@b' is invalid"),
        ("$orderby=surname", 400, "we do not support <surname>"),
        ("$expand=memberOf($top=1)", 400, "options for $expand"),
        ("$invalid=true", 400, "$invalid"),
    ] {
        let (got, body) = server.admin("GET", &format!("users?{query}"), "").await;
        assert_eq!(got, status, "{query}: {body}");
        assert!(body.contains(message), "{query}: {body}");
    }
}

#[tokio::test]
async fn most_learn_little_of_others() {
    let mut server = Server::new();
    let short = "search term too short";
    let forbidden = "query has forbidden elements for regular users";
    for (path, message) in [
        ("users", short),
        ("users?$search=ma", short),
        ("users?$search=\"ma\"", short),
        ("users?$search=mar&$expand=memberOf", forbidden),
        ("users?$search=mar&$filter=userType eq 'Member'", forbidden),
        ("users/marie?$expand=memberOf", "Forbidden"),
        ("users/marie?$expand=appRoleAssignments", "Forbidden"),
        ("groups/users?$expand=members", "Forbidden"),
    ] {
        let (status, body) = server.richard("GET", path, "").await;
        assert_eq!(status, 403, "{path}: {body}");
        assert!(body.contains(r#""code":"accessDenied""#) && body.contains(message), "{body}");
    }
    let marie = r#"{"displayName":"Marie Skłodowska Curie","id":"f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c","onPremisesSamAccountName":"","userType":"Member"}"#;
    let found = format!("{{\"value\":[{marie}]}}");
    assert_eq!(server.richard("GET", "users?$search=mar", "").await, (200, found));
    assert_eq!(server.richard("GET", "users/marie", "").await, (200, marie.into()));
    server.options.show_mail = true;
    let (_, body) = server.richard("GET", "users/marie", "").await;
    assert!(body.contains(r#""mail":"marie@example.org""#), "{body}");
    let (_, body) = server.richard("GET", &format!("users/{RICHARD}"), "").await;
    assert!(body.contains(r#""onPremisesSamAccountName":"richard""#), "{body}");
}

#[tokio::test]
async fn an_account_is_made() {
    let server = Server::new();
    let body = r#"{"displayName":"Lise Meitner","givenName":"Lise","mail":"lise@example.org","onPremisesSamAccountName":"lise","passwordProfile":{"password":"fission-1938"},"surname":"Meitner"}"#;
    let made = r#"{"accountEnabled":true,"displayName":"Lise Meitner","givenName":"Lise","id":"22222222-new-user","mail":"lise@example.org","onPremisesSamAccountName":"lise","surname":"Meitner","userType":"Member"}"#;
    assert_eq!(server.admin("POST", "users", body).await, (201, made.into()));
    assert_eq!(server.events(), ["UserCreated"]);
    let state = server.fake.0.lock();
    assert_eq!(state.roles.last().unwrap().user, user_id("22222222-new-user"));
    assert_eq!(state.passwords.last().unwrap().1, "fission-1938");
}

#[tokio::test]
async fn a_new_account_has_a_personal_space() {
    let mut server = Server::new();
    let body = r#"{"displayName":"Lise Meitner","onPremisesSamAccountName":"lise"}"#;
    assert_eq!(server.admin("POST", "users", body).await.0, 201);
    {
        let state = server.fake.0.lock();
        let made = state.spaces.last().unwrap();
        assert_eq!((made.kind, &*made.name), (SpaceKind::Personal, "Lise Meitner"));
        assert_eq!(made.owner, Some(user_id("22222222-new-user")));
        assert_eq!(made.quota.total, Some(10_000), "what the role has");
    }
    assert_eq!(server.admin("DELETE", "users/lise", "").await.0, 204);
    let spaces = server.fake.0.lock().spaces.len();
    server.fake.0.lock().no_spaces = true;
    assert_eq!(server.admin("POST", "users", body).await.0, 201, "the first sign-in makes it");
    server.fake.0.lock().no_spaces = false;
    server.options.assign_default_role = false;
    let other = body.replace("lise", "emmy");
    assert_eq!(server.admin("POST", "users", &other).await.0, 201);
    assert_eq!(server.fake.0.lock().spaces.len(), spaces, "without a role there is none yet");
}

#[tokio::test]
async fn an_account_needs_a_name_that_it_can_have() {
    let mut server = Server::new();
    let account = |fields: &str| format!(r#"{{"displayName":"X",{fields}}}"#);
    for (body, status) in [
        ("", 400),
        ("[]", 400),
        (r#"{"onPremisesSamAccountName":"x"}"#, 400),
        (r#"{"displayName":"X"}"#, 400),
        (&*account(r#""onPremisesSamAccountName":"""#), 400),
        (&*account(r#""onPremisesSamAccountName":"1x""#), 400),
        (&*account(r#""onPremisesSamAccountName":"name with space""#), 400),
        (&*account(r#""onPremisesSamAccountName":"x","mail":"""#), 400),
        (&*account(r#""onPremisesSamAccountName":"x","mail":"x""#), 400),
        (&*account(r#""onPremisesSamAccountName":"x","id":"mine""#), 400),
        (&*account(r#""onPremisesSamAccountName":"x","userType":"Federated""#), 400),
        (&*account(r#""onPremisesSamAccountName":"x","memberOf":[]"#), 400),
        (&*account(r#""onPremisesSamAccountName":"x","unknown":1"#), 400),
        (&*account(r#""onPremisesSamAccountName":"marie""#), 409),
        (&*account(r#""onPremisesSamAccountName":"x","userType":"guest""#), 201),
    ] {
        let (got, answer) = server.admin("POST", "users", body).await;
        assert_eq!(got, status, "{body}: {answer}");
    }
    server.options.restrict_usernames = false;
    let odd = account(r#""onPremisesSamAccountName":"(*:!;+-&$%)_alice""#);
    assert_eq!(server.admin("POST", "users", &odd).await.0, 201);
}

#[tokio::test]
async fn no_role_is_given_where_none_is_wanted() {
    let mut server = Server::new();
    server.options.assign_default_role = false;
    let body = r#"{"displayName":"X","onPremisesSamAccountName":"x"}"#;
    assert_eq!(server.admin("POST", "users", body).await.0, 201);
    let (status, body) =
        server.admin("GET", "users/22222222-new-user/appRoleAssignments", "").await;
    assert_eq!((status, &*body), (200, r#"{"value":[]}"#));
}

#[tokio::test]
async fn an_account_is_changed() {
    let server = Server::new();
    let change = r#"{"displayName":"Marie Curie","mail":"curie@example.org","accountEnabled":false,"passwordProfile":{"forceChangePasswordNextSignIn":false,"password":"polonium"}}"#;
    let (status, body) = server.admin("PATCH", "users/MARIE", change).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.starts_with(r#"{"accountEnabled":false,"displayName":"Marie Curie""#), "{body}");
    let told = format!("{:?}", server.fake.0.lock().events);
    assert!(told.contains("curie@example.org") && !told.contains("polonium"), "{told}");
    for (body, status) in [
        ("{}", 204),
        (r#"{"displayName":""}"#, 200),
        (r#"{"mail":""}"#, 400),
        (r#"{"onPremisesSamAccountName":""}"#, 400),
        (r#"{"userType":"robot"}"#, 400),
        (r#"{"preferredLanguage":"fr"}"#, 400),
        (r#"{"id":"another"}"#, 405),
    ] {
        let (got, answer) = server.admin("PATCH", &format!("users/{MARIE}"), body).await;
        assert_eq!(got, status, "{body}: {answer}");
    }
    assert_eq!(server.events(), ["UserFeatureChanged"]);
}

#[tokio::test]
async fn the_own_account_is_not_for_everybody_to_change() {
    let server = Server::new();
    for (body, status) in [
        (r#"{"displayName":"Dick"}"#, 400),
        (r#"{"mail":"dick@example.org"}"#, 400),
        (r#"{"passwordProfile":{"password":"new"}}"#, 400),
        (r#"{"surname":"F"}"#, 403),
        (r#"{"preferredLanguage":"klingon"}"#, 400),
        ("{}", 204),
    ] {
        let (got, answer) = server.richard("PATCH", "me", body).await;
        assert_eq!(got, status, "{body}: {answer}");
    }
}

#[tokio::test]
async fn a_language_is_chosen() {
    let server = Server::new();
    let (status, body) = server.richard("PATCH", "me", r#"{"preferredLanguage":"de"}"#).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains(r#""preferredLanguage":"de""#), "{body}");
    let (_, body) = server.richard("GET", "me", "").await;
    assert!(body.contains(r#""preferredLanguage":"de""#), "{body}");
    assert_eq!(server.events(), ["UserFeatureChanged"]);
    assert_eq!(server.admin("DELETE", "users/richard", "").await.0, 204);
    assert!(server.fake.0.lock().settings.is_empty());
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let server = Server::new();
    let change = |current: &str, new: &str| {
        format!(r#"{{"currentPassword":"{current}","newPassword":"{new}"}}"#)
    };
    for (current, new, status) in [
        ("", "q", 400),
        ("superfluidity", "", 400),
        ("superfluidity", "superfluidity", 400),
        ("wrong", "q", 400),
        ("superfluidity", "密码", 204),
        ("superfluidity", "q", 400),
        ("密码", "superfluidity", 204),
    ] {
        let body = change(current, new);
        let (got, answer) = server.richard("POST", "me/changePassword", &body).await;
        assert_eq!(got, status, "{body}: {answer}");
        assert!(answer.is_empty() || answer.contains("invalidRequest"), "{answer}");
    }
    assert_eq!(server.events(), ["UserFeatureChanged"; 2]);
}

#[tokio::test]
async fn an_account_goes_with_its_space_and_role() {
    let server = Server::new();
    assert_eq!(server.admin("DELETE", "users/richard", "").await, (204, String::new()));
    {
        let state = server.fake.0.lock();
        assert!(state.users.iter().all(|user| user.username != "richard"));
        assert!(state.spaces.iter().all(|space| space.name != "Richard Phillips Feynman"));
        assert!(state.roles.iter().all(|held| held.user != user_id(RICHARD)));
        assert_eq!(state.spaces.len(), 3, "the spaces of others stay");
    }
    assert_eq!(server.events(), ["UserDeleted"]);
    assert_eq!(server.admin("DELETE", "users/richard", "").await.0, 404);
}

#[tokio::test]
async fn who_keeps_the_account_keeps_the_files() {
    let server = Server::new();
    server.fake.0.lock().read_only = true;
    assert_eq!(server.admin("DELETE", "users/richard", "").await.0, 403);
    let (_, body) = server.richard("GET", "me/drive", "").await;
    assert!(body.contains("personal/richard") && !body.contains("trashed"), "{body}");
    let (status, body) = server.admin("DELETE", "users/admin", "").await;
    assert_eq!(status, 403);
    assert!(body.contains("notAllowed") && body.contains("self deletion forbidden"), "{body}");
}

#[tokio::test]
async fn the_drive_of_an_account() {
    let server = Server::new();
    let (status, body) = server.admin("GET", "users/richard/drive", "").await;
    assert_eq!(status, 200);
    assert!(body.contains("personal/richard"), "{body}");
    let (status, body) = server.admin("GET", "users/marie/drive", "").await;
    assert_eq!(status, 404);
    assert!(body.contains("no drive returned from storage"), "{body}");
}
