//! What is asked of the servers.

use anyhow::Result;
use bytes::Bytes;
use ocis_conformance::harness::{ADMIN_PASSWORD, Random, Server};

/// The folder of everything that is read.
const ROOT: &str = "/dav/files/admin/load";
const SMALL: usize = 1024;
const LARGE: usize = 16 << 20;
const CHILDREN: usize = 1000;

/// One kind of request, repeated.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    path: &'static str,
    /// Each request has a path of its own.
    pub(crate) fresh: bool,
    pub(crate) body: Bytes,
    /// Bytes that count for the throughput, whichever way they go.
    pub(crate) payload: u64,
}

impl Work {
    /// The path of a connection's n-th request in a run that nothing else shares its number with.
    pub(crate) fn path(&self, run: u64, connection: usize, number: u64) -> String {
        if self.fresh {
            format!("{}/{run}-{connection}-{number}", self.path)
        } else {
            self.path.to_owned()
        }
    }

    /// Headers beside `Host` and `Authorization`.
    pub(crate) fn headers(&self) -> &'static [(&'static str, &'static str)] {
        if self.method == "PROPFIND" { &[("depth", "1")] } else { &[] }
    }
}

/// What ownCloud's sync client asks of a folder.
const ASK: &str = r#"<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><d:resourcetype/><d:getlastmodified/><d:getcontentlength/><d:getetag/><oc:id/><oc:size/><oc:checksums/><oc:permissions/></d:prop></d:propfind>"#;

/// Every work, in the order in which it is measured.
pub(crate) fn all() -> Vec<Work> {
    let body = |len: usize| Bytes::from(Random::new(1).bytes(len));
    let work = |name, method, path, fresh, body: Bytes, payload: usize| Work {
        name,
        method,
        path,
        fresh,
        body,
        payload: payload as u64,
    };
    let ask = Bytes::from_static(ASK.as_bytes());
    vec![
        work("GET 1 KiB", "GET", "/dav/files/admin/load/small", false, Bytes::new(), SMALL),
        work("GET 16 MiB", "GET", "/dav/files/admin/load/large", false, Bytes::new(), LARGE),
        work("PUT 1 KiB", "PUT", "/dav/files/admin/load/in", true, body(SMALL), SMALL),
        work("PUT 16 MiB", "PUT", "/dav/files/admin/load/in", true, body(LARGE), LARGE),
        work("PROPFIND 1,000", "PROPFIND", "/dav/files/admin/load/wide", false, ask, 0),
    ]
}

/// Makes what is read.
pub(crate) fn prepare(server: &Server) -> Result<()> {
    let mut admin = server.admin();
    for folder in ["", "/in", "/wide"] {
        admin.send("MKCOL", &format!("{ROOT}{folder}"), &[], b"")?.expect(&[201])?;
    }
    let mut random = Random::new(2);
    admin.put(&format!("{ROOT}/small"), &random.bytes(SMALL))?.expect(&[201])?;
    admin.put(&format!("{ROOT}/large"), &random.bytes(LARGE))?.expect(&[201])?;
    for number in 0..CHILDREN {
        let path = format!("{ROOT}/wide/document%20number%20{number}.txt");
        admin.put(&path, &random.bytes(100))?.expect(&[201])?;
    }
    Ok(())
}

/// The value of `Authorization`.
pub(crate) fn authorization() -> String {
    ocis_conformance::harness::basic("admin", ADMIN_PASSWORD)
}
