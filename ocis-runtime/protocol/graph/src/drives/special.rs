//! What is special in a space: its picture and the text that describes it.

use ocis_core::etag::Etag;
use ocis_core::id::ResourceId;
use ocis_core::media_type;
use ocis_core::node::Node;
use ocis_core::port::Stat;
use ocis_core::reference::Reference;
use ocis_core::space::Space;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::route::Call;

/// What need not be escaped in a segment of a path (RFC 3986 section 3.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// A file that the space names. Fields are in the order of their names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    e_tag: Etag,
    file: File,
    id: String,
    last_modified_date_time: String,
    name: String,
    parent_reference: Parent,
    size: u64,
    special_folder: SpecialFolder,
    web_dav_url: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    mime_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Parent {
    drive_id: String,
    drive_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    name: String,
    path: String,
}

#[derive(Debug, Serialize)]
struct SpecialFolder {
    name: &'static str,
}

/// The picture and the description of a space, as far as they are there and the caller may see
/// them.
pub(super) async fn items(call: &Call<'_>, space: &Space) -> Vec<Item> {
    let mut items = Vec::new();
    for (name, id) in [("image", &space.image), ("readme", &space.readme)] {
        let Some(id) = id else { continue };
        let target = Reference::node(id.clone());
        match call.parts.nodes.stat(call.cx, Stat { target }).await {
            Ok(node) => items.push(item(call, space, name, &node)),
            Err(error) => tracing::debug!(?error, item = name, "not shown with its space"),
        }
    }
    items
}

fn item(call: &Call<'_>, space: &Space, special: &'static str, node: &Node) -> Item {
    let drive_id = space.root.space_id();
    let segments = node.path.components();
    let escaped: Vec<String> =
        segments.map(|name| utf8_percent_encode(name, ESCAPED).to_string()).collect();
    let folder = node.path.parent();
    let folder_path = folder.as_ref().map_or("", |folder| folder.as_str());
    let folder_id = |parent: &ocis_core::id::NodeId| {
        ResourceId { node: parent.clone(), ..node.info.id.clone() }.to_string()
    };
    Item {
        e_tag: node.info.etag.clone(),
        file: File { mime_type: media_type::of(&node.info.name) },
        id: node.info.id.to_string(),
        last_modified_date_time: node.info.mtime.to_string(),
        name: node.info.name.clone(),
        parent_reference: Parent {
            drive_id: drive_id.clone(),
            drive_type: space.kind.as_str(),
            id: node.info.parent.as_ref().map(folder_id),
            name: folder.as_ref().and_then(|folder| folder.name()).unwrap_or("/").to_owned(),
            path: format!("/{}", folder_path.trim_start_matches('/')),
        },
        size: node.info.size,
        special_folder: SpecialFolder { name: special },
        web_dav_url: call.parts.options.webdav_url(&format!("{drive_id}/{}", escaped.join("/"))),
    }
}
