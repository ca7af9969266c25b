//! Each flush of an upload session is there for a reason: without it, some cut is noticed.

use std::collections::BTreeSet;
use std::sync::Arc;

use ocis_storage::fs::{FaultyFs, MemoryFs};
use ocis_storage::session::step::Outcome;

use crate::once;
use crate::uploads::{Op, Uploads};
use crate::world::mode::Mode;
use crate::world::single;

const OPS: [Op; 13] = [
    Op::Create,
    Op::CreateEmpty,
    Op::Append,
    Op::AppendVerified,
    Op::SetLength,
    Op::FinishSmall,
    Op::FinishLarge,
    Op::Overwrite,
    Op::Abort,
    Op::Expire,
    Op::Processed(Outcome::Continue),
    Op::Processed(Outcome::Abort),
    Op::ProcessedOver(Outcome::Delete),
];

/// The places of the flushes among uploads that `op` makes, and what is there before it.
fn flushes(op: Op) -> BTreeSet<String> {
    let fs = FaultyFs::new(Arc::new(MemoryFs::default()));
    let (runtime, uploads) = (single(), Uploads::open(Arc::new(fs.clone()), op, None).unwrap());
    let id = runtime.block_on(uploads.prepare(op));
    runtime.block_on(uploads.run(op, id, &fs)).unwrap();
    fs.flushes().into_iter().filter(|place| place.contains("/uploads")).collect()
}

/// Whether a cut of `op`, or right after it, is noticed when the calls at `place` are not made.
fn is_noticed(op: Op, place: &str) -> bool {
    for mode in [Mode::Cut, Mode::CutContents] {
        for at in std::iter::once(None).chain((0..).map(Some)) {
            match once(op, mode, at, None, Some(place)) {
                Some(Ok(())) => {}
                Some(Err(_)) => return true,
                None => break,
            }
        }
    }
    false
}

#[test]
fn a_flush_that_is_left_out_is_noticed() {
    let places: BTreeSet<String> = OPS.iter().flat_map(|op| flushes(*op)).collect();
    assert!(!places.is_empty());
    let is_missed = |place: &String| {
        OPS.iter().any(|op| flushes(*op).contains(place) && is_noticed(*op, place))
    };
    let unnoticed: Vec<_> = places.iter().filter(|place| !is_missed(place)).collect();
    assert!(unnoticed.is_empty(), "of {places:#?} nobody misses {unnoticed:#?}");
}
