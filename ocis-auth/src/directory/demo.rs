//! What a new directory begins with: the admin, and on request oCIS's demo users and groups.

use ocis_core::id::{GroupId, UserId};
use ocis_core::user::{UserRole, UserType};
use ocis_core::{Error, Result};

use super::Bootstrap;
use super::record::{Document, FORMAT, Group, User};
use crate::hash::Hasher;

/// Every demo user's mail address is the name at this domain.
const DOMAIN: &str = "example.org";

struct DemoUser {
    id: &'static str,
    username: &'static str,
    display_name: &'static str,
    given_name: &'static str,
    surname: &'static str,
    password: &'static str,
}

/// The demo users of oCIS; the passwords are public (its documentation names them).
const USERS: [DemoUser; 5] = [
    DemoUser {
        id: "4c510ada-c86b-4815-8820-42cdf82c3d51",
        username: "einstein",
        display_name: "Albert Einstein",
        given_name: "Albert",
        surname: "Einstein",
        password: "relativity",
    },
    DemoUser {
        id: "f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c",
        username: "marie",
        display_name: "Marie Skłodowska Curie",
        given_name: "Marie",
        surname: "Curie",
        password: "radioactivity",
    },
    DemoUser {
        id: "058bff95-6708-4fe5-91e4-9ea3d377588b",
        username: "moss",
        display_name: "Maurice Moss",
        given_name: "Maurice",
        surname: "Moss",
        password: "vista",
    },
    DemoUser {
        id: "932b4540-8d16-481e-8ef4-588e4b6b151c",
        username: "richard",
        display_name: "Richard Phillips Feynman",
        given_name: "Richard",
        surname: "Feynman",
        password: "superfluidity",
    },
    DemoUser {
        id: "534bb038-6f9d-4093-946f-133be61fa4e7",
        username: "katherine",
        display_name: "Katherine Johnson",
        given_name: "Katherine",
        surname: "Johnson",
        password: "gemini",
    },
];

/// The roles that demo accounts have unless they are given others; the last is the account under
/// which oCIS's own services sign in.
pub(crate) const DEMO_ROLES: [(&str, UserRole); 6] = [
    ("4c510ada-c86b-4815-8820-42cdf82c3d51", UserRole::User),
    ("f7fbf8c8-139b-4376-b307-cf0a8c2d0d9c", UserRole::User),
    ("932b4540-8d16-481e-8ef4-588e4b6b151c", UserRole::User),
    ("058bff95-6708-4fe5-91e4-9ea3d377588b", UserRole::Admin),
    ("534bb038-6f9d-4093-946f-133be61fa4e7", UserRole::SpaceAdmin),
    ("service-user-id", UserRole::Admin),
];

/// The groups with the members that oCIS really gives them (its documentation names more).
const GROUPS: [(&str, &str, &[&str]); 8] = [
    (
        "509a9dcd-bb37-4f4f-a01a-19dca27d9cfa",
        "users",
        &["einstein", "marie", "richard", "moss", "admin"],
    ),
    ("6040aa17-9c64-4fef-9bd0-77234d71bad0", "sailing-lovers", &["einstein"]),
    ("dd58e5ec-842e-498b-8800-61f2ec6f911f", "violin-haters", &["einstein"]),
    ("7b87fd49-286e-4a5f-bafd-c535d5dd997a", "radium-lovers", &["marie"]),
    ("cedc21aa-4072-4614-8676-fa9165f598ff", "polonium-lovers", &["marie"]),
    ("a1726108-01f8-4c30-88df-2b1a9d1cba1a", "quantum-lovers", &["richard"]),
    ("167cbee2-0518-455a-bfb2-031fe0621e5d", "philosophy-haters", &["richard"]),
    ("262982c1-2362-4afa-bfdf-8cbfef64a06e", "physics-lovers", &["einstein", "marie", "richard"]),
];

/// The first content of a directory. Blocks for one hash an account.
pub(super) fn first_document(hasher: &Hasher, bootstrap: &Bootstrap) -> Result<Document> {
    if bootstrap.admin_password.is_empty() {
        return Err(Error::invalid(
            "the admin has no password: set idm.service_user_passwords.admin_password in \
             ocis.yaml or IDM_ADMIN_PASSWORD, or run `ocis init`",
        ));
    }
    let mut document = Document { format: FORMAT, users: Vec::new(), groups: Vec::new() };
    document.users.push(User {
        id: bootstrap.admin_id.clone(),
        username: "admin".into(),
        display_name: "Admin".into(),
        given_name: "Admin".into(),
        surname: "Admin".into(),
        mail: format!("admin@{DOMAIN}"),
        enabled: true,
        created: bootstrap.now,
        password: hasher.hash_blocking(&bootstrap.admin_password)?,
        password_changes: 0,
        user_type: UserType::Member,
        identities: Vec::new(),
    });
    if bootstrap.create_demo_users {
        add_demo(&mut document, hasher, bootstrap)?;
    }
    Ok(document)
}

fn add_demo(document: &mut Document, hasher: &Hasher, bootstrap: &Bootstrap) -> Result<()> {
    for user in USERS {
        document.users.push(User {
            id: UserId::parse(user.id)?,
            username: user.username.into(),
            display_name: user.display_name.into(),
            given_name: user.given_name.into(),
            surname: user.surname.into(),
            mail: format!("{}@{DOMAIN}", user.username),
            enabled: true,
            created: bootstrap.now,
            password: hasher.hash_blocking(user.password)?,
            password_changes: 0,
            user_type: UserType::Member,
            identities: Vec::new(),
        });
    }
    for (id, name, members) in GROUPS {
        let members = members
            .iter()
            .map(|member| document.user(member).map(|user| user.id.clone()))
            .collect::<Result<_>>()?;
        document.groups.push(Group { id: GroupId::parse(id)?, name: name.into(), members });
    }
    Ok(())
}
