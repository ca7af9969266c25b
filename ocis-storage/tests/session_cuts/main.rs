//! Every call to the file system that an upload session makes is cut and failed once. Afterwards
//! the client goes on where the server says: the content becomes whole, no acknowledged byte has to
//! be sent again, and nothing is left behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test speaks by panicking"
)]

mod bucket;
mod switches;
mod uploads;
#[path = "../world/mod.rs"]
mod world;

use std::path::Path;
use std::sync::Arc;

use ocis_core::{Error, Result};
use ocis_storage::blob::faulty::FaultyObjects;
use ocis_storage::fs::{FaultyFs, Fs as _, MemoryFs};
use ocis_storage::session::step::Outcome;

use uploads::{Op, Uploads};
use world::mode::{Mode, modes};
use world::{single, wait_for};

type Verdict = std::result::Result<(), String>;

/// Opens what is left, goes on, and tells what is wrong.
fn reopened(
    disk: &MemoryFs,
    op: Op,
    bucket: Option<&FaultyObjects>,
    result: Option<&Result<()>>,
) -> Verdict {
    let told = |error: Error| format!("{error:?}");
    let uploads = Uploads::open(Arc::new(disk.clone()), op, bucket).map_err(told)?;
    let store = &uploads.world.store;
    let check = || {
        wait_for(|| store.waiting_drops() == 0);
        match store.check().map_err(told)? {
            found if found.is_empty() => Ok(()),
            found => Err(found.join("; ")),
        }
    };
    check()?;
    if let Some(result) = result {
        single().block_on(uploads.verify(op, result))?;
        check()?;
    }
    let left = || disk.read_dir(Path::new("/store/uploads")).unwrap();
    if bucket.is_some() {
        // What is in the bucket is removed by threads that nobody waits for.
        wait_for(|| left().is_empty());
    }
    store.close().map_err(told)?;
    let parts = bucket.map_or(0, FaultyObjects::open_parts);
    match left() {
        left if left.is_empty() && parts == 0 => Ok(()),
        left => Err(format!("left behind: {left:?}, {parts} parts")),
    }
}

/// Runs `op` with a fault at its call `at`, or right after its answer; none when it makes no such
/// call. `left_out` is a place whose calls are not made, see [`FaultyFs::leave_out`].
fn once(
    op: Op,
    mode: Mode,
    at: Option<u64>,
    bucket: Option<&FaultyObjects>,
    left_out: Option<&str>,
) -> Option<Verdict> {
    let disk = MemoryFs::default();
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    fs.leave_out(left_out);
    let (result, went_on, is_hit) = {
        let runtime = single();
        let uploads = Uploads::open(Arc::new(fs.clone()), op, bucket).unwrap();
        let id = runtime.block_on(uploads.prepare(op));
        let first = mode.count(&fs);
        if let Some(number) = at {
            fs.plan(first + number, mode.fault());
        }
        let is_hit = || at.is_none_or(|number| mode.count(&fs) > first + number);
        let result = runtime.block_on(uploads.run(op, id, &fs));
        let store = &uploads.world.store;
        let mut went_on = None;
        if mode.is_survived() && is_hit() && !store.has_failed() {
            went_on = Some(runtime.block_on(uploads.verify(op, &result)));
        }
        if at.is_some() {
            let _ = store.close();
        }
        // From here on it is another process.
        fs.cut();
        (result, went_on, is_hit())
    };
    if !is_hit {
        return None;
    }
    mode.crash(&disk);
    let place = at.map_or_else(|| "after it".to_owned(), |number| format!("at {number}"));
    let told = |what: String| format!("{op:?} {mode:?} {place} ({result:?}): {what}\n");
    if let Some(Err(wrong)) = &went_on {
        return Some(Err(told(format!("it does not go on: {wrong}"))));
    }
    let expected = went_on.is_none().then_some(&result);
    Some(reopened(&disk, op, bucket, expected).map_err(told))
}

/// Fails or cuts every call of `op`, and cuts after it; gives what went wrong.
fn every(op: Op, modes: &[Mode], is_remote: bool) -> String {
    let mut wrong = String::new();
    for mode in modes {
        let after = (!mode.is_survived()).then_some(None);
        for at in after.into_iter().chain((0..).map(Some)) {
            let bucket = is_remote.then(FaultyObjects::new);
            match once(op, *mode, at, bucket.as_ref(), None) {
                Some(verdict) => wrong.extend(verdict.err()),
                None => {
                    assert!(at > Some(1), "{op:?} makes calls");
                    break;
                }
            }
        }
    }
    wrong
}

fn holds(ops: &[Op]) {
    let wrong: String = ops.iter().map(|op| every(*op, &modes(), false)).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_is_begun() {
    holds(&[Op::Create, Op::CreateEmpty]);
}

#[test]
fn what_is_added() {
    holds(&[Op::Append, Op::AppendVerified, Op::SetLength]);
}

#[test]
fn what_is_whole() {
    holds(&[Op::FinishSmall, Op::FinishLarge, Op::Overwrite]);
}

#[test]
fn what_is_given_up() {
    holds(&[Op::Abort, Op::Expire]);
}

#[test]
fn what_is_processed() {
    holds(&[Outcome::Continue, Outcome::Delete, Outcome::Abort].map(Op::Processed));
}

#[test]
fn what_is_processed_over_another() {
    holds(&[Outcome::Continue, Outcome::Delete, Outcome::Abort].map(Op::ProcessedOver));
}
