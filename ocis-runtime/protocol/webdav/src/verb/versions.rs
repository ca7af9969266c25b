//! What is known of a file by its id: where it lies (PROPFIND), and its versions: PROPFIND lists
//! them, GET and HEAD read one, COPY makes one the content of the file again.

use std::sync::Arc;

use http::{HeaderValue, Method, Response, StatusCode, header};
use ocis_core::data::{Body, full};
use ocis_core::media_type;
use ocis_core::node::{Node, NodeInfo};
use ocis_core::port::{ListVersions, OpenVersion, PageRequest, RestoreVersion, Stat, VersionRead};
use ocis_core::version::Version;

use crate::error::{Answer, Failure};
use crate::headers::{self, date};
use crate::route::Facet;
use crate::service::{Call, bare};
use crate::verb::{body, get, guard, options};
use crate::xml::propfind::{self, Wanted};
use crate::xml::{self, DAV, Name, OC, write};

/// How many versions are asked for at once.
const PAGE: u32 = 1000;

/// Answers for the target, a file.
pub(crate) async fn answer(call: &Call, what: Facet, method: &Method, content: Body) -> Answer {
    match (method.as_str(), what) {
        ("PROPFIND", Facet::Paths) => paths(call, content).await,
        ("PROPFIND", Facet::Versions) => list(call, content).await,
        ("GET", Facet::Version(key)) => {
            let (node, ticket) = open(call, key).await?;
            get::send(call, &node, &ticket).await
        }
        ("HEAD", Facet::Version(key)) => get::describe(call, &open(call, key).await?.0),
        ("COPY", Facet::Version(key)) => {
            let conditions = guard::check(call).await?;
            let request = RestoreVersion { target: call.target.reference(), key, conditions };
            match call.server.parts.versions.restore(call.cx(), request).await {
                Ok(_) => Ok(bare(StatusCode::NO_CONTENT)),
                Err(error) => Err(guard::explain(call, &call.target, error).await),
            }
        }
        _ => Err(Failure::new(StatusCode::NOT_IMPLEMENTED, "versions know no such method")),
    }
}

/// A version as if it were the file, and the ticket for its content.
async fn open(call: &Call, key: String) -> Answer<(Node, String)> {
    let request = OpenVersion { target: call.target.reference(), key };
    let VersionRead { node, version, ticket } =
        call.server.parts.versions.open_read(call.cx(), request).await?;
    let info = NodeInfo {
        size: version.size,
        mtime: version.mtime,
        etag: version.etag,
        checksums: version.checksums,
        ..(*node.info).clone()
    };
    Ok((Node { info: Arc::new(info), ..node }, ticket))
}

fn multistatus(out: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(full(out));
    *response.status_mut() = StatusCode::MULTI_STATUS;
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"));
    answer.insert(headers::DAV, HeaderValue::from_static(options::CLASSES));
    response
}

/// Where a file lies, for clients that know its id only.
async fn paths(call: &Call, content: Body) -> Answer {
    let asked = match propfind::read(&body::xml(content).await?)? {
        Wanted::These(names) => names,
        Wanted::All(_) | Wanted::Names => Vec::new(),
    };
    let is_known = |name: &&Name| {
        name.ns == OC && matches!(&*name.local, "meta-path-for-user" | "meta-path-for-space")
    };
    let known: Vec<&Name> = asked.iter().filter(is_known).collect();
    if known.is_empty() {
        return Err(Failure::bad_request("the request must name meta-path-for-user"));
    }
    let request = Stat { target: call.target.reference() };
    let node = call.nodes().stat(call.cx(), request).await?;
    let mut out = Vec::new();
    write::raw(&mut out, xml::MULTISTATUS);
    write::raw(&mut out, "<d:response><d:href>");
    write::href(&mut out, &format!("{}/", call.target.prefix));
    write::raw(&mut out, "</d:href><d:propstat><d:prop>");
    for name in known {
        let (open, close) = write::tags(name);
        write::raw(&mut out, &open);
        write::text(&mut out, &format!("/{}", node.path));
        write::raw(&mut out, &close);
    }
    write::raw(
        &mut out,
        "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>\
         </d:multistatus>",
    );
    Ok(multistatus(out))
}

async fn list(call: &Call, content: Body) -> Answer {
    let wanted = propfind::read(&body::xml(content).await?)?;
    let names = match &wanted {
        Wanted::These(names) => names.clone(),
        Wanted::All(_) | Wanted::Names => {
            ALL.iter().map(|local| Name { ns: DAV.into(), local: (*local).into() }).collect()
        }
    };
    let target = call.target.reference();
    let node = call.nodes().stat(call.cx(), Stat { target: target.clone() }).await?;
    let mut out = Vec::new();
    write::raw(&mut out, xml::MULTISTATUS);
    // What is listed is no file itself.
    response(&mut out, &format!("{}/", call.target.prefix), &names, |_, _| false);
    let mut cursor = None;
    loop {
        let page = PageRequest { cursor, limit: PAGE };
        let request = ListVersions { target: target.clone(), page };
        let page = call.server.parts.versions.list(call.cx(), request).await?;
        for version in page.items {
            let url = format!("{}/v/{}", call.target.prefix, version.key);
            response(&mut out, &url, &names, |out, name| value(out, name, &version, &node));
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    write::raw(&mut out, "</d:multistatus>");
    Ok(multistatus(out))
}

fn response(
    out: &mut Vec<u8>,
    url: &str,
    names: &[Name],
    value: impl Fn(&mut Vec<u8>, &Name) -> bool,
) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        let (open, close) = write::tags(name);
        let mut inside = Vec::new();
        let is_there = value(&mut inside, name);
        let list = if is_there { &mut found } else { &mut missing };
        list.extend_from_slice(open.as_bytes());
        list.extend_from_slice(&inside);
        list.extend_from_slice(close.as_bytes());
    }
    write::raw(out, "<d:response><d:href>");
    write::href(out, url);
    write::raw(out, "</d:href>");
    for (properties, status) in [(found, "200 OK"), (missing, "404 Not Found")] {
        if !properties.is_empty() {
            write::raw(out, "<d:propstat><d:prop>");
            out.extend_from_slice(&properties);
            write::raw(out, "</d:prop><d:status>HTTP/1.1 ");
            write::raw(out, status);
            write::raw(out, "</d:status></d:propstat>");
        }
    }
    write::raw(out, "</d:response>");
}

/// What `allprop` stands for.
const ALL: [&str; 5] =
    ["getetag", "getcontentlength", "getlastmodified", "getcontenttype", "resourcetype"];

fn value(out: &mut Vec<u8>, name: &Name, version: &Version, file: &Node) -> bool {
    match (name.ns.as_str(), name.local.as_str()) {
        (DAV, "getetag") => write::text(out, version.etag.as_str()),
        (DAV, "getcontentlength") => write::number(out, version.size),
        (DAV, "getlastmodified") => write::raw(out, &date::format(version.mtime)),
        (DAV, "getcontenttype") => write::text(out, media_type::of(&file.info.name)),
        (DAV, "resourcetype") => {}
        _ => return false,
    }
    true
}
