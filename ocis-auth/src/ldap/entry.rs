//! Entries as the server sends them, and what of the domain they mean.

use ldap3::ResultEntry;
use ldap3::asn1::StructureTag;
use ocis_core::id::{GroupId, UserId};
use ocis_core::user::{ExternalIdentity, User, UserType};
use ocis_core::{Error, Result};
use uuid::Uuid;

use super::options::{DisableUsers, IdAttribute, LdapOptions};

/// The attribute with the account as other issuers know it; each value is
/// `<kind of sign-in> $ <issuer> $ <id>`, as oCIS writes it.
pub(super) const IDENTITIES: &str = "oCExternalIdentity";
/// The attribute with the given name, which oCIS has no setting for.
pub(super) const GIVEN_NAME: &str = "givenname";
/// The attribute with the family name, which oCIS has no setting for.
pub(super) const SURNAME: &str = "sn";

/// The attributes with the time of the last change of the password: that of OpenLDAP's policies,
/// and Active Directory's. They are only compared.
const PASSWORD_TIMES: [&str; 2] = ["pwdChangedTime", "pwdLastSet"];

/// An entry: a name, and attributes with their values in bytes.
#[derive(Debug)]
pub(super) struct Entry {
    /// The name, as the server writes it.
    pub(super) dn: String,
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// Takes apart a `SearchResultEntry` (RFC 4511 section 4.5.2); none when it is malformed.
    pub(super) fn read(entry: ResultEntry) -> Option<Self> {
        let mut parts = entry.0.expect_constructed()?.into_iter();
        let dn = text(parts.next()?)?;
        let attributes = parts.next()?.expect_constructed()?;
        let attributes = attributes.into_iter().map(attribute).collect::<Option<Vec<_>>>()?;
        Some(Self { dn, attributes })
    }

    /// The values of an attribute, whose name is compared without case.
    pub(super) fn bytes(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let found =
            self.attributes.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        found.flat_map(|(_, values)| values.iter().map(Vec::as_slice))
    }

    /// The values of an attribute that are text.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.bytes(name).filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// The first value of an attribute; empty when there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.texts(name).next().unwrap_or_default()
    }

    /// The id; none when there is none, or it is nothing that an id can be.
    fn id(&self, attribute: &IdAttribute) -> Option<String> {
        if attribute.octets {
            let bytes = self.bytes(&attribute.name).next()?;
            return Uuid::from_slice(bytes).ok().map(|id| id.to_string());
        }
        Some(self.text(&attribute.name).to_owned()).filter(|id| !id.is_empty())
    }

    /// The id of an account.
    pub(super) fn user_id(&self, options: &LdapOptions) -> Option<UserId> {
        self.id(&options.users.id).and_then(|id| UserId::parse(&id).ok())
    }

    /// The id of a group.
    pub(super) fn group_id(&self, options: &LdapOptions) -> Option<GroupId> {
        self.id(&options.groups.id).and_then(|id| GroupId::parse(&id).ok())
    }

    /// The account, apart from what other entries say of it: its groups, and whether it is in the
    /// group of disabled ones. None, and a line in the log, when there is no id or no name.
    pub(super) fn user(&self, options: &LdapOptions) -> Option<User> {
        let schema = &options.users;
        let username = self.text(&schema.username);
        let (Some(id), false) = (self.user_id(options), username.is_empty()) else {
            tracing::warn!(dn = self.dn, "an entry of the directory has no id or no user name");
            return None;
        };
        let is_off = |value: &str| matches!(value, "FALSE" | "false" | "False" | "F" | "f" | "0");
        let by_attribute = options.disable == DisableUsers::Attribute;
        Some(User {
            id,
            username: username.to_owned(),
            display_name: match self.text(&schema.display_name) {
                "" => username.to_owned(),
                name => name.to_owned(),
            },
            given_name: self.text(GIVEN_NAME).to_owned(),
            surname: self.text(SURNAME).to_owned(),
            mail: self.text(&schema.mail).to_owned(),
            groups: Vec::new(),
            enabled: !(by_attribute && is_off(self.text(&schema.enabled))),
            user_type: user_type(self.text(&schema.user_type)),
            identities: self.texts(IDENTITIES).filter_map(identity).collect(),
            password_version: PASSWORD_TIMES.iter().map(|name| self.text(name)).collect(),
        })
    }
}

/// The attributes of accounts that are asked for.
pub(super) fn user_attributes(options: &LdapOptions) -> Vec<String> {
    let users = &options.users;
    [
        users.id.name.as_str(),
        &users.username,
        &users.display_name,
        &users.mail,
        &users.user_type,
        &users.enabled,
        GIVEN_NAME,
        SURNAME,
        IDENTITIES,
        PASSWORD_TIMES[0],
        PASSWORD_TIMES[1],
    ]
    .into_iter()
    .filter(|name| !name.is_empty())
    .map(str::to_owned)
    .collect()
}

/// The bytes of an id that an attribute of octets holds; [`ocis_core::ErrorKind::NotFound`] when
/// the text is no UUID, because then nobody has it.
pub(super) fn octets(id: &str) -> Result<[u8; 16]> {
    match Uuid::parse_str(id) {
        Ok(id) => Ok(id.into_bytes()),
        Err(_) => Err(Error::not_found("nothing in the directory has this id")),
    }
}

