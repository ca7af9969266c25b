//! `/applications`: the one application, this server, and the roles that accounts can have in it.

use ocis_core::user::UserRole;
use serde::Serialize;

use crate::body::{List, json};
use crate::error::{Answer, Failure};
use crate::route::Call;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Application<'a> {
    app_roles: Vec<AppRole>,
    display_name: &'a str,
    id: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AppRole {
    display_name: &'static str,
    id: &'static str,
}

fn application<'a>(call: &'a Call<'_>) -> Application<'a> {
    let roles = UserRole::ALL.into_iter();
    Application {
        app_roles: roles
            .map(|role| AppRole { display_name: role.display_name(), id: role.id() })
            .collect(),
        display_name: &call.parts.options.application_name,
        id: &call.parts.options.application_id,
    }
}

/// `GET /applications`.
pub(crate) fn list(call: &Call<'_>) -> Answer {
    call.cx.caller.identity()?;
    json(&List { value: vec![application(call)] })
}

/// `GET /applications/{id}`.
pub(crate) fn read(call: &Call<'_>, id: &str) -> Answer {
    call.cx.caller.identity()?;
    let application = application(call);
    match id == application.id {
        true => json(&application),
        false => Err(Failure::not_found(format!(
            "requested id {id} does not match expected application id {}",
            application.id
        ))),
    }
}
