//! What a new project space begins with, when it is asked for: a folder `.space` with a picture and
//! a text, which the web interface shows above the files.

use http::{HeaderValue, Method, Request, header};
use ocis_core::data::{TICKET, Written, full};
use ocis_core::id::ResourceId;
use ocis_core::path::SpacePath;
use ocis_core::port::{Conditions, CreateFolder, OpenUpload, UpdateSpace};
use ocis_core::reference::Reference;
use ocis_core::space::Space;
use ocis_core::{Error, Result};
use tower::ServiceExt as _;

use crate::body;
use crate::route::Call;

const FOLDER: &str = ".space";
const IMAGE: &[u8] = include_bytes!("template/image.png");
const README: &[u8] = b"What this space is for can be told here.\n";

/// Gives `space` its first picture and text, and tells what it is then.
pub(super) async fn apply(call: &Call<'_>, space: &Space) -> Result<Space> {
    let folder = SpacePath::root().join(FOLDER)?;
    let target = Reference::below(space.root.clone(), folder.clone());
    let conditions = Conditions::default();
    call.parts.nodes.create_folder(call.cx, CreateFolder { target, conditions }).await?;
    let image = upload(call, space, folder.join("image.png")?, IMAGE).await?;
    let readme = upload(call, space, folder.join("readme.md")?, README).await?;
    let update = UpdateSpace {
        image: Some(image),
        readme: Some(readme),
        ..UpdateSpace::of(space.root.clone())
    };
    call.parts.spaces.update(call.cx, update).await
}

async fn upload(
    call: &Call<'_>,
    space: &Space,
    path: SpacePath,
    content: &'static [u8],
) -> Result<ResourceId> {
    let target = Reference::below(space.root.clone(), path);
    let open = OpenUpload { length: Some(content.len() as u64), ..OpenUpload::new(target) };
    let ticket = call.parts.uploads.open(call.cx, open).await?.ticket;
    let odd = || Error::internal("the storage gave an answer that cannot be read");
    let ticket = HeaderValue::from_str(&ticket).map_err(|cause| odd().because(cause))?;
    let mut request = Request::new(full(content));
    *request.method_mut() = Method::PUT;
    request.headers_mut().insert(TICKET, ticket);
    request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(content.len()));
    let response = match call.parts.data.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let is_written = response.status().is_success();
    let bytes = body::bytes(response.into_body()).await?.ok_or_else(odd)?;
    if !is_written {
        return Err(serde_json::from_slice(&bytes).unwrap_or_else(|cause| odd().because(cause)));
    }
    let written: Written = serde_json::from_slice(&bytes).map_err(|cause| odd().because(cause))?;
    Ok(written.node.info.id.clone())
}
