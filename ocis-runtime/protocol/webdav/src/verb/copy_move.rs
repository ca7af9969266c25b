//! COPY and MOVE (RFC 4918 sections 9.8 and 9.9).

use http::{Response, StatusCode, header};
use ocis_core::ErrorKind;
use ocis_core::data::Body;
use ocis_core::id::ResourceId;
use ocis_core::permissions::Permissions;
use ocis_core::port::{Changed, Copy, Move, Stat};

use crate::error::{Answer, Failure};
use crate::headers::{self, Depth};
use crate::service::{Call, bare, value};
use crate::tree::Target;
use crate::verb::{body, get, guard, options};

/// Copies a file, or a folder with (`Depth: infinity`) or without (`Depth: 0`) what is in it.
pub(crate) async fn copy(call: &Call, content: Body) -> Answer {
    body::none(content).await?;
    let deep = match headers::depth(&call.headers, Depth::Infinity)? {
        Depth::Zero => false,
        Depth::One => return Err(Failure::bad_request("the depth must be 0 or infinity")),
        Depth::Infinity => true,
    };
    let overwrite = headers::overwrite(&call.headers)?;
    let to = destination(call).await?;
    let conditions = guard::check(call).await?;
    refuse_itself(call, &to).await?;
    let request =
        Copy { from: call.target.reference(), to: to.reference(), overwrite, deep, conditions };
    match call.nodes().copy(call.cx(), request).await {
        Ok(changed) => Ok(done(&changed)),
        Err(error) => Err(guard::explain(call, &to, error).await),
    }
}

/// Moves a file, or a folder with all that is in it. Between spaces nothing is moved: 502, which
/// tells clients to copy and delete (oCIS).
pub(crate) async fn rename(call: &Call, content: Body) -> Answer {
    body::none(content).await?;
    if headers::depth(&call.headers, Depth::Infinity)? != Depth::Infinity {
        return Err(Failure::bad_request("a folder is moved with all that is in it"));
    }
    let overwrite = headers::overwrite(&call.headers)?;
    let to = destination(call).await?;
    if call.target.is_space() {
        return Err(Failure::not_allowed(options::ALLOW, "a space cannot be moved by WebDAV"));
    }
    let conditions = guard::check(call).await?;
    let (one, other) = (&call.target.base, &to.base);
    if one.space != other.space || one.storage != other.storage {
        return Err(between(call, &to, overwrite).await?);
    }
    refuse_itself(call, &to).await?;
    let request = Move { from: call.target.reference(), to: to.reference(), overwrite, conditions };
    match call.nodes().rename(call.cx(), request).await {
        Ok(changed) => Ok(done(&changed)),
        Err(error) => Err(guard::explain(call, &call.target, error).await),
    }
}

/// Why there is no move to another space: whoever could not do it in one space either is told so, or
/// clients would begin to copy and delete.
async fn between(call: &Call, to: &Target, overwrite: bool) -> Answer<Failure> {
    let nodes = call.nodes();
    let stat = |target: &Target| Stat { target: target.reference() };
    let from = nodes.stat(call.cx(), stat(&call.target)).await?;
    let (there, folder) = match (nodes.stat(call.cx(), stat(to)).await, to.parent()) {
        (Ok(there), _) => (Some(there), None),
        (Err(error), Some(parent)) if error.kind() == ErrorKind::NotFound => {
            let folder = nodes.stat(call.cx(), stat(&parent)).await;
            (None, Some(folder.map_err(|error| not_a_place(error.into()))?))
        }
        (Err(error), _) => return Err(not_a_place(error.into())),
    };
    let may_come = there.as_ref().is_none_or(|node| node.permissions.allows(Permissions::DELETE))
        && folder.is_none_or(|node| node.permissions.allows(Permissions::CREATE_CONTAINER));
    Ok(if !from.permissions.allows(Permissions::MOVE) || !may_come {
        Failure::new(StatusCode::FORBIDDEN, "you may not move this there")
    } else if there.is_some() && !overwrite {
        Failure::precondition("there is something at the destination")
    } else {
        elsewhere("files cannot be moved between spaces")
    })
}

/// The header `Destination` (RFC 4918 section 10.3).
pub(crate) async fn destination(call: &Call) -> Answer<Target> {
    let missing =
        || Failure::bad_request("the header Destination must hold an absolute URL or path");
    let mut values = call.headers.get_all(headers::DESTINATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(missing()) };
    // Not plain ASCII from every client.
    let url = std::str::from_utf8(value.as_bytes()).map_err(|_| missing())?;
    let to = guard::resolve(call, url.trim()).await;
    let Some(to) = to.map_err(not_a_place)? else {
        return Err(elsewhere("the destination is another server"));
    };
    if to.is_space() {
        return Err(Failure::new(StatusCode::FORBIDDEN, "a space cannot be overwritten"));
    }
    Ok(to)
}

/// A destination that is no place for files is the request's fault, not something missing.
fn not_a_place(failure: Failure) -> Failure {
    match failure.status {
        StatusCode::NOT_FOUND => failure.status(StatusCode::CONFLICT),
        _ => failure,
    }
}

pub(crate) fn elsewhere(message: &'static str) -> Failure {
    Failure::new(StatusCode::BAD_GATEWAY, message)
}

/// 403 for the place itself (RFC 4918 sections 9.8.5 and 9.9.4), 409 for a place inside. Under another
/// base, which the storage need not show the way to, it is the node that counts, and whether it would
/// come into itself is seen by the storage.
async fn refuse_itself(call: &Call, to: &Target) -> Answer<()> {
    let from = &call.target;
    let is_same = if from.base == to.base {
        from.path == to.path
    } else {
        match node(call, to).await? {
            Some(there) => node(call, from).await? == Some(there),
            None => false,
        }
    };
    if is_same {
        return Err(Failure::new(StatusCode::FORBIDDEN, "source and destination are the same"));
    }
    if from.base == to.base && to.path.starts_with(&from.path) {
        return Err(Failure::new(
            StatusCode::CONFLICT,
            "the destination lies inside of the source",
        ));
    }
    Ok(())
}

/// What is there, if anything.
async fn node(call: &Call, target: &Target) -> Answer<Option<ResourceId>> {
    match call.nodes().stat(call.cx(), Stat { target: target.reference() }).await {
        Ok(node) => Ok(Some(node.info.id.clone())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn done(changed: &Changed) -> Response<Body> {
    let status = if changed.created { StatusCode::CREATED } else { StatusCode::NO_CONTENT };
    let mut response = bare(status);
    get::identify(response.headers_mut(), &changed.node.info);
    if !changed.node.is_folder() {
        let media = value(ocis_core::media_type::of(&changed.node.info.name));
        response.headers_mut().insert(header::CONTENT_TYPE, media);
    }
    response
}
