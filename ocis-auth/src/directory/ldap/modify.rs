//! Changing accounts and groups over LDAP (RFC 4511, 4.6 to 4.9, RFC 3062), as far as oCIS's graph
//! service does: through the port, with its rules.

use std::collections::BTreeMap;

use ldap3_proto::proto::{
    LdapAddRequest, LdapModify, LdapModifyDNRequest, LdapModifyRequest, LdapModifyType,
    LdapPartialAttribute, LdapPasswordModifyRequest, LdapResultCode,
};
use ocis_core::config::Secret;
use ocis_core::id::{GroupId, UserId};
use ocis_core::port::{
    ChangeMembers, ChangeUser, NewGroup, NewUser, Provisioning as _, RenameGroup, UserChange,
};
use ocis_core::user::{ExternalIdentity, User, UserType};

use super::LdapServer;
use super::entry::{self, Place};
use super::result::Refusal;
use crate::directory::accounts::Accounts;
use crate::directory::dn::Dn;
use crate::directory::identity::external_identity;

/// What clients write about an entry that follows from the rest, or that nothing here needs.
const IGNORED: [&str; 6] = ["objectclass", "cn", "uid", "description", "uidnumber", "gidnumber"];

impl LdapServer {
    pub(super) async fn add(&self, request: LdapAddRequest) -> Result<(), Refusal> {
        let place = place(&request.dn)?;
        let mut given = BTreeMap::new();
        for LdapPartialAttribute { atype, vals } in request.attributes {
            given.insert(atype.to_lowercase(), texts(vals)?);
        }
        let classes = given.get("objectclass").cloned().unwrap_or_default();
        let is_a = |class: &str| classes.iter().any(|given| given.eq_ignore_ascii_case(class));
        let id = given.remove("ownclouduuid").and_then(|values| values.into_iter().next());
        match place {
            Place::User(username) if is_a("inetOrgPerson") => {
                let mut new = NewUser { username, enabled: true, ..NewUser::default() };
                new.id = id.as_deref().map(UserId::parse).transpose()?;
                let mut change = UserChange::default();
                for (name, values) in given {
                    set(&mut change, &name, values)?;
                }
                new.display_name = change.display_name.unwrap_or_default();
                new.given_name = change.given_name.unwrap_or_default();
                new.surname = change.surname.unwrap_or_default();
                new.mail = change.mail.unwrap_or_default();
                new.user_type = change.user_type.unwrap_or_default();
                new.enabled = change.enabled.unwrap_or(true);
                new.password = change.password;
                new.identities = change.identities.unwrap_or_default();
                self.editor.create_user(&self.cx(), new).await?;
                Ok(())
            }
            Place::Group(name) if is_a("groupOfNames") => {
                let members = given.remove("member").unwrap_or_default();
                let members = self.members(&self.directory.accounts(), &members)?;
                if let Some(odd) = given.keys().find(|name| !IGNORED.contains(&name.as_str())) {
                    return Err(undefined(odd));
                }
                let id = id.as_deref().map(GroupId::parse).transpose()?;
                self.editor.create_group(&self.cx(), NewGroup { id, name, members }).await?;
                Ok(())
            }
            _ => Err(unwilling("accounts and groups alone can be added, each at its place")),
        }
    }

    pub(super) async fn modify(&self, request: LdapModifyRequest) -> Result<(), Refusal> {
        let accounts = self.directory.accounts();
        match place(&request.dn)? {
            Place::User(name) => {
                let account = accounts.by_username(&name).ok_or_else(missing)?;
                let change = changed(&account.user, request.changes)?;
                let request = ChangeUser { user: account.user.id.clone(), change };
                self.editor.change_user(&self.cx(), request).await?;
                Ok(())
            }
            Place::Group(name) => {
                let group = accounts.groups.get(&name.to_lowercase()).ok_or_else(missing)?;
                let (mut gone, mut new) = (Vec::new(), Vec::new());
                for LdapModify { operation, modification } in request.changes {
                    if !modification.atype.eq_ignore_ascii_case("member") {
                        return Err(undefined(&modification.atype));
                    }
                    let members = self.members(&accounts, &texts(modification.vals)?)?;
                    match operation {
                        LdapModifyType::Add => new.extend(members),
                        LdapModifyType::Delete => gone.extend(members),
                        LdapModifyType::Replace => {
                            gone.extend(
                                group.members.iter().filter(|id| !members.contains(id)).cloned(),
                            );
                            new.extend(members);
                        }
                        LdapModifyType::Increment => return Err(unwilling("this is no number")),
                    }
                }
                if gone.iter().any(|id| !group.members.contains(id)) {
                    let text = "who is to be removed is no member";
                    return Err(Refusal::new(LdapResultCode::NoSuchAttribute, text));
                }
                let change = |members| ChangeMembers { group: group.id.clone(), members };
                if !gone.is_empty() {
                    self.editor.remove_members(&self.cx(), change(gone)).await?;
                }
                if !new.is_empty() {
                    self.editor.add_members(&self.cx(), change(new)).await?;
                }
                Ok(())
            }
            _ => Err(unwilling("accounts and groups alone can be changed")),
        }
    }

