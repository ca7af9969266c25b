//! Bodies that make a parser work for ever, or fetch what is not the client's.

use super::Case;

/// Every body with every method that reads one.
pub(super) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (what, body) in bodies() {
        for (method, wrap) in [
            ("PROPFIND", ("<d:propfind xmlns:d='DAV:'><d:prop>", "</d:prop></d:propfind>")),
            (
                "PROPPATCH",
                (
                    "<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop>",
                    "</d:prop></d:set></d:propertyupdate>",
                ),
            ),
            (
                "LOCK",
                (
                    "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:exclusive/></d:lockscope>\
                     <d:locktype><d:write/></d:locktype><d:owner>",
                    "</d:owner></d:lockinfo>",
                ),
            ),
        ] {
            let (prolog, inner) = &body;
            let text = [prolog.as_bytes(), wrap.0.as_bytes(), inner, wrap.1.as_bytes()].concat();
            all.push(Case::new(format!("{method} with {what}"), method).body(text));
        }
    }
    for method in ["PROPFIND", "PROPPATCH", "LOCK"] {
        for (what, text) in [
            ("no XML", "no XML at all"),
            ("half of a tag", "<d:propfind xmlns:d='DAV:'"),
            ("no end", "<d:propfind xmlns:d='DAV:'><d:prop>"),
            ("a wrong end", "<d:propfind xmlns:d='DAV:'><d:prop></d:propfind></d:prop>"),
            ("another root", "<html><body/></html>"),
            ("an unknown prefix", "<d:propfind><d:prop/></d:propfind>"),
            ("two roots", "<a/><b/>"),
            ("an undefined entity", "<d:propfind xmlns:d='DAV:'>&none;</d:propfind>"),
        ] {
            all.push(Case::new(format!("{method} with {what}"), method).body(text));
        }
        let utf16: Vec<u8> =
            "<?xml version='1.0'?><a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        all.push(Case::new(format!("{method} in UTF-16"), method).body(utf16));
        all.push(Case::new(format!("{method} with NUL"), method).body("<a>\0</a>"));
    }
    all.push(
        Case::new("MKCOL with a body", "MKCOL").path(format!("{}/new", super::FOLDER)).body("<x/>"),
    );
    all
}

/// What stands before the root element, and inside it.
fn bodies() -> Vec<(&'static str, (String, Vec<u8>))> {
    let laughs: String = (1..10)
        .map(|level| {
            let before = level - 1;
            format!("<!ENTITY l{level} \"{}\">", format!("&l{before};").repeat(10))
        })
        .collect();
    let bomb = format!("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY l0 \"ha\">{laughs}]>");
    let quadratic = format!("<!DOCTYPE x [<!ENTITY a \"{}\">]>", "a".repeat(50_000));
    let file = "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>".to_owned();
    let network = "<!DOCTYPE x SYSTEM \"http://127.0.0.1:9/x.dtd\">".to_owned();
    let parameter = "<!DOCTYPE x [<!ENTITY % p SYSTEM \"file:///etc/passwd\"> %p;]>".to_owned();
    let attributes: String = (0..100_000).map(|number| format!(" a{number}='x'")).collect();
    let spaces: String =
        (0..20_000).map(|number| format!(" xmlns:n{number}='urn:{number}'")).collect();
    let properties: String = (0..200_000).map(|number| format!("<p{number}/>")).collect();
    let none = String::new;
    vec![
        ("a billion laughs", (bomb, b"<x>&l9;</x>".to_vec())),
        ("one entity many times", (quadratic, "<x>&a;</x>".repeat(5000).into_bytes())),
        ("an external entity", (file, b"<x>&f;</x>".to_vec())),
        ("an external DTD", (network, b"<x/>".to_vec())),
        ("a parameter entity", (parameter, b"<x/>".to_vec())),
        ("nesting of 100,000", (none(), "<a>".repeat(100_000).into_bytes())),
        (
            "closed nesting of 50,000",
            (none(), ["<a>".repeat(50_000), "</a>".repeat(50_000)].concat().into_bytes()),
        ),
        ("100,000 attributes", (none(), format!("<x{attributes}/>").into_bytes())),
        ("20,000 namespaces", (none(), format!("<x{spaces}/>").into_bytes())),
        ("the same attribute twice", (none(), b"<x a='1' a='2'/>".to_vec())),
        ("200,000 properties", (none(), properties.into_bytes())),
        ("a name of 4 MB", (none(), format!("<{}/>", "n".repeat(4_000_000)).into_bytes())),
        ("60 MB of text", (none(), format!("<x>{}</x>", "t".repeat(60_000_000)).into_bytes())),
        ("a comment without end", (none(), b"<!-- ".to_vec())),
        ("invalid UTF-8", (none(), b"<x>\xff\xfe\xc0\xaf</x>".to_vec())),
    ]
}
