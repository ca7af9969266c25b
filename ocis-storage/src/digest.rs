//! The digests that oCIS stores with every content, all computed in one pass over the bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use ocis_core::checksum::Checksums;
use ocis_core::{Error, Result};
use sha1::Sha1;
use simd_adler32::Adler32;

/// Bytes given to SHA-1 before MD5 sees them: one block of both. Each step of either waits for the one
/// before, so a processor that works ahead computes the SHA-1 of a block while MD5 waits; that is a
/// quarter less time than in longer pieces.
const BLOCK: usize = 64;
/// Bytes that Adler-32 sees after them, while they are still in the processor's first cache.
const STRIDE: usize = 16 * 1024;

/// SHA-1, MD5 and Adler-32 over bytes that come in pieces.
#[derive(Clone, Default)]
pub struct Digester {
    sha1: Sha1,
    md5: Md5,
    adler32: Adler32,
    /// Bytes that the last block lacks.
    lacking: usize,
}

impl Digester {
    /// Digests over no bytes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes. Costs about two nanoseconds a byte: pieces of more than a few
    /// kilobytes belong on a thread that may block.
    pub fn update(&mut self, bytes: &[u8]) {
        // From one block's end to the next, where nothing has to be kept for later.
        let (head, rest) = bytes.split_at(self.lacking.min(bytes.len()));
        self.blocks(head);
        rest.chunks(STRIDE).for_each(|part| self.blocks(part));
        self.lacking = match rest.len() % BLOCK {
            0 => self.lacking - head.len(),
            over => BLOCK - over,
        };
    }

    fn blocks(&mut self, bytes: &[u8]) {
        for block in bytes.chunks(BLOCK) {
            self.sha1.update(block);
            self.md5.update(block);
        }
        self.adler32.write(bytes);
    }

    /// The digests of everything taken so far.
    pub fn finish(self) -> Checksums {
        Checksums {
            sha1: self.sha1.finalize().into(),
            md5: self.md5.finalize().into(),
            adler32: self.adler32.finish().to_be_bytes(),
        }
    }
}

impl std::fmt::Debug for Digester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digester").finish_non_exhaustive()
    }
}

/// The checksum of one piece of an upload, as clients of tus announce it (`Upload-Checksum`).
#[derive(Clone)]
pub struct ChunkSum {
    state: ChunkState,
    expected: Vec<u8>,
}

#[derive(Clone)]
enum ChunkState {
    Sha1(Sha1),
    Md5(Md5),
    Crc32(crc32fast::Hasher),
}

impl ChunkSum {
    /// Reads `<sha1|md5|crc32> <base64>` (tus), or hex in place of base64, as clients of oCIS write
    /// it; `InvalidArgument` for anything else. None for no text, and for the base64 of hex: that is
    /// the digest of the whole content, which tus-php sends along with each piece of it.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let wrong = || Error::invalid("the checksum must be sha1, md5 or crc32, and base64");
        if text.trim().is_empty() {
            return Ok(None);
        }
        let (kind, digest) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let digest = digest.trim();
        let bytes = STANDARD.decode(digest).ok();
        let is_hex = |bytes: &[u8]| bytes.len() >= 8 && bytes.iter().all(u8::is_ascii_hexdigit);
        if bytes.as_deref().is_some_and(is_hex) {
            return Ok(None);
        }
        let (state, length) = match kind.to_ascii_lowercase().as_str() {
            "sha1" => (ChunkState::Sha1(Sha1::new()), 20),
            "md5" => (ChunkState::Md5(Md5::new()), 16),
            "crc32" => (ChunkState::Crc32(crc32fast::Hasher::new()), 4),
            _ => return Err(wrong()),
        };
        let expected = match bytes {
            Some(bytes) if bytes.len() == length => Some(bytes),
            _ => unhex(digest).filter(|bytes| bytes.len() == length),
        };
        Ok(Some(Self { state, expected: expected.ok_or_else(wrong)? }))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            ChunkState::Sha1(state) => state.update(bytes),
            ChunkState::Md5(state) => state.update(bytes),
            ChunkState::Crc32(state) => state.update(bytes),
        }
    }

    /// Whether everything taken is what was announced.
    pub fn is_right(self) -> bool {
        match self.state {
            ChunkState::Sha1(state) => state.finalize()[..] == self.expected,
            ChunkState::Md5(state) => state.finalize()[..] == self.expected,
            ChunkState::Crc32(state) => state.finalize().to_be_bytes()[..] == self.expected,
        }
    }
}

impl std::fmt::Debug for ChunkSum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkSum").finish_non_exhaustive()
    }
}

/// The bytes that these hexadecimal digits stand for.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| {
        let digit = |digit: Option<&u8>| char::from(*digit?).to_digit(16);
        u8::try_from(digit(pair.first())? * 16 + digit(pair.get(1))?).ok()
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

/// The digests of `bytes`.
pub fn digest(bytes: &[u8]) -> Checksums {
    let mut digester = Digester::new();
    digester.update(bytes);
    digester.finish()
}

#[cfg(test)]
mod tests {
    use ocis_core::checksum::hex;

    use super::*;

    #[test]
    fn digests_are_the_published_ones() {
        let sums = digest(b"abc");
        assert_eq!(hex(&sums.sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(&sums.md5), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(hex(&sums.adler32), "024d0127");
        let empty = digest(b"");
        assert_eq!(hex(&empty.sha1), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(hex(&empty.md5), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(hex(&empty.adler32), "00000001");
    }

    #[test]
    fn the_checksum_of_a_piece_is_that_of_tus() {
        let texts = [
            "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
            "md5 kAFQmDzST7DWlj99KOF/cg==",
            "CRC32 NSRBwg==",
            "SHA1 a9993e364706816aba3e25717850c26c9cd0d89d",
            "md5 900150983cd24fb0d6963f7d28e17f72",
            "crc32 352441C2",
        ];
        for text in texts {
            let mut sum = ChunkSum::parse(text).unwrap().unwrap();
            sum.update(b"a");
            sum.update(b"bc");
            assert!(sum.clone().is_right(), "{text}");
            sum.update(b"d");
            assert!(!sum.is_right(), "{text}");
        }
        let wrong = [
            "sha1",
            "sha1 kAFQmDzST7DWlj99KOF/cg==",
            "sha256 AA==",
            "md5 é",
            "crc32 35244",
            "md5 ",
        ];
        for text in wrong {
            assert!(ChunkSum::parse(text).is_err(), "{text}");
        }
        // The base64 of hex, as tus-php sends it for the whole content.
        let whole = "sha256 YmE3ODE2YmY4ZjAxY2ZlYTQxNDE0MGRlNWRhZTIyMjNiMDAzNjFhMzk2MTc3YTljYjQxMGZmNjFmMjAwMTVhZA==";
        for text in ["", " ", whole] {
            assert!(ChunkSum::parse(text).unwrap().is_none(), "{text}");
        }
    }

    #[test]
    fn how_the_bytes_are_cut_does_not_matter() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
        for size in [1, 7, 63, 64, 65, 127, 100, STRIDE - 1, STRIDE, STRIDE + 1, bytes.len()] {
            let mut digester = Digester::new();
            bytes.chunks(size).for_each(|part| digester.update(part));
            assert_eq!(digester.finish(), digest(&bytes), "{size}");
        }
    }
}
