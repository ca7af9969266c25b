//! The flushes of a segment's end, one by one: nothing here depends on threads.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::fs::fault::Fault;
use crate::fs::{FaultyFs, MemoryFs};

/// The flush after a segment was removed.
const FLUSH: &str = "sync_dir */.ocis-rs/journal after unlink";

/// The segments that are left when three full ones are removed, the power goes at call `number`, and
/// the names that were not flushed reach the disk or not as the bits of `names` say; none when the
/// power did not go, because that call is left out.
fn left(number: u64, names: u32, left_out: Option<&str>) -> Option<BTreeSet<u64>> {
    let (root, disk) = (Path::new("/store"), MemoryFs::default());
    let folder = root.join(".ocis-rs/journal");
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    fs.mkdir_all(&folder).unwrap();
    let full: Vec<_> = (0..3).map(|_| begin(&fs, &folder).unwrap().path).collect();
    fs.sync_all(root).unwrap();
    fs.leave_out(left_out);
    fs.plan(fs.calls() + number, Fault::Cut);
    // As when earlier checkpoints failed, and when a store is closed.
    let _ = full.iter().try_for_each(|path| remove(&fs, path));
    let is_cut = fs.is_cut();
    let mut names = names;
    disk.cut_some(|| {
        let is_kept = names & 1 == 1;
        names >>= 1;
        is_kept
    });
    let left = segments(&disk, &folder).unwrap().into_iter().map(|(number, _)| number).collect();
    is_cut.then_some(left)
}

/// Whether some cut leaves an older segment and takes a younger one.
fn is_order_lost(left_out: Option<&str>) -> bool {
    // Of the three, the youngest ones.
    let is_in_order =
        |left: &BTreeSet<u64>| left.iter().rev().copied().eq((1..=3).rev().take(left.len()));
    // Each is unlinked and that is flushed.
    let cuts = (0..6).flat_map(|number| (0..8).map(move |names| (number, names)));
    !cuts.filter_map(|(number, names)| left(number, names, left_out)).all(|left| is_in_order(&left))
}

#[test]
fn the_oldest_segment_goes_first_for_good() {
    assert!(!is_order_lost(None));
}

#[test]
fn without_its_flush_the_order_would_be_lost() {
    assert!(is_order_lost(Some(FLUSH)));
}
