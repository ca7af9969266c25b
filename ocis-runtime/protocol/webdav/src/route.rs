//! Which URL means what.
//!
//! Every path is also taken below `/remote.php`, as clients of ownCloud 10 write it. Percent-encoding
//! is undone once, segment by segment, so an encoded slash cannot make a segment of its own.

use std::borrow::Cow;

use ocis_core::id::ResourceId;
use ocis_core::path::SpacePath;
use percent_encoding::percent_decode_str;

use crate::error::{Answer, Failure};

/// What a URL means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/status.php`: which server this is.
    Status,
    /// A file or folder.
    Node(Place),
    /// The trash of a space, or something in it.
    Trash(Trash),
    /// What is known of a file, or its versions.
    Meta(Meta),
    /// `/dav` and the like: something that has no content of its own.
    Fork,
    /// Something that a later version does.
    Later,
    /// Nothing.
    Unknown,
}

/// The trash of a space, or something in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trash {
    /// What stands before the key, decoded, without a slash at its end.
    pub(crate) prefix: String,
    /// The space.
    pub(crate) root: Root,
    /// What it is known by in the trash, with the way down to something in a deleted folder.
    pub(crate) key: Option<String>,
}

/// What is known of a file, or its versions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    /// What stands before `/v`, decoded.
    pub(crate) prefix: String,
    /// The file.
    pub(crate) id: ResourceId,
    /// What of it.
    pub(crate) what: Facet,
}

/// What of a file is meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Facet {
    /// Where it is.
    Paths,
    /// All its versions.
    Versions,
    /// One version.
    Version(String),
}

/// A file or folder as the URL names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// What stands before the path, decoded, without a slash at its end.
    pub(crate) prefix: String,
    /// Where the path begins.
    pub(crate) root: Root,
    /// The path.
    pub(crate) path: SpacePath,
}

/// Where a path begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// The personal space of the caller.
    Own,
    /// The personal space of this user.
    User(String),
    /// This node, most often the root of a space.
    Resource(ResourceId),
}

/// Reads the path of a URL; 400 for bytes that no path can have.
pub(crate) fn parse(path: &str) -> Answer<Route> {
    let segments = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(decode)
        .collect::<Answer<Vec<Cow<'_, str>>>>()?;
    let mut rest = segments.as_slice();
    let mut prefix = String::new();
    if let Some((first, after)) = rest.split_first()
        && first == "remote.php"
    {
        prefix.push_str("/remote.php");
        rest = after;
    }
    let Some((first, rest)) = rest.split_first() else { return Ok(Route::Unknown) };
    match (first.as_ref(), rest) {
        ("status.php" | "status", []) if prefix.is_empty() => Ok(Route::Status),
        ("webdav", rest) => node(prefix + "/webdav", Root::Own, rest),
        ("dav", []) => Ok(Route::Fork),
        ("dav", [tree, rest @ ..]) => dav(prefix + "/dav", tree, rest),
        _ => Ok(Route::Unknown),
    }
}

