//! Appends text, numbers and paths to a buffer in the form that XML and URLs want.

use bytes::{BufMut as _, BytesMut};

use crate::xml::{DAV, Name, OC};

/// Appends `text` as it is.
pub(crate) fn raw(out: &mut BytesMut, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends character data. What XML 1.0 cannot hold at all (a file name may hold it) becomes
/// U+FFFD, as in oCIS, so that one odd name does not make a whole listing unreadable.
pub(crate) fn text(out: &mut BytesMut, text: &str) {
    escaped(out, text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'\r' => Some("&#xD;"),
        b'\t' | b'\n' => None,
        0..0x20 => Some("\u{fffd}"),
        _ => None,
    });
}

/// Appends the inside of an attribute in double quotes.
pub(crate) fn attribute(out: &mut BytesMut, text: &str) {
    escaped(out, text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'&' => Some("&amp;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#x9;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        0..0x20 => Some("\u{fffd}"),
        _ => None,
    });
}

fn escaped(out: &mut BytesMut, text: &str, escape: impl Fn(u8) -> Option<&'static str>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
        let (replacement, width) =
            if byte == 0xEF && matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])) {
                (Some("\u{fffd}"), 3)
            } else {
                (escape(byte), 1)
            };
        if let Some(replacement) = replacement {
            out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
            raw(out, replacement);
            from = at + width;
        }
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
}

/// What a path may hold without percent-encoding: the rule of Go's `URL.EscapedPath`, which is
/// what oCIS puts into every href.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'_'
                | b'.'
                | b'~'
                | b'$'
                | b'&'
                | b'+'
                | b','
                | b'/'
                | b':'
                | b';'
                | b'='
                | b'@'
        )
}

const PLAIN: [bool; 256] = {
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
pub(crate) fn href(out: &mut BytesMut, path: &str) {
    let bytes = path.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let plain = PLAIN.get(usize::from(byte)).copied().unwrap_or(false);
        if plain && byte != b'&' {
            continue;
        }
        out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        from = at + 1;
        if byte == b'&' {
            raw(out, "&amp;");
        } else {
            out.put_u8(b'%');
            out.put_u8(nibble(byte >> 4));
            out.put_u8(nibble(byte & 15));
        }
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
}

fn nibble(value: u8) -> u8 {
    HEX.get(usize::from(value)).copied().unwrap_or(b'0')
}

/// Appends a number.
pub(crate) fn number(out: &mut BytesMut, mut value: u64) {
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
pub(crate) fn hex(out: &mut BytesMut, digest: &[u8]) {
    for byte in digest {
        out.put_u8(nibble(byte >> 4).to_ascii_lowercase());
        out.put_u8(nibble(byte & 15).to_ascii_lowercase());
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
            let mut uri = BytesMut::with_capacity(ns.len());
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

    fn written(write: impl Fn(&mut BytesMut)) -> String {
        let mut out = BytesMut::new();
        write(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
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
