//! A body of any size that nobody has to store: each byte follows from its position, so a reader
//! can tell a wrong, missing or repeated piece.

use std::io::{Read, Write};

/// Yields `len` bytes.
#[derive(Debug)]
pub struct Pattern {
    position: u64,
    len: u64,
}

impl Pattern {
    /// A body of `len` bytes.
    pub fn new(len: u64) -> Self {
        Self { position: 0, len }
    }
}

impl Read for Pattern {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.len - self.position).unwrap_or(usize::MAX);
        let count = left.min(buffer.len());
        fill(self.position, &mut buffer[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

/// Compares what is written into it with the body of [`Pattern`].
#[derive(Debug, Default)]
pub struct PatternCheck {
    position: u64,
    wrong_at: Option<u64>,
    expected: Vec<u8>,
}

impl PatternCheck {
    /// How many bytes came, and where the first wrong piece begins, if there is one.
    pub fn outcome(&self) -> (u64, Option<u64>) {
        (self.position, self.wrong_at)
    }
}

impl Write for PatternCheck {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.expected.resize(bytes.len(), 0);
        fill(self.position, &mut self.expected);
        if self.wrong_at.is_none() && self.expected != bytes {
            self.wrong_at = Some(self.position);
        }
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Words of eight bytes, each a product of its number.
fn fill(mut position: u64, mut buffer: &mut [u8]) {
    while !buffer.is_empty() {
        let word = (position / 8).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        let begin = (position % 8) as usize;
        let count = (8 - begin).min(buffer.len());
        let (now, rest) = buffer.split_at_mut(count);
        now.copy_from_slice(&word[begin..begin + count]);
        buffer = rest;
        position += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::{Pattern, PatternCheck};

    #[test]
    fn a_wrong_byte_is_found() {
        let mut bytes = Vec::new();
        Pattern::new(10_003).read_to_end(&mut bytes).unwrap();
        let mut good = PatternCheck::default();
        good.write_all(&bytes[..777]).unwrap();
        good.write_all(&bytes[777..]).unwrap();
        assert_eq!(good.outcome(), (10_003, None));
        bytes[5000] ^= 1;
        let mut bad = PatternCheck::default();
        bad.write_all(&bytes[..4000]).unwrap();
        bad.write_all(&bytes[4000..]).unwrap();
        assert_eq!(bad.outcome(), (10_003, Some(4000)));
    }
}