/// The value in which [`identity`] reads the same again.
pub(super) fn identity_value(identity: &ExternalIdentity) -> String {
    format!(" $ {} $ {}", identity.issuer, identity.id)
}

fn identity(value: &str) -> Option<ExternalIdentity> {
    let mut parts = value.splitn(3, '$').skip(1).map(str::trim);
    Some(ExternalIdentity { issuer: parts.next()?.to_owned(), id: parts.next()?.to_owned() })
}

/// The kind of account, as oCIS writes it.
pub(super) fn user_type_value(kind: UserType) -> &'static str {
    match kind {
        UserType::Member => "Member",
        UserType::Guest => "Guest",
        UserType::Federated => "Federated",
    }
}

fn user_type(value: &str) -> UserType {
    let kinds = [UserType::Guest, UserType::Federated];
    let known = kinds.into_iter().find(|kind| user_type_value(*kind).eq_ignore_ascii_case(value));
    known.unwrap_or_default()
}

fn attribute(tag: StructureTag) -> Option<(String, Vec<Vec<u8>>)> {
    let mut parts = tag.expect_constructed()?.into_iter();
    let name = text(parts.next()?)?;
    let values = parts.next()?.expect_constructed()?;
    let values = values.into_iter().map(StructureTag::expect_primitive);
    Some((name, values.collect::<Option<_>>()?))
}

fn text(tag: StructureTag) -> Option<String> {
    String::from_utf8(tag.expect_primitive()?).ok()
}

#[cfg(test)]
impl Entry {
    pub(super) fn made_up(dn: &str, attributes: &[(&str, &[&[u8]])]) -> Self {
        let own = |(name, values): &(&str, &[&[u8]])| {
            ((*name).to_owned(), values.iter().map(|value| value.to_vec()).collect())
        };
        Self { dn: dn.to_owned(), attributes: attributes.iter().map(own).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn einstein() -> Entry {
        Entry::made_up(
            "uid=einstein,ou=users,o=x",
            &[
                ("ownCloudUUID", &[b"4c510ada-c86b-4815-8820-42cdf82c3d51"]),
                ("UID", &[b"einstein"]),
                ("displayName", &[b"Albert Einstein"]),
                ("mail", &[b"einstein@example.org", b"albert@example.org"]),
                ("sn", &["Einst\u{e9}in".as_bytes()]),
                ("ownCloudUserEnabled", &[b"FALSE"]),
                ("ownCloudUserType", &[b"guest"]),
                ("oCExternalIdentity", &[b" $ https://idp $ a$b", b"broken"]),
            ],
        )
    }

    #[test]
    fn attributes_become_an_account() {
        let mut options = LdapOptions::default();
        let user = einstein().user(&options).unwrap();
        assert_eq!(user.id.as_str(), "4c510ada-c86b-4815-8820-42cdf82c3d51");
        assert_eq!((&*user.username, &*user.display_name), ("einstein", "Albert Einstein"));
        assert_eq!((&*user.mail, &*user.surname), ("einstein@example.org", "Einst\u{e9}in"));
        assert_eq!((user.enabled, user.user_type), (false, UserType::Guest));
        let identity = ExternalIdentity { issuer: "https://idp".into(), id: "a$b".into() };
        assert_eq!(user.identities, [identity]);
        options.disable = DisableUsers::None;
        assert!(einstein().user(&options).unwrap().enabled);
    }

    #[test]
    fn identities_read_back_what_was_written() {
        let one = ExternalIdentity { issuer: "https://idp/realms/x".into(), id: "4711".into() };
        assert_eq!(identity(&identity_value(&one)), Some(one));
    }

    #[test]
    fn ids_of_octets_keep_the_order_of_their_bytes() {
        let mut options = LdapOptions::default();
        options.users.id = IdAttribute { name: "objectGUID".into(), octets: true };
        // What Active Directory and oCIS make of the same account (owncloud/ocis issue 7449).
        let bytes = b"\xc4\xf6\x2b\xeb\x2d\x51\x7f\x44\x8a\xa0\xcf\x24\x99\xf6\x98\x0f";
        let entry = Entry::made_up("cn=x", &[("objectguid", &[bytes]), ("uid", &[b"x"])]);
        let id = "c4f62beb-2d51-7f44-8aa0-cf2499f6980f";
        assert_eq!(entry.user(&options).unwrap().id.as_str(), id);
        assert_eq!(octets(id).unwrap(), *bytes);
        let short = Entry::made_up("cn=x", &[("objectGUID", &[b"short"]), ("uid", &[b"x"])]);
        assert!(short.user(&options).is_none());
    }

    #[test]
    fn who_has_no_id_or_no_name_is_nobody() {
        let options = LdapOptions::default();
        assert!(Entry::made_up("cn=x", &[("uid", &[b"x"])]).user(&options).is_none());
        assert!(Entry::made_up("cn=x", &[("owncloudUUID", &[b"1"])]).user(&options).is_none());
        let evil = Entry::made_up("cn=x", &[("owncloudUUID", &[b"../1"]), ("uid", &[b"x"])]);
        assert!(evil.user(&options).is_none());
    }
}
