//! Values that are too large, too many, or no values at all.

use super::{Case, FOLDER};

pub(super) fn cases() -> Vec<Case> {
    let mut all = sizes();
    for depth in ["-1", "2", "99999999999999999999", "infinite", "0, 1", "\u{660}", "1e3"] {
        all.push(Case::new(format!("Depth {depth}"), "PROPFIND").header("Depth", depth));
    }
    all.push(Case::new("LOCK with Depth 1", "LOCK").header("Depth", "1").body(LOCK));
    all.extend(ranges());
    all.extend(dates());
    all.extend(conditions());
    all.extend(others());
    all
}

const LOCK: &str = "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:exclusive/></d:lockscope>\
                    <d:locktype><d:write/></d:locktype></d:lockinfo>";

fn sizes() -> Vec<Case> {
    let mega = "x".repeat(1 << 20);
    let mut many = Case::new("10,000 headers", "GET");
    for _ in 0..10_000 {
        many = many.header("X-Many", "x");
    }
    vec![
        Case::new("a header of 1 MB", "GET").header("X-Large", mega.as_str()),
        Case::new("a cookie of 1 MB", "GET").header("Cookie", format!("a={mega}")),
        Case::new("a path of 1 MB", "GET").path(format!("{FOLDER}/{mega}")),
        Case::new("a query of 1 MB", "GET").path(format!("{FOLDER}/file?{mega}")),
        Case::new("a Destination of 1 MB", "COPY").header("Destination", format!("/{mega}")),
        Case::new("a path of 5,000 segments", "PROPFIND")
            .path(format!("{FOLDER}{}", "/a".repeat(5000))),
        many,
    ]
}

/// RFC 9110 section 14.2: a server may ignore what it cannot read; it must not answer more than
/// the file.
fn ranges() -> Vec<Case> {
    let many: Vec<String> = (0..5000).map(|_| "0-".to_owned()).collect();
    let mut all = vec![
        Case::new("a range beyond the end", "GET").header("Range", "bytes=100-200"),
        Case::new("a range of 0 bytes", "GET").header("Range", "bytes=-0"),
    ];
    for range in [
        "bytes=5-2",
        "bytes=abc",
        "bytes=--1",
        "bytes=99999999999999999999999-",
        "bytes=0-99999999999999999999999",
        "bytes=-99999999999999999999999",
        "bytes=",
        "bytes=,,,,",
        "bytes=0-0,-1,0-0,5-5",
        &format!("bytes={}", many.join(",")),
    ] {
        let what: String = range.chars().take(40).collect();
        all.push(Case::new(format!("Range {what}"), "GET").header("Range", range).tolerated());
    }
    all
}

/// A date that is none is no condition (RFC 9110 section 13.1.3); a time to store must be one.
fn dates() -> Vec<Case> {
    let mut all = Vec::new();
    for time in ["tomorrow", "NaN", "inf", "9e99", "99999999999999999999999", "0x10", "1;2"] {
        let case = Case::new(format!("X-OC-Mtime {time:?}"), "PUT").header("X-OC-Mtime", time);
        all.push(case.path(format!("{FOLDER}/dated")).body("x"));
    }
    for date in ["yesterday", "Mon, 99 Foo 99999 99:99:99 GMT", "-1", "0", "\u{e9}"] {
        for name in ["If-Modified-Since", "If-Unmodified-Since", "If-Range"] {
            all.push(Case::new(format!("{name} {date}"), "GET").header(name, date).tolerated());
        }
    }
    all
}

fn conditions() -> Vec<Case> {
    let many = "(<opaquelocktoken:00000000-0000-0000-0000-000000000000>)".repeat(200);
    let mut all = Vec::new();
    for condition in [
        "(".to_owned(),
        "()".to_owned(),
        "(<no end".to_owned(),
        "((((((((((".to_owned(),
        "(<urn:a>)(".to_owned(),
        "not a list".to_owned(),
        "<http://localhost/x>".to_owned(),
        "([no quotes])".to_owned(),
        "(Not)".to_owned(),
        "(Not Not <urn:a>)".to_owned(),
        "(<opaquelocktoken:none>)".to_owned(),
        "\u{1}\u{2}".to_owned(),
        "(".repeat(8000),
        many,
    ] {
        let what: String = condition.chars().take(40).collect();
        let case = Case::new(format!("If {what}"), "PUT").header("If", condition);
        all.push(case.body("changed"));
    }
    for token in ["", "none", "<>", "<opaquelocktoken:none>", "<<<<", &"x".repeat(8000)] {
        let what: String = token.chars().take(40).collect();
        all.push(Case::new(format!("Lock-Token {what:?}"), "UNLOCK").header("Lock-Token", token));
    }
    for tag in ["\"", "none", "W/", "\"a\", \"b", "*, *"] {
        all.push(Case::new(format!("If-Match {tag}"), "PUT").header("If-Match", tag).body("x"));
    }
    all
}

fn others() -> Vec<Case> {
    let put = |what: &str| Case::new(what, "PUT").path(format!("{FOLDER}/other")).body("x");
    let mut all = Vec::new();
    for sum in ["none", "SHA1:", "SHA1:xyz", "SHA1:0", "MD5:ff", "ROT13:abc", "::", ":"] {
        all.push(put(&format!("OC-Checksum {sum}")).header("OC-Checksum", sum));
    }
    for login in ["Basic", "Basic !!!", "Basic YWRtaW4=", "Bearer", "Bearer x.y.z", "Negotiate a"] {
        all.push(Case::new(format!("Authorization {login}"), "GET").header("Authorization", login));
    }
    all.extend([
        Case::new("an unknown method", "BREW").or(501),
        Case::new("TRACE", "TRACE"),
        Case::new("a proxy's method", "CONNECT"),
        Case::new("PUT with Content-Range", "PUT")
            .header("Content-Range", "bytes 0-3/10")
            .body("part")
            .or(501),
        Case::new("an Overwrite that is none", "COPY")
            .header("Destination", format!("{FOLDER}/copy"))
            .header("Overwrite", "maybe"),
        Case::new("a Content-Encoding that is none", "PROPFIND")
            .header("Content-Encoding", "gzip")
            .body("<d:propfind xmlns:d='DAV:'><d:allprop/></d:propfind>")
            .tolerated(),
        Case::new("a Timeout beyond all", "UNLOCK").header("Timeout", "Second-99999999999999999"),
        put("an Expect that is none").header("Expect", "miracle").tolerated(),
    ]);
    all
}
