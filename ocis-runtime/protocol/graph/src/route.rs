//! Which path means what, and what every request comes with.

use http::request::Parts;
use http::{HeaderValue, Request, Response};
use ocis_core::Cx;
use ocis_core::data::Body;
use ocis_core::event::{Event, EventKind};
use percent_encoding::percent_decode_str;

use crate::drives::{Version, Whose};
use crate::error::{self, Answer, Failure};
use crate::query::{self, Options};
use crate::{
    GraphParts, applications, assignments, drives, groups, me, password, unified_roles, users,
};

/// One request without its body.
pub(crate) struct Call<'a> {
    pub(crate) parts: &'a GraphParts,
    pub(crate) cx: &'a Cx,
    pub(crate) head: &'a Parts,
}

impl Call<'_> {
    /// The query options, of which the path acts on `allowed`.
    fn options(&self, allowed: &[&str]) -> Answer<Options> {
        Options::parse(self.head.uri.query().unwrap_or_default(), allowed)
    }

    /// A parameter that is none of OData's.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        query::parameter(self.head.uri.query().unwrap_or_default(), name)
    }

    /// Whether a header says that something is to be done, in a form of Go's `ParseBool`.
    pub(crate) fn is_set(&self, header: &str) -> bool {
        let value = self.head.headers.get(header).map(HeaderValue::as_bytes);
        matches!(value, Some(b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True"))
    }

    /// Tells what was done. As in oCIS it stays done when nobody can be told.
    pub(crate) async fn tell(&self, kind: EventKind) {
        let Some(events) = &self.parts.events else { return };
        let event = Event::new(self.cx, kind);
        let name = event.kind.name();
        if let Err(error) = events.publish(self.cx, vec![event]).await {
            tracing::error!(?error, event = name, "an event could not be published");
        }
    }
}

/// Answers one request.
pub(crate) async fn answer(parts: &GraphParts, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Some(cx) = head.extensions.get::<Cx>() else {
        return error::respond(None, &Failure::NoContext);
    };
    match dispatch(&Call { parts, cx, head: &head }, body).await {
        Ok(response) => response,
        Err(failure) => error::respond(Some(cx), &failure),
    }
}

async fn dispatch(call: &Call<'_>, body: Body) -> Answer {
    // What is for one node only says nothing of accounts.
    if call.cx.caller.identity().is_ok_and(|identity| !identity.scope.is_everything()) {
        return Err(Failure::denied("these credentials are not for this"));
    }
    let path = call.head.uri.path().trim_end_matches('/');
    let path = path.strip_prefix("/graph/").ok_or(Failure::NoRoute)?;
    let mut segments = Vec::new();
    for segment in path.split('/') {
        let decoded = percent_decode_str(segment).decode_utf8();
        segments.push(decoded.map_err(|_| Failure::invalid("the path is not UTF-8"))?);
    }
    let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
    match segments.as_slice() {
        ["v1.0", "me", rest @ ..] => on_me(call, rest, body).await,
        ["v1.0", "users", rest @ ..] => on_users(call, rest, body).await,
        ["v1.0", "groups", rest @ ..] => on_groups(call, rest, body).await,
        ["v1.0", "applications", rest @ ..] => on_applications(call, rest),
        ["v1.0", "drives", rest @ ..] => on_drives(call, rest, body).await,
        ["v1beta1", "me", "drives"] => listing(call, Whose::Own, Version::V1Beta1).await,
        ["v1beta1", "roleManagement", "permissions", "roleDefinitions", rest @ ..] => {
            on_role_definitions(call, rest).await
        }
        ["v1beta1", "drives"] => listing(call, Whose::All, Version::V1Beta1).await,
        segments if comes_later(segments) => Err(Failure::NotYet),
        _ => Err(Failure::NoRoute),
    }
}

/// The method, where `HEAD` asks for what `GET` would answer.
fn method<'a>(call: &'a Call<'_>) -> &'a str {
    match call.head.method.as_str() {
        "HEAD" => "GET",
        method => method,
    }
}

async fn on_me(call: &Call<'_>, rest: &[&str], body: Body) -> Answer {
    match (method(call), rest) {
        ("GET", []) => me::read(call, &call.options(&["$expand"])?).await,
        ("PATCH", []) => me::patch(call, body).await,
        ("POST", ["changePassword"]) => password::change(call, body).await,
        (_, ["drives"]) => listing(call, Whose::Own, Version::V1).await,
        ("GET", ["drive"]) => {
            call.options(&["$expand"])?;
            drives::personal(call).await
        }
        ("GET", ["drive", "root", "children"]) => Err(Failure::NotYet),
        (_, []) => Err(Failure::Method("GET, HEAD, PATCH")),
        (_, ["drive"]) => Err(Failure::Method("GET, HEAD")),
        (_, ["changePassword"]) => Err(Failure::Method("POST")),
        _ => Err(Failure::NoRoute),
    }
}

async fn on_users(call: &Call<'_>, rest: &[&str], body: Body) -> Answer {
    match (method(call), rest) {
        ("GET", []) => {
            let allowed = ["$search", "$filter", "$expand", "$orderby"];
            users::list(call, &call.options(&allowed)?).await
        }
        ("POST", []) => users::create(call, body).await,
        ("GET", [user]) => users::read(call, user, &call.options(&["$expand"])?).await,
        ("PATCH", [user]) => users::patch(call, user, body).await,
        ("DELETE", [user]) => users::remove(call, user).await,
        ("GET", [user, "drive"]) => users::drive(call, user).await,
        ("GET", [user, "appRoleAssignments"]) => assignments::list(call, user).await,
        ("POST", [user, "appRoleAssignments"]) => assignments::assign(call, user, body).await,
        ("DELETE", [user, "appRoleAssignments", id]) => assignments::unassign(call, user, id).await,
        (_, [_, "exportPersonalData"]) => Err(Failure::NotYet),
        (_, []) => Err(Failure::Method("GET, HEAD, POST")),
        (_, [_]) => Err(Failure::Method("GET, HEAD, PATCH, DELETE")),
        (_, [_, "drive"]) => Err(Failure::Method("GET, HEAD")),
        (_, [_, "appRoleAssignments"]) => Err(Failure::Method("GET, HEAD, POST")),
        (_, [_, "appRoleAssignments", _]) => Err(Failure::Method("DELETE")),
        _ => Err(Failure::NoRoute),
    }
}

async fn on_groups(call: &Call<'_>, rest: &[&str], body: Body) -> Answer {
    match (method(call), rest) {
        ("GET", []) => {
            let allowed = ["$search", "$filter", "$expand", "$orderby"];
            groups::list(call, &call.options(&allowed)?).await
        }
        ("POST", []) => groups::create(call, body).await,
        ("GET", [group]) => groups::read(call, group, &call.options(&["$expand"])?).await,
        ("PATCH", [group]) => groups::patch(call, group, body).await,
        ("DELETE", [group]) => groups::remove(call, group).await,
        ("GET", [group, "members"]) => groups::members(call, group).await,
        ("POST", [group, "members", "$ref"]) => groups::add(call, group, body).await,
        ("DELETE", [group, "members", user, "$ref"]) => groups::drop(call, group, user).await,
        (_, []) => Err(Failure::Method("GET, HEAD, POST")),
        (_, [_]) => Err(Failure::Method("GET, HEAD, PATCH, DELETE")),
        (_, [_, "members"]) => Err(Failure::Method("GET, HEAD")),
        (_, [_, "members", "$ref"]) => Err(Failure::Method("POST")),
        (_, [_, "members", _, "$ref"]) => Err(Failure::Method("DELETE")),
        _ => Err(Failure::NoRoute),
    }
}

/// A list of drives, which is asked for at several paths.
async fn listing(call: &Call<'_>, whose: Whose, version: Version) -> Answer {
    if method(call) != "GET" {
        return Err(Failure::Method("GET, HEAD"));
    }
    let options = call.options(&["$filter", "$orderby", "$expand"])?;
    drives::list(call, &options, whose, version).await
}

async fn on_drives(call: &Call<'_>, rest: &[&str], body: Body) -> Answer {
    match (method(call), rest) {
        ("GET", []) => listing(call, Whose::All, Version::V1).await,
        ("POST", []) => drives::create(call, body).await,
        ("GET", [id]) => {
            call.options(&["$expand"])?;
            drives::read(call, id).await
        }
        ("PATCH", [id]) => drives::patch(call, id, body).await,
        ("DELETE", [id]) => drives::remove(call, id).await,
        (_, [_, "items", _, ..]) => Err(Failure::NotYet),
        (_, []) => Err(Failure::Method("GET, HEAD, POST")),
        (_, [_]) => Err(Failure::Method("GET, HEAD, PATCH, DELETE")),
        _ => Err(Failure::NoRoute),
    }
}

fn on_applications(call: &Call<'_>, rest: &[&str]) -> Answer {
    match (method(call), rest) {
        ("GET", []) => applications::list(call),
        ("GET", [id]) => applications::read(call, id),
        (_, [] | [_]) => Err(Failure::Method("GET, HEAD")),
        _ => Err(Failure::NoRoute),
    }
}

async fn on_role_definitions(call: &Call<'_>, rest: &[&str]) -> Answer {
    match (method(call), rest) {
        ("GET", []) => unified_roles::list(call).await,
        ("GET", [id]) => unified_roles::read(call, id).await,
        (_, [] | [_]) => Err(Failure::Method("GET, HEAD")),
        _ => Err(Failure::NoRoute),
    }
}

/// Whether oCIS 7 has such a path.
fn comes_later(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["v1.0", "extensions", "org.libregraph", "tags"]
            | ["v1.0", "education" | "invitations", ..]
            | ["v1beta1", "me", "drive", "sharedByMe" | "sharedWithMe"]
            | ["v1beta1", "drives" | "extensions", ..]
    )
}
