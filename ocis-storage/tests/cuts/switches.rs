//! Each flush and each journal record is there for a reason: without it, some cut is noticed.

use std::collections::BTreeSet;
use std::sync::Arc;

use ocis_storage::fs::{FaultyFs, MemoryFs};

use crate::op::{ALL, LARGE, Op};
use crate::see::Seen;
use crate::world::mode::Mode;
use crate::{once, open, opening, prepare, reopened, runtime, seen};

/// Writing records into the journal.
const RECORD: &str = "write */.ocis-rs/journal/*.log";

/// The places of all flushes that a store makes for `op`, when it is closed, and when it is opened
/// after a crash.
fn flushes(op: Op) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for is_closed in [true, false] {
        let disk = MemoryFs::default();
        let fs = FaultyFs::new(Arc::new(disk.clone()));
        let runtime = runtime();
        let token = prepare(&disk, &runtime, op);
        let world = open(Arc::new(fs.clone())).unwrap();
        runtime.block_on(world.run(op, token)).unwrap();
        if is_closed {
            world.store.close().unwrap();
        }
        drop(world);
        drop(open(Arc::new(fs.clone())).unwrap());
        found.extend(fs.flushes());
    }
    found
}

type Run = fn(Op, Mode, u64, Option<&str>, &[Seen; 2]) -> Option<String>;

/// Whether a cut of `op`, or of opening the store after it, is noticed when the calls at `place` are
/// not made.
fn is_noticed(op: Op, place: &str) -> bool {
    let seen = seen(op);
    for (run, mode) in [
        (once as Run, Mode::Cut),
        (once, Mode::CutContents),
        (opening::once, Mode::Cut),
        (opening::once, Mode::CutContents),
    ] {
        for number in 0.. {
            match run(op, mode, number, Some(place), &seen) {
                Some(text) if text.is_empty() => {}
                Some(_) => return true,
                None => break,
            }
        }
    }
    false
}

/// Whether the first large content in a new space is lost by a cut when the calls at `place` are not
/// made.
fn is_first_content_lost(place: Option<&str>) -> bool {
    let disk = MemoryFs::default();
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    fs.leave_out(place);
    let runtime = runtime();
    let world = open(Arc::new(fs)).unwrap();
    runtime.block_on(world.home("einstein")).unwrap();
    runtime.block_on(world.put("s", &[7; LARGE])).unwrap();
    drop(world);
    disk.cut();
    !reopened(&disk).is_ok_and(|seen| seen.contains_key("einstein:s"))
}

#[test]
fn a_record_that_is_left_out_is_noticed() {
    let unnoticed: Vec<_> = ALL.iter().filter(|op| !is_noticed(**op, RECORD)).collect();
    assert!(unnoticed.is_empty(), "nobody misses the record of {unnoticed:?}");
}

#[test]
fn a_flush_that_is_left_out_is_noticed() {
    let mut places: BTreeSet<String> = ALL.iter().flat_map(|op| flushes(*op)).collect();
    // Its cuts depend on what other threads do meanwhile; `journal::segment` makes them in order.
    places.remove("sync_dir */.ocis-rs/journal after unlink");
    assert!(!is_first_content_lost(None));
    places.retain(|place| !is_first_content_lost(Some(place)));
    for op in ALL {
        places.retain(|place| !flushes(*op).contains(place) || !is_noticed(*op, place));
    }
    assert!(places.is_empty(), "nobody misses {places:#?}");
}