    pub(super) async fn rename(&self, request: LdapModifyDNRequest) -> Result<(), Refusal> {
        let dn = dn(&request.dn)?;
        let parent = dn.parent().unwrap_or_default();
        if request.new_superior.as_deref().map(self::dn).transpose()?.is_some_and(|to| to != parent)
        {
            return Err(unwilling("an entry keeps its place and can only be renamed"));
        }
        let renamed = self::dn(&request.newrdn)?;
        let (attribute, value) =
            renamed.own().filter(|_| renamed.depth() == 1).ok_or_else(|| {
                Refusal::new(LdapResultCode::InvalidDNSyntax, "the new name has one attribute")
            })?;
        let accounts = self.directory.accounts();
        match (Place::of(&dn), attribute.as_str()) {
            (Place::User(name), "uid") => {
                let account = accounts.by_username(&name).ok_or_else(missing)?;
                let change =
                    UserChange { username: Some(value.to_owned()), ..UserChange::default() };
                let request = ChangeUser { user: account.user.id.clone(), change };
                self.editor.change_user(&self.cx(), request).await?;
                Ok(())
            }
            (Place::Group(name), "cn") => {
                let group = accounts.groups.get(&name.to_lowercase()).ok_or_else(missing)?;
                let request = RenameGroup { group: group.id.clone(), name: value.to_owned() };
                self.editor.rename_group(&self.cx(), request).await?;
                Ok(())
            }
            _ => Err(unwilling("this entry cannot be renamed so")),
        }
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), Refusal> {
        let accounts = self.directory.accounts();
        match place(name)? {
            Place::User(name) => {
                let account = accounts.by_username(&name).ok_or_else(missing)?;
                self.editor.delete_user(&self.cx(), account.user.id.clone()).await?;
            }
            Place::Group(name) => {
                let group = accounts.groups.get(&name.to_lowercase()).ok_or_else(missing)?;
                self.editor.delete_group(&self.cx(), group.id.clone()).await?;
            }
            _ => return Err(unwilling("accounts and groups alone can be removed")),
        }
        Ok(())
    }

    /// A new password for somebody (RFC 3062).
    pub(super) async fn set_password(
        &self,
        request: LdapPasswordModifyRequest,
    ) -> Result<(), Refusal> {
        let whose = request.user_identity.as_deref().unwrap_or_default();
        let Place::User(name) = place(whose.strip_prefix("dn:").unwrap_or(whose))? else {
            return Err(unwilling("people alone have a password that can be changed"));
        };
        let password = request.new_password.map(Secret::new);
        let Some(password) = password else {
            return Err(unwilling("no password is made up here: give the new one"));
        };
        let accounts = self.directory.accounts();
        let account = accounts.by_username(&name).ok_or_else(missing)?;
        let change = UserChange { password: Some(password), ..UserChange::default() };
        let request = ChangeUser { user: account.user.id.clone(), change };
        self.editor.change_user(&self.cx(), request).await?;
        Ok(())
    }

    /// The accounts with these names; the empty name stands for nobody.
    fn members(&self, accounts: &Accounts, names: &[String]) -> Result<Vec<UserId>, Refusal> {
        let account = |name: &String| match place(name)? {
            Place::User(name) => {
                let account = accounts.by_username(&name).ok_or_else(missing)?;
                Ok(account.user.id.clone())
            }
            _ => Err(unwilling("accounts alone can be members")),
        };
        names.iter().filter(|name| !name.is_empty()).map(account).collect()
    }
}

