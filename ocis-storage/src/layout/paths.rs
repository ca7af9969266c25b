//! Where things lie below the root of a store.

use std::fmt::Display;
use std::path::PathBuf;

use ocis_core::id::{BlobId, NodeId, SpaceId};
use ocis_core::time::Timestamp;

/// The folders that the id of a node is cut into.
pub(crate) const DEPTH: usize = 4;

/// Cuts `id` into folders: while more than `(i + 1) * width` characters are there and `i < depth`,
/// `width` of them and a slash; then the rest. Ids are ASCII, so bytes are characters.
pub(crate) fn pathify(id: &str, depth: usize, width: usize) -> String {
    let mut path = String::with_capacity(id.len() + depth);
    pathify_onto(&mut path, id, depth, width);
    path
}

fn pathify_onto(path: &mut String, id: &str, depth: usize, width: usize) {
    let mut rest = id;
    for _ in 0..depth {
        match rest.split_at_checked(width) {
            Some((head, tail)) if !tail.is_empty() => {
                path.push_str(head);
                path.push('/');
                rest = tail;
            }
            _ => break,
        }
    }
    path.push_str(rest);
}

/// The folder of a space, relative to the root of the store.
pub(crate) fn space(space: &SpaceId) -> String {
    // Room for what follows in most cases: every access to a file begins here.
    let mut path = String::with_capacity(128);
    path.push_str("spaces/");
    pathify_onto(&mut path, space.as_str(), 1, 2);
    path
}

/// What lies in `folder` of a space under this id.
fn within(in_space: &SpaceId, folder: &str, id: &str) -> String {
    let mut path = space(in_space);
    path.push_str(folder);
    pathify_onto(&mut path, id, DEPTH, 2);
    path
}

/// The node itself: a folder for a folder, an empty file for a file.
pub(crate) fn node(in_space: &SpaceId, node: &NodeId) -> String {
    within(in_space, "/nodes/", node.as_str())
}

/// The metadata of a node.
pub(crate) fn metadata(in_space: &SpaceId, id: &NodeId) -> String {
    node(in_space, id) + ".mpk"
}

/// The WebDAV and application lock of a node.
pub(crate) fn lock(in_space: &SpaceId, id: &NodeId) -> String {
    node(in_space, id) + ".lock"
}

/// The symbolic link by which `parent` lists a child.
pub(crate) fn child(in_space: &SpaceId, parent: &NodeId, name: &str) -> String {
    format!("{}/{name}", node(in_space, parent))
}

/// The target of such a link.
pub(crate) fn child_target(child: &NodeId) -> PathBuf {
    format!("../../../../../{}", pathify(child.as_str(), DEPTH, 2)).into()
}

/// The node that such a target names, however many levels up it leads (as in oCIS); none when it is
/// no such target.
pub(crate) fn child_of_target(target: &str) -> Option<NodeId> {
    let mut id = target.strip_prefix("../")?;
    while let Some(below) = id.strip_prefix("../") {
        id = below;
    }
    NodeId::parse(&id.replace('/', "")).ok()
}

/// Whether a file of this name lies beside nodes without being one: locks, and what oCIS was writing
/// when it was killed (`.<name>.mpk<digits>`).
pub(crate) fn is_beside(name: &str) -> bool {
    let cut_off = || name.strip_prefix('.')?.rsplit_once(".mpk").map(|(_, digits)| digits);
    let is_cut_off =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    [".lock", ".mlock", ".flock", ".tmp"].iter().any(|end| name.ends_with(end))
        || cut_off().is_some_and(is_cut_off)
}

/// A node in the trash: its folder or file, without the suffix of its metadata.
pub(crate) fn trashed(in_space: &SpaceId, id: &NodeId, when: impl Display) -> String {
    format!("{}.T.{when}", node(in_space, id))
}

/// The symbolic link by which the trash lists a node.
pub(crate) fn trash(in_space: &SpaceId, id: &NodeId) -> String {
    within(in_space, "/trash/", id.as_str())
}

/// The target of such a link.
pub(crate) fn trash_target(id: &NodeId, when: Timestamp) -> PathBuf {
    format!("../../../../../nodes/{}.T.{when}", pathify(id.as_str(), DEPTH, 2)).into()
}

/// The node in the trash that such a target names, and the time of its deletion as it is written
/// there; none when it is no such target.
pub(crate) fn trashed_of_target(target: &str) -> Option<(NodeId, String)> {
    let name: String = target.strip_prefix("../../../../../nodes/")?.split('/').collect();
    let (id, when) = name.rsplit_once(".T.")?;
    Some((NodeId::parse(id).ok()?, when.to_owned()))
}

/// An earlier content of a file, without the suffix of its metadata.
pub(crate) fn revision(in_space: &SpaceId, id: &NodeId, when: impl Display) -> String {
    format!("{}.REV.{when}", node(in_space, id))
}

/// A content.
pub(crate) fn blob(in_space: &SpaceId, blob: &BlobId) -> String {
    within(in_space, "/blobs/", blob.as_str())
}

/// The bytes of an upload session.
pub(crate) fn session(id: &BlobId) -> String {
    format!("uploads/{id}")
}

/// The description of an upload session.
pub(crate) fn session_info(id: &BlobId) -> String {
    format!("uploads/{id}.info")
}

/// What an index of spaces says of a space.
pub(crate) fn index_value(space: &SpaceId) -> String {
    format!("../../../{}", node(space, &space.root()))
}

/// The index of the spaces of a user.
pub(crate) fn index_by_user(user: &str) -> String {
    format!("indexes/by-user-id/{user}.mpk")
}

/// The index of the spaces of a group.
pub(crate) fn index_by_group(group: &str) -> String {
    format!("indexes/by-group-id/{group}.mpk")
}

/// The index of the spaces of a type.
pub(crate) fn index_by_type(kind: &str) -> String {
    format!("indexes/by-type/{kind}.mpk")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4c510ada-c86b-4815-8820-42cdf82c3d51";

    #[test]
    fn what_lies_beside_nodes() {
        for name in ["x.lock", "x.mlock", "x.flock", "x.mpk.tmp", ".x.mpk123", ".x.lock"] {
            assert!(is_beside(name), "{name}");
        }
        for name in ["x", ".x", "x.mpk", ".x.mpk", ".x.mpk1a", "x.mpk123"] {
            assert!(!is_beside(name), "{name}");
        }
    }

    #[test]
    fn paths_are_those_of_ocis() {
        assert_eq!(pathify(ID, 4, 2), "4c/51/0a/da/-c86b-4815-8820-42cdf82c3d51");
        assert_eq!(pathify(ID, 1, 2), "4c/510ada-c86b-4815-8820-42cdf82c3d51");
        assert_eq!(pathify("ab", 4, 2), "ab");
        assert_eq!(pathify("abc", 4, 2), "ab/c");
        let id = NodeId::parse(ID).unwrap();
        let target = child_target(&id);
        assert_eq!(child_of_target(target.to_str().unwrap()), Some(id.clone()));
        assert_eq!(child_of_target(&format!("../{ID}")), Some(id.clone()));
        for target in ["", "../..", ID, "/etc/passwd"] {
            assert_eq!(child_of_target(target), None, "{target}");
        }
        let when = "2026-11-23T02:49:07.556814646Z";
        let target = trash_target(&id, when.parse().unwrap());
        let target = target.to_str().unwrap();
        assert_eq!(trashed_of_target(target), Some((id, when.to_owned())));
        assert_eq!(trashed_of_target("../../../../../nodes/4c/51/0a/da/-c86b"), None);
    }
}
