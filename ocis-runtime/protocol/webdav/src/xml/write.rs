//! Appends text, numbers and paths to a buffer in the form that XML and URLs want.

use crate::xml::{DAV, Name, OC};

/// Appends `text` as it is.
pub(crate) fn raw(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends character data. What XML 1.0 cannot hold at all (a file name may hold it) becomes
/// U+FFFD, as in oCIS, so that one odd name does not make a whole listing unreadable.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    escaped(out, text, &TEXT);
}

/// Appends the inside of an attribute in double quotes.
pub(crate) fn attribute(out: &mut Vec<u8>, text: &str) {
    escaped(out, text, &ATTRIBUTE);
}

/// What stands for a byte instead of itself; nothing for most. U+FFFE and U+FFFF, which XML cannot
/// hold either, begin with 0xEF and are looked at more closely.
type Table = [Option<&'static str>; 256];

const GONE: &str = "\u{fffd}";

const fn table(more: &[(u8, Option<&'static str>)]) -> Table {
    let mut table: Table = [None; 256];
    let mut at = 0;
    #[allow(clippy::indexing_slicing, reason = "checked when compiled")]
    while at < 0x20 {
        table[at] = Some(GONE);
        at += 1;
    }
    at = 0;
    #[allow(clippy::indexing_slicing, reason = "checked when compiled")]
    while at < more.len() {
        table[more[at].0 as usize] = more[at].1;
        at += 1;
    }
    table
}

static TEXT: Table = table(&[
    (b'<', Some("&lt;")),
    (b'>', Some("&gt;")),
    (b'&', Some("&amp;")),
    (b'\r', Some("&#xD;")),
    (b'\t', None),
    (b'\n', None),
    (0xEF, Some("")),
]);

static ATTRIBUTE: Table = table(&[
    (b'<', Some("&lt;")),
    (b'&', Some("&amp;")),
    (b'"', Some("&quot;")),
    (b'\t', Some("&#x9;")),
    (b'\n', Some("&#xA;")),
    (b'\r', Some("&#xD;")),
    (0xEF, Some("")),
]);

fn escaped(out: &mut Vec<u8>, text: &str, table: &Table) {
    let mut rest = text.as_bytes();
    let replacement = |byte: &u8| table.get(usize::from(*byte)).copied().flatten();
    while let Some(at) = rest.iter().position(|byte| replacement(byte).is_some()) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let width = match from {
            [0xEF, 0xBF, 0xBE | 0xBF, ..] => {
                raw(out, GONE);
                3
            }
            [0xEF, ..] => {
                out.push(0xEF);
                1
            }
            [byte, ..] => {
                raw(out, replacement(byte).unwrap_or_default());
                1
            }
            [] => 0,
        };
        rest = from.get(width..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// What a path may hold without percent-encoding: the rule of Go's `URL.EscapedPath`, which is
/// what oCIS puts into every href. `&` is one of them, but XML has its own word for it.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'_' | b'.' | b'~' | b'$' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'@'
        )
}

static PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation, clippy::indexing_slicing)]
        {
            table[byte] = is_plain(byte as u8);
        }
        byte += 1;
    }
    table
};

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends a path, percent-encoded, as XML character data.
pub(crate) fn href(out: &mut Vec<u8>, path: &str) {
    let mut rest = path.as_bytes();
    let is_plain = |byte: &u8| PLAIN.get(usize::from(*byte)).copied().unwrap_or(false);
    while let Some(at) = rest.iter().position(|byte| !is_plain(byte)) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&byte, after)) = from.split_first() else { break };
        if byte == b'&' {
            raw(out, "&amp;");
        } else {
            out.extend_from_slice(&[b'%', nibble(byte >> 4), nibble(byte & 15)]);
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}

fn nibble(value: u8) -> u8 {
    HEX.get(usize::from(value)).copied().unwrap_or(b'0')
}

/// Appends a number.
pub(crate) fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [b'0'; 20];
    let mut length = 0;
    for slot in digits.iter_mut().rev() {
        #[allow(clippy::cast_possible_truncation, reason = "a digit")]
        {
            *slot = b'0' + (value % 10) as u8;
        }
        length += 1;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - length..).unwrap_or_default());
}

/// Appends a digest in lower-case hex.
pub(crate) fn hex(out: &mut Vec<u8>, digest: &[u8]) {
    for byte in digest {
        out.push(nibble(byte >> 4).to_ascii_lowercase());
        out.push(nibble(byte & 15).to_ascii_lowercase());
    }
}

/// The start and end tag of a property. Names outside of the two namespaces that every answer
/// declares bring their own declaration.
pub(crate) fn tags(name: &Name) -> (String, String) {
    let local = &name.local;
    match name.ns.as_str() {
        DAV => (format!("<d:{local}>"), format!("</d:{local}>")),
        OC => (format!("<oc:{local}>"), format!("</oc:{local}>")),
        "" => (format!("<{local}>"), format!("</{local}>")),
        ns => {
            let mut uri = Vec::with_capacity(ns.len());
            attribute(&mut uri, ns);
            let uri = String::from_utf8_lossy(&uri);
            (format!("<x:{local} xmlns:x=\"{uri}\">"), format!("</x:{local}>"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn hrefs_are_those_of_ocis() {
        for (path, href) in [
            (
                "a b+c%20d&e/quote ' semicolon ; hash # question ?.txt",
                "a%20b+c%2520d&amp;e/quote%20%27%20semicolon%20;%20hash%20%23%20question%20%3F.txt",
            ),
            ("Ünïcödé ☃ dir/", "%C3%9Cn%C3%AFc%C3%B6d%C3%A9%20%E2%98%83%20dir/"),
            ("s$p!n", "s$p%21n"),
            ("nfd-e\u{301}.txt", "nfd-e%CC%81.txt"),
        ] {
            assert_eq!(written(|out| super::href(out, path)), href);
        }
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        let text = |text: &str| written(|out| super::text(out, text));
        assert_eq!(text("a<b>&\"'\r\n\t"), "a&lt;b&gt;&amp;\"'&#xD;\n\t");
        assert_eq!(text("\u{1}\u{fffe}x\u{ffff}\u{10ffff}"), "\u{fffd}\u{fffd}x\u{fffd}\u{10ffff}");
        assert_eq!(written(|out| attribute(out, "\"<&")), "&quot;&lt;&amp;");
    }

    #[test]
    fn numbers_and_digests() {
        for value in [0, 7, 10, 4868, u64::MAX] {
            assert_eq!(written(|out| number(out, value)), value.to_string());
        }
        assert_eq!(written(|out| hex(out, &[0, 0xab, 0x1f])), "00ab1f");
    }

    proptest! {
        #[test]
        fn hrefs_decode_to_the_same_bytes(path in "\\PC{0,40}") {
            let encoded = written(|out| super::href(out, &path)).replace("&amp;", "&");
            prop_assert!(encoded.is_ascii());
            let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap();
            prop_assert_eq!(decoded.as_ref(), path.as_str());
        }
    }
}
