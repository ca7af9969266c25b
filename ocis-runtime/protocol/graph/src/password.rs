//! `/me/changePassword`: another password for who knows the current one.

use http::StatusCode;
use ocis_core::ErrorKind;
use ocis_core::config::Secret;
use ocis_core::data::Body;
use ocis_core::event::{EventKind, Feature};
use ocis_core::port::{ChangeUser, Credentials, UserChange};
use serde::Deserialize;

use crate::body::{self, nothing};
use crate::error::{Answer, Failure};
use crate::route::Call;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PasswordChange {
    #[serde(default)]
    current_password: Secret,
    #[serde(default)]
    new_password: Secret,
}

/// `POST`.
pub(crate) async fn change(call: &Call<'_>, body: Body) -> Answer {
    let identity = call.cx.caller.identity()?;
    let change: PasswordChange = body::read(body).await?;
    if change.current_password.is_empty() {
        return Err(Failure::invalid("current password cannot be empty"));
    }
    if change.new_password.is_empty() {
        return Err(Failure::invalid("new password cannot be empty"));
    }
    if change.new_password == change.current_password {
        return Err(Failure::invalid("new password must be different from current password"));
    }
    let credentials = Credentials::Basic {
        username: identity.username.clone(),
        password: change.current_password.expose().to_owned(),
        peer: None,
    };
    match call.parts.authenticate.authenticate(call.cx, credentials).await {
        // Two directories may know the name.
        Ok(proven) if proven.id == identity.id => {}
        Ok(_) => return Err(Failure::invalid("wrong current password")),
        Err(error) => {
            return Err(match error.kind() {
                ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => {
                    Failure::invalid("wrong current password")
                }
                _ => error.into(),
            });
        }
    }
    let user = identity.id.clone();
    let password = Some(change.new_password);
    let changed = UserChange { password, ..UserChange::default() };
    let request = ChangeUser { user: user.clone(), change: changed };
    if let Err(error) = call.parts.provisioning.change_user(call.cx, request).await {
        return Err(match error.kind() {
            ErrorKind::Internal => Failure::Refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "invalidRequest",
                "password change failed".into(),
            ),
            _ => error.into(),
        });
    }
    let feature = Feature { name: "password".into(), value: "***".into(), old: None };
    call.tell(EventKind::UserFeatureChanged { user, features: vec![feature] }).await;
    Ok(nothing())
}