fn dav(prefix: String, tree: &str, rest: &[Cow<'_, str>]) -> Answer<Route> {
    match (tree, rest) {
        ("files" | "spaces", []) => Ok(Route::Fork),
        ("files", [user, rest @ ..]) => {
            node(format!("{prefix}/files/{user}"), Root::User(user.to_string()), rest)
        }
        ("spaces", [bin]) if bin == "trash-bin" => Ok(Route::Fork),
        ("spaces", [bin, id, rest @ ..]) if bin == "trash-bin" => {
            let root = Root::Resource(id.parse()?);
            Ok(trash(format!("{prefix}/spaces/trash-bin/{id}"), root, rest))
        }
        ("spaces", [id, rest @ ..]) => {
            node(format!("{prefix}/spaces/{id}"), Root::Resource(id.parse()?), rest)
        }
        ("trash-bin" | "meta", []) => Ok(Route::Fork),
        ("trash-bin", [user, rest @ ..]) => {
            let root = Root::User(user.to_string());
            Ok(trash(format!("{prefix}/trash-bin/{user}"), root, rest))
        }
        ("meta", [id, rest @ ..]) => {
            let what = match rest {
                [] => Facet::Paths,
                [v] if v == "v" => Facet::Versions,
                [v, key] if v == "v" => Facet::Version(key.to_string()),
                _ => return Ok(Route::Unknown),
            };
            Ok(Route::Meta(Meta { prefix: format!("{prefix}/meta/{id}"), id: id.parse()?, what }))
        }
        ("public-files" | "ocm" | "avatars", _) => Ok(Route::Later),
        _ => Ok(Route::Unknown),
    }
}

fn trash(prefix: String, root: Root, key: &[Cow<'_, str>]) -> Route {
    let key = (!key.is_empty()).then(|| key.join("/"));
    Route::Trash(Trash { prefix, root, key })
}

fn node(prefix: String, root: Root, path: &[Cow<'_, str>]) -> Answer<Route> {
    for name in path {
        ocis_core::name::check(name)?;
    }
    let path = SpacePath::parse(&path.join("/"))?;
    Ok(Route::Node(Place { prefix, root, path }))
}

/// Undoes percent-encoding; 400 when it is broken or what it stands for is not UTF-8.
fn decode(segment: &str) -> Answer<Cow<'_, str>> {
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let is_hex = |digit: Option<u8>| digit.is_some_and(|digit| digit.is_ascii_hexdigit());
        if byte == b'%' && !(is_hex(bytes.next()) && is_hex(bytes.next())) {
            return Err(Failure::bad_request("the percent-encoding of the URL is broken"));
        }
    }
    percent_decode_str(segment)
        .decode_utf8()
        .map_err(|_| Failure::bad_request("the URL is not UTF-8"))
}

/// A URL in a header (`Destination`, `If`): its authority, empty for a path alone, and its path.
/// 400 for anything but `http`, `https` and absolute paths.
pub(crate) fn split_url(text: &str) -> Answer<(&str, &str)> {
    let wrong = || Failure::bad_request("a header must hold an absolute URL or path");
    let text = text.split(['?', '#']).next().unwrap_or_default();
    if text.starts_with('/') {
        return Ok(("", text));
    }
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(wrong());
    }
    let at = rest.find('/').ok_or_else(wrong)?;
    let (authority, path) = rest.split_at(at);
    if authority.is_empty() { Err(wrong()) } else { Ok((authority, path)) }
}

