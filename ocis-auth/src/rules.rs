//! What holds for accounts in every directory: who may see and change them, and what they may be
//! called.

use ocis_core::id::UserId;
use ocis_core::port::{NewUser, UserChange};
use ocis_core::role::RolePermission;
use ocis_core::user::ExternalIdentity;
use ocis_core::{Caller, Cx, Error, Result};

/// The longest name or address, in bytes.
const MAX_NAME: usize = 254;

/// The longest name to show, in bytes.
const MAX_TEXT: usize = 1024;

/// How many issuers may know an account.
const MAX_IDENTITIES: usize = 16;

/// Who is in the directory is nobody's business who is not in it.
pub(crate) fn signed_in(cx: &Cx) -> Result<()> {
    match cx.caller {
        Caller::Anonymous => Err(Error::unauthenticated("you are not signed in")),
        _ => Ok(()),
    }
}

/// Whoever manages accounts may change everything; others the password of their own.
pub(crate) fn may_change(caller: &Caller, user: &UserId, change: &UserChange) -> Result<()> {
    let own = caller.identity().is_ok_and(|identity| identity.id == *user);
    let only_password = UserChange { password: None, ..change.clone() }.is_empty();
    if own && only_password && caller.reach(&RolePermission::SELF_READ_WRITE).is_some() {
        return Ok(());
    }
    caller.require(&RolePermission::ACCOUNTS_READ_WRITE)?;
    if own && change.enabled == Some(false) {
        return Err(Error::denied("nobody can disable the own account"));
    }
    Ok(())
}

/// Everything that an account is called and known by.
pub(crate) fn check_new_user(new: &NewUser) -> Result<()> {
    check_username(&new.username)?;
    check_mail(&new.mail)?;
    for text in [&new.display_name, &new.given_name, &new.surname] {
        check_text(text)?;
    }
    check_identities(&new.identities)?;
    new.password.as_ref().map_or(Ok(()), |password| check_password(password.expose()))
}

/// As [`check_new_user`], for what changes.
pub(crate) fn check_user_change(change: &UserChange) -> Result<()> {
    change.username.as_deref().map_or(Ok(()), check_username)?;
    change.mail.as_deref().map_or(Ok(()), check_mail)?;
    for text in [&change.display_name, &change.given_name, &change.surname].into_iter().flatten() {
        check_text(text)?;
    }
    change.identities.as_deref().map_or(Ok(()), check_identities)?;
    change.password.as_ref().map_or(Ok(()), |password| check_password(password.expose()))
}

pub(crate) fn check_password(password: &str) -> Result<()> {
    if password.is_empty() {
        return Err(Error::invalid("the password must not be empty"));
    }
    Ok(())
}

/// A name to sign in with: basic authentication can carry it (RFC 7617 knows no colon), and no two
/// of them look the same.
fn check_username(name: &str) -> Result<()> {
    let odd = |c: char| c.is_control() || c == ':' || c == '/';
    if name.is_empty() || name.len() > MAX_NAME || name.trim() != name || name.contains(odd) {
        return Err(Error::invalid(
            "a user name has 1 to 254 bytes, no blanks at its ends, and no colon, slash or \
             control character",
        ));
    }
    Ok(())
}

fn check_mail(mail: &str) -> Result<()> {
    let legal = mail.is_empty()
        || mail.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !host.contains('@')
        });
    if !legal || mail.len() > MAX_NAME || mail.contains(|c: char| c.is_control() || c == ' ') {
        return Err(Error::invalid("this is no mail address"));
    }
    Ok(())
}

pub(crate) fn check_group_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
        return Err(Error::invalid("a group name has 1 to 254 bytes and no control character"));
    }
    Ok(())
}

/// What is shown of a person.
fn check_text(text: &str) -> Result<()> {
    if text.len() > MAX_TEXT || text.contains(char::is_control) {
        return Err(Error::invalid(
            "a person's name has at most 1024 bytes, no control characters",
        ));
    }
    Ok(())
}

fn check_identities(identities: &[ExternalIdentity]) -> Result<()> {
    let odd =
        |text: &str| text.is_empty() || text.len() > MAX_TEXT || text.contains(char::is_control);
    if identities.len() > MAX_IDENTITIES
        || identities.iter().any(|identity| odd(&identity.issuer) || odd(&identity.id))
    {
        return Err(Error::invalid("an identity has an issuer and an id, up to 16 of an account"));
    }
    Ok(())
}
