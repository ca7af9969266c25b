//! What a fault in a call to the file system is, and what becomes of the disk then.

use std::io::ErrorKind as Io;

use ocis_storage::fs::fault::Fault;
use ocis_storage::fs::{FaultyFs, MemoryFs};

use super::is_long;

/// What becomes of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The power goes, and with it what was not flushed.
    Cut,
    /// The same, but names reach the disk before contents.
    CutContents,
    /// The same, but some names reached the disk, by this seed.
    CutSome(u64),
    /// The process ends; what was written stays.
    Kill,
    /// One call fails.
    Fail(Io),
    /// One call finds no file descriptor left.
    NoFiles,
}

/// What is tried at every call; with the variable `OCIS_TEST_LONG` also many orders in which names
/// may reach the disk.
pub(crate) fn modes() -> Vec<Mode> {
    let some = if is_long() { 1..=16 } else { 1..=1 };
    let fixed = [
        Mode::Cut,
        Mode::CutContents,
        Mode::Kill,
        Mode::Fail(Io::StorageFull),
        Mode::Fail(Io::Other),
        Mode::NoFiles,
    ];
    fixed.into_iter().chain(some.map(Mode::CutSome)).collect()
}

impl Mode {
    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::Fail(kind) => Fault::Fail(kind),
            Self::NoFiles => Fault::NoFiles,
            _ => Fault::Cut,
        }
    }

    /// Whether the process goes on.
    pub(crate) fn is_survived(self) -> bool {
        matches!(self, Self::Fail(_) | Self::NoFiles)
    }

    /// How many calls were made of those that can fail so.
    pub(crate) fn count(self, fs: &FaultyFs) -> u64 {
        if matches!(self, Self::NoFiles) { fs.opened() } else { fs.calls() }
    }

    /// What becomes of the disk when all is over.
    pub(crate) fn crash(self, disk: &MemoryFs) {
        match self {
            Self::Kill => disk.kill(),
            Self::CutContents => disk.cut_contents(),
            Self::CutSome(mut seed) => disk.cut_some(|| {
                // Knuth's MMIX generator; its high bits are good enough for a coin.
                seed = seed.wrapping_mul(6_364_136_223_846_793_005);
                seed = seed.wrapping_add(1_442_695_040_888_963_407);
                seed >> 63 == 1
            }),
            Self::Cut | Self::Fail(_) | Self::NoFiles => disk.cut(),
        }
    }
}