/// Whether two authorities name the same server; ports that the schemes imply do not count.
pub(crate) fn same_host(one: &str, other: &str) -> bool {
    fn bare(authority: &str) -> &str {
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(host)
    }
    bare(one).eq_ignore_ascii_case(bare(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_of_files() {
        let place = |path: &str| match parse(path).unwrap() {
            Route::Node(place) => (place.prefix, place.root, place.path.to_string()),
            other => panic!("{path}: {other:?}"),
        };
        let id: ResourceId = "s$p!n".parse().unwrap();
        for (url, prefix, root, path) in [
            ("/webdav", "/webdav", Root::Own, ""),
            ("//remote.php//webdav//a/%C3%A9%20/", "/remote.php/webdav", Root::Own, "a/é "),
            ("/dav/files/einstein/a", "/dav/files/einstein", Root::User("einstein".into()), "a"),
            (
                "/remote.php/dav/files/e%40x",
                "/remote.php/dav/files/e@x",
                Root::User("e@x".into()),
                "",
            ),
            ("/dav/spaces/s$p!n/a", "/dav/spaces/s$p!n", Root::Resource(id.clone()), "a"),
            ("/dav/spaces/s%24p%21n/%2525", "/dav/spaces/s$p!n", Root::Resource(id), "%25"),
            ("/dav/spaces/s$p", "/dav/spaces/s$p", Root::Resource("s$p".parse().unwrap()), ""),
        ] {
            assert_eq!(place(url), (prefix.into(), root, path.into()), "{url}");
        }
    }

    #[test]
    fn other_urls() {
        for (url, route) in [
            ("/status.php", Route::Status),
            ("/status", Route::Status),
            ("/dav", Route::Fork),
            ("/remote.php/dav/spaces/", Route::Fork),
            ("/dav/spaces/trash-bin", Route::Fork),
            ("/dav/trash-bin/", Route::Fork),
            ("/dav/meta", Route::Fork),
            ("/dav/meta/s$p!n/x", Route::Unknown),
            ("/dav/meta/s$p!n/v/k/x", Route::Unknown),
            ("/dav/public-files/t", Route::Later),
            ("/dav/uploads/u", Route::Unknown),
            ("/", Route::Unknown),
            ("/remote.php", Route::Unknown),
            ("/data", Route::Unknown),
        ] {
            assert_eq!(parse(url).unwrap(), route, "{url}");
        }
    }

    #[test]
    fn urls_of_the_trash_and_of_versions() {
        let id: ResourceId = "s$p!n".parse().unwrap();
        let trash = |prefix: &str, root, key: Option<&str>| {
            Route::Trash(Trash { prefix: prefix.into(), root, key: key.map(str::to_owned) })
        };
        let meta =
            |prefix: &str, what| Route::Meta(Meta { prefix: prefix.into(), id: id.clone(), what });
        let space = Root::Resource("s$p".parse().unwrap());
        for (url, route) in [
            (
                "/dav/spaces/trash-bin/s$p/k/a%20b",
                trash("/dav/spaces/trash-bin/s$p", space, Some("k/a b")),
            ),
            (
                "/remote.php/dav/trash-bin/einstein/",
                trash("/remote.php/dav/trash-bin/einstein", Root::User("einstein".into()), None),
            ),
            ("/dav/meta/s$p%21n", meta("/dav/meta/s$p!n", Facet::Paths)),
            ("/remote.php/dav/meta/s$p!n/v/", meta("/remote.php/dav/meta/s$p!n", Facet::Versions)),
            ("/dav/meta/s$p!n/v/k", meta("/dav/meta/s$p!n", Facet::Version("k".into()))),
        ] {
            assert_eq!(parse(url).unwrap(), route, "{url}");
        }
    }

    #[test]
    fn what_no_path_can_have_is_refused() {
        let long = format!("/webdav/{}", "x".repeat(256));
        let deep = format!("/webdav{}", "/a".repeat(600));
        for url in [
            "/webdav/..",
            "/webdav/a/../b",
            "/webdav/%2e%2E/b",
            "/webdav/.",
            "/webdav/a%00",
            "/webdav/a%2Fb",
            "/webdav/%2e%2e%2fetc",
            "/webdav/a%5Cb",
            "/webdav/%ff",
            "/webdav/%c0%ae%c0%ae",
            "/webdav/%zz",
            "/webdav/%4",
            "/webdav/%",
            "/webdav/a%0d%0ab",
            "/dav/spaces/s",
            "/dav/spaces/..$x",
            "/dav/spaces/trash-bin/s",
            "/dav/meta/x/v",
            "/dav/spaces/s$p!..%2f..",
            &long,
            &deep,
        ] {
            assert_eq!(parse(url).unwrap_err().status, 400, "{url}");
        }
    }

    #[test]
    fn urls_in_headers() {
        assert_eq!(split_url("http://h:1/a?b#c").unwrap(), ("h:1", "/a"));
        assert_eq!(split_url("/a").unwrap(), ("", "/a"));
        for text in ["", "a", "ftp://h/a", "http://h", "http:///a", "//", "mailto:x"] {
            assert!(text == "//" || split_url(text).is_err(), "{text}");
        }
        assert!(same_host("H:443", "u@h"));
        assert!(!same_host("h:1", "h"));
    }

    proptest! {
        #[test]
        fn no_url_leaves_its_space(url in "(/|\\.|%2e|%2f|%00|a|webdav|dav|files|é){0,20}") {
            if let Ok(Route::Node(place)) = parse(&format!("/webdav/{url}")) {
                prop_assert!(place.path.components().all(|part| part != ".." && !part.contains('\0')));
            }
        }
    }
}
