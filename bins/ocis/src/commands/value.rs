//! Values of metadata as text: words in quotes, bytes as `0s` and base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A value for a person.
pub(crate) fn write(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if text.bytes().all(|byte| (32..127).contains(&byte)) => format!("\"{text}\""),
        _ => format!("0s{}", STANDARD.encode(value)),
    }
}

/// A value from the command line: `0x` and hex, `0s` and base64, or text. What cannot be decoded is
/// text, as in oCIS.
pub(crate) fn read(text: &str) -> Vec<u8> {
    let decoded = match (text.strip_prefix("0s"), text.strip_prefix("0x")) {
        (Some(coded), _) => STANDARD.decode(coded).ok(),
        (_, Some(hex)) => unhex(hex),
        _ => None,
    };
    decoded.unwrap_or_else(|| text.as_bytes().to_vec())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|n| u8::try_from(n).ok())).collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high * 16 + low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_were() {
        assert_eq!(write(b"a b"), "\"a b\"");
        assert_eq!(write(b"\0\xff"), "0sAP8=");
        for text in ["0sAP8=", "0x00ff", "0x00FF"] {
            assert_eq!(read(text), b"\0\xff", "{text}");
        }
        for text in ["", "plain", "0xzz", "0x0", "0s!"] {
            assert_eq!(read(text), text.as_bytes(), "{text}");
        }
    }
}
