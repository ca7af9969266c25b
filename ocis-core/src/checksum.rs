//! Digests of a file's content: the three kinds that oCIS stores and clients verify.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The kind of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChecksumKind {
    /// SHA-1, 20 bytes.
    Sha1,
    /// MD5, 16 bytes.
    Md5,
    /// Adler-32, 4 bytes, big endian.
    Adler32,
}

impl ChecksumKind {
    /// The name in lower case, as on disk.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
            Self::Adler32 => "adler32",
        }
    }
}

/// All digests of one content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksums {
    /// SHA-1.
    pub sha1: [u8; 20],
    /// MD5.
    pub md5: [u8; 16],
    /// Adler-32, big endian.
    pub adler32: [u8; 4],
}

impl Checksums {
    /// The digest of one kind.
    pub fn get(&self, kind: ChecksumKind) -> &[u8] {
        match kind {
            ChecksumKind::Sha1 => &self.sha1,
            ChecksumKind::Md5 => &self.md5,
            ChecksumKind::Adler32 => &self.adler32,
        }
    }
}

/// What a client says that the content's digest must be, from `OC-Checksum: SHA1:<hex>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedChecksum {
    /// The kind of digest.
    pub kind: ChecksumKind,
    /// The digest in lower-case hex.
    pub hex: String,
}

impl ExpectedChecksum {
    /// Whether `actual` is what was expected.
    pub fn matches(&self, actual: &Checksums) -> bool {
        self.hex == hex(actual.get(self.kind))
    }
}

impl FromStr for ExpectedChecksum {
    type Err = Error;

    /// Reads `<kind>:<hex>` or `<kind> <hex>`, in any case.
    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            || Error::invalid("a checksum must look like SHA1:<hex>, MD5:<hex> or ADLER32:<hex>");
        let (kind, digest) = text.trim().split_once([':', ' ']).ok_or_else(wrong)?;
        let (kind, length) = match kind.to_ascii_lowercase().as_str() {
            "sha1" => (ChecksumKind::Sha1, 40),
            "md5" => (ChecksumKind::Md5, 32),
            "adler32" => (ChecksumKind::Adler32, 8),
            _ => return Err(wrong()),
        };
        let hex = digest.trim().to_ascii_lowercase();
        // Some clients print Adler-32 without its leading zeros.
        let hex = if kind == ChecksumKind::Adler32 { format!("{hex:0>8}") } else { hex };
        if hex.len() != length || !hex.bytes().all(|c| c.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        Ok(Self { kind, hex })
    }
}

impl fmt::Display for ExpectedChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.hex)
    }
}

/// Lower-case hex of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_read_as_clients_write_them() {
        let sums = Checksums { sha1: [1; 20], md5: [2; 16], adler32: [0, 0, 0, 1] };
        let sha1 = "01".repeat(20);
        for text in [format!("SHA1:{sha1}"), format!("sha1 {sha1}"), "ADLER32:1".into()] {
            assert!(text.parse::<ExpectedChecksum>().unwrap().matches(&sums), "{text}");
        }
        for text in ["", "SHA1", "SHA1:", "SHA256:00", "MD5:zz", "SHA1:é"] {
            assert!(text.parse::<ExpectedChecksum>().is_err(), "{text}");
        }
    }
}