/// What becomes of an account by changes of its entry, in their order.
fn changed(user: &User, changes: Vec<LdapModify>) -> Result<UserChange, Refusal> {
    let mut change = UserChange::default();
    for LdapModify { operation, modification } in changes {
        let name = modification.atype.to_lowercase();
        let values = texts(modification.vals)?;
        if ["uid", "cn", "ownclouduuid"].contains(&name.as_str()) {
            let text = "an account is renamed by its name, and its id never changes";
            return Err(Refusal::new(LdapResultCode::NotALlowedOnRDN, text));
        }
        match operation {
            LdapModifyType::Replace => set(&mut change, &name, values)?,
            LdapModifyType::Increment => return Err(unwilling("this is no number")),
            LdapModifyType::Add if name == "ocexternalidentity" => {
                let mut all = change.identities.take().unwrap_or_else(|| user.identities.clone());
                all.extend(identities(&values)?);
                change.identities = Some(all);
            }
            LdapModifyType::Delete if name == "ocexternalidentity" && !values.is_empty() => {
                let gone = identities(&values)?;
                let mut all = change.identities.take().unwrap_or_else(|| user.identities.clone());
                all.retain(|identity| !gone.contains(identity));
                change.identities = Some(all);
            }
            LdapModifyType::Add => set(&mut change, &name, values)?,
            LdapModifyType::Delete => set(&mut change, &name, Vec::new())?,
        }
    }
    Ok(change)
}

/// Sets one attribute, or takes it back when there is no value.
fn set(change: &mut UserChange, name: &str, values: Vec<String>) -> Result<(), Refusal> {
    if name == "ocexternalidentity" {
        change.identities = Some(identities(&values)?);
        return Ok(());
    }
    if IGNORED.contains(&name) {
        return Ok(());
    }
    if values.len() > 1 {
        let text = format!("{name} has one value");
        return Err(Refusal::new(LdapResultCode::ConstraintViolation, text));
    }
    let text = values.into_iter().next().unwrap_or_default();
    match name {
        "displayname" => change.display_name = Some(text),
        "givenname" => change.given_name = Some(text),
        "sn" => change.surname = Some(text),
        "mail" => change.mail = Some(text),
        "ownclouduserenabled" => change.enabled = Some(enabled(&text)?),
        "userpassword" => change.password = Some(password(text)?),
        "owncloudusertype" => change.user_type = Some(user_type(&text)?),
        _ => return Err(undefined(name)),
    }
    Ok(())
}

fn enabled(text: &str) -> Result<bool, Refusal> {
    match text.to_uppercase().as_str() {
        "TRUE" | "" => Ok(true),
        "FALSE" => Ok(false),
        _ => Err(syntax("ownCloudUserEnabled is TRUE or FALSE")),
    }
}

fn user_type(text: &str) -> Result<UserType, Refusal> {
    let all = [UserType::Member, UserType::Guest, UserType::Federated];
    let found = all.into_iter().find(|known| entry::type_name(*known).eq_ignore_ascii_case(text));
    match found {
        Some(user_type) => Ok(user_type),
        None if text.is_empty() => Ok(UserType::Member),
        None => Err(syntax("ownCloudUserType is Member, Guest or Federated")),
    }
}

/// A password as it is typed. What was hashed elsewhere is not taken: its strength is unknown.
fn password(text: String) -> Result<Secret, Refusal> {
    let scheme = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    match scheme {
        Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => {
            Err(unwilling("passwords are hashed here"))
        }
        _ => Ok(Secret::new(text)),
    }
}

fn identities(values: &[String]) -> Result<Vec<ExternalIdentity>, Refusal> {
    let read = |value: &String| {
        external_identity(value).ok_or_else(|| syntax("an identity is `kind $ issuer $ id`"))
    };
    values.iter().filter(|value| !value.is_empty()).map(read).collect()
}

fn texts(values: Vec<Vec<u8>>) -> Result<Vec<String>, Refusal> {
    let text = |value| String::from_utf8(value).map_err(|_| syntax("values are texts in UTF-8"));
    values.into_iter().map(text).collect()
}

fn dn(name: &str) -> Result<Dn, Refusal> {
    Dn::parse(name).map_err(|error| Refusal::new(LdapResultCode::InvalidDNSyntax, error.message()))
}

fn place(name: &str) -> Result<Place, Refusal> {
    dn(name).map(|dn| Place::of(&dn))
}

fn missing() -> Refusal {
    Refusal::new(LdapResultCode::NoSuchObject, "there is no such entry")
}

fn unwilling(text: &str) -> Refusal {
    Refusal::new(LdapResultCode::UnwillingToPerform, text)
}

fn syntax(text: &str) -> Refusal {
    Refusal::new(LdapResultCode::InvalidAttributeSyntax, text)
}

fn undefined(name: &str) -> Refusal {
    let text = format!("the attribute {name} is not kept here");
    Refusal::new(LdapResultCode::UndefinedAttributeType, text)
}
