//! The tree of entries: where which account and group stands, and with which attributes.
//!
//! `o=libregraph-idm` with `ou=users`, `ou=groups` and `ou=sysusers` below, as oCIS makes it.

use std::sync::LazyLock;

use ocis_core::user::{Group, User, UserType};

use super::ServiceAccount;
use crate::directory::accounts::Accounts;
use crate::directory::dn::{Dn, Escaped};
use crate::directory::identity::Written;

pub(super) const BASE: &str = "o=libregraph-idm";
const USERS: &str = "ou=users,o=libregraph-idm";
const GROUPS: &str = "ou=groups,o=libregraph-idm";
const SERVICES: &str = "ou=sysusers,o=libregraph-idm";

/// The names above as they are compared.
struct Names {
    base: Dn,
    users: Dn,
    groups: Dn,
    services: Dn,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let name = |text| Dn::parse(text).unwrap_or_default();
    Names { base: name(BASE), users: name(USERS), groups: name(GROUPS), services: name(SERVICES) }
});

/// What a distinguished name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The empty name: what the server tells of itself.
    Root,
    Base,
    Users,
    Groups,
    Services,
    User(String),
    Group(String),
    Service(String),
    Nothing,
}

impl Place {
    pub(super) fn of(dn: &Dn) -> Self {
        let names = &*NAMES;
        match dn {
            dn if dn.depth() == 0 => Self::Root,
            dn if *dn == names.base => Self::Base,
            dn if *dn == names.users => Self::Users,
            dn if *dn == names.groups => Self::Groups,
            dn if *dn == names.services => Self::Services,
            dn => Self::below(dn).unwrap_or(Self::Nothing),
        }
    }

    fn below(dn: &Dn) -> Option<Self> {
        let parent = dn.parent()?;
        let (attribute, value) = dn.own()?;
        let value = value.to_owned();
        match attribute.as_str() {
            "uid" if parent == NAMES.users => Some(Self::User(value)),
            "uid" if parent == NAMES.services => Some(Self::Service(value)),
            "cn" if parent == NAMES.groups => Some(Self::Group(value)),
            _ => None,
        }
    }
}

/// An entry as it is given out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Entry {
    pub(super) dn: String,
    /// Name and values; none of them is empty.
    pub(super) attributes: Vec<(&'static str, Vec<String>)>,
    /// Those that are only given when they are asked for (RFC 4512, 3.4).
    pub(super) operational: Vec<(&'static str, Vec<String>)>,
}

impl Entry {
    /// The values of an attribute, whatever its case; none when the entry has no such attribute.
    pub(super) fn values(&self, name: &str) -> &[String] {
        let mut all = self.attributes.iter().chain(&self.operational);
        all.find(|(attribute, _)| attribute.eq_ignore_ascii_case(name))
            .map(|(_, values)| values.as_slice())
            .unwrap_or_default()
    }
}

/// Where an entry stands in the order of all: its kind, and its key within the kind. The order of a
/// search, and so what the cookie between two pages says.
pub(super) type Position = (u8, String);

/// The entry of every candidate for a search below `place`, in order, behind `after`.
pub(super) fn candidates<'a>(
    accounts: &'a Accounts,
    services: &'a [ServiceAccount],
    after: &'a Option<Position>,
) -> impl Iterator<Item = (Position, Place, Entry)> + 'a {
    let organisation = [
        (Place::Base, plain(BASE, "organization", "o", "libregraph-idm")),
        (Place::Users, plain(USERS, "organizationalUnit", "ou", "users")),
        (Place::Groups, plain(GROUPS, "organizationalUnit", "ou", "groups")),
        (Place::Services, plain(SERVICES, "organizationalUnit", "ou", "sysusers")),
    ];
    let behind = move |position: &Position| after.as_ref().is_none_or(|after| position > after);
    let units = organisation
        .into_iter()
        .enumerate()
        .map(|(index, (place, entry))| ((0, index.to_string()), place, entry));
    let users = accounts.users.iter().map(|(key, account)| ((1, key.clone()), account));
    let users = users.filter(move |(position, _)| behind(position)).map(|(position, account)| {
        let place = Place::User(account.user.username.clone());
        (position, place, user(&account.user, accounts))
    });
    let groups = accounts.groups.iter().map(|(key, found)| ((2, key.clone()), found));
    let groups = groups.filter(move |(position, _)| behind(position)).map(|(position, found)| {
        (position, Place::Group(found.name.clone()), group(found, accounts))
    });
    let services = services.iter().map(|found| {
        ((3, found.name.to_owned()), Place::Service(found.name.to_owned()), service(found))
    });
    let units = units.filter(move |(position, _, _)| behind(position));
    let services = services.filter(move |(position, _, _)| behind(position));
    units.chain(users).chain(groups).chain(services)
}

/// The one entry at a place.
pub(super) fn at(place: &Place, accounts: &Accounts, services: &[ServiceAccount]) -> Option<Entry> {
    match place {
        Place::User(name) => {
            accounts.by_username(name).map(|account| user(&account.user, accounts))
        }
        Place::Group(name) => {
            accounts.groups.get(&name.to_lowercase()).map(|found| group(found, accounts))
        }
        Place::Service(name) => {
            services.iter().find(|found| found.name.eq_ignore_ascii_case(name)).map(service)
        }
        Place::Base | Place::Users | Place::Groups | Place::Services => {
            let found = candidates(accounts, services, &None).find(|(_, found, _)| found == place);
            found.map(|(_, _, entry)| entry)
        }
        Place::Root | Place::Nothing => None,
    }
}

pub(super) fn user_dn(username: &str) -> String {
    format!("uid={},{USERS}", Escaped(username))
}

fn group_dn(name: &str) -> String {
    format!("cn={},{GROUPS}", Escaped(name))
}

fn plain(dn: &str, class: &'static str, attribute: &'static str, value: &'static str) -> Entry {
    Entry {
        dn: dn.to_owned(),
        attributes: vec![("objectClass", one(class)), (attribute, one(value))],
        operational: Vec::new(),
    }
}

fn one(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn user(user: &User, accounts: &Accounts) -> Entry {
    let classes =
        ["inetOrgPerson", "organizationalPerson", "ownCloudUser", "ownCloud", "person", "top"];
    // `inetOrgPerson` must have a family name.
    let surname = if user.surname.is_empty() { &user.username } else { &user.surname };
    let mut attributes = vec![
        ("objectClass", classes.map(str::to_owned).into()),
        ("uid", one(&user.username)),
        ("cn", one(&user.username)),
        ("sn", one(surname)),
        ("displayName", one(&user.display_name)),
        ("ownCloudUUID", one(user.id.as_str())),
        ("ownCloudUserEnabled", one(if user.enabled { "TRUE" } else { "FALSE" })),
        ("ownCloudUserType", one(type_name(user.user_type))),
    ];
    if !user.given_name.is_empty() {
        attributes.push(("givenName", one(&user.given_name)));
    }
    if !user.mail.is_empty() {
        attributes.push(("mail", one(&user.mail)));
    }
    if !user.identities.is_empty() {
        let identities = user.identities.iter().map(|identity| Written(identity).to_string());
        attributes.push(("oCExternalIdentity", identities.collect()));
    }
    let groups = user.groups.iter().filter_map(|id| accounts.group_by_id(id));
    let groups: Vec<_> = groups.map(|group| group_dn(&group.name)).collect();
    let mut operational = vec![("entryUUID", one(user.id.as_str()))];
    if !groups.is_empty() {
        operational.push(("memberOf", groups));
    }
    Entry { dn: user_dn(&user.username), attributes, operational }
}

fn group(group: &Group, accounts: &Accounts) -> Entry {
    let members = group.members.iter().filter_map(|id| accounts.by_id(id));
    let mut members: Vec<_> = members.map(|account| user_dn(&account.user.username)).collect();
    if members.is_empty() {
        // `groupOfNames` must have a member; oCIS writes the empty name.
        members.push(String::new());
    }
    Entry {
        dn: group_dn(&group.name),
        attributes: vec![
            ("objectClass", ["groupOfNames", "ownCloud", "top"].map(str::to_owned).into()),
            ("cn", one(&group.name)),
            ("ownCloudUUID", one(group.id.as_str())),
            ("member", members),
        ],
        operational: vec![("entryUUID", one(group.id.as_str()))],
    }
}

fn service(account: &ServiceAccount) -> Entry {
    Entry {
        dn: format!("uid={},{SERVICES}", account.name),
        attributes: vec![
            ("objectClass", ["account", "simpleSecurityObject"].map(str::to_owned).into()),
            ("uid", one(account.name)),
        ],
        operational: Vec::new(),
    }
}

pub(super) fn type_name(user_type: UserType) -> &'static str {
    match user_type {
        UserType::Member => "Member",
        UserType::Guest => "Guest",
        UserType::Federated => "Federated",
    }
}
