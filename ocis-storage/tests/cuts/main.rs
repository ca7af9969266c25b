//! Every call to the file system that a change makes is cut and failed once: the change is then
//! made whole or not at all, and once it was acknowledged it stays.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test speaks by panicking"
)]

mod checkpoint;
mod op;
mod opening;
mod see;
mod spaces;
mod switches;
#[path = "../world/mod.rs"]
mod world;

use std::sync::Arc;

use ocis_core::{Error, ErrorKind, Result};
use ocis_storage::Options;
use ocis_storage::fs::{FaultyFs, Fs, MemoryFs};

use op::Op;
use see::Seen;
use world::mode::{Mode, modes};
use world::{World, single as runtime, storage};

/// Opens the store.
fn open(fs: Arc<dyn Fs>) -> Result<World> {
    // One file a record, so that purges have more than one.
    World::open(fs, Options { purge_steps: 1, ..Options::new(storage()) })
}

/// Opens what is left and tells what is wrong with it.
fn reopened(disk: &MemoryFs) -> std::result::Result<Seen, String> {
    let world = open(Arc::new(disk.clone())).map_err(|error| format!("{error:?}"))?;
    let findings = world.store.check().map_err(|error| format!("{error:?}"))?;
    if !findings.is_empty() {
        return Err(findings.join("; "));
    }
    let remains = disk.read_dir(std::path::Path::new("/store/.ocis-rs/purged"));
    if remains.is_ok_and(|remains| !remains.is_empty()) {
        return Err("something is left of a purged space".into());
    }
    let seen = runtime().block_on(world.see()).map_err(|error| format!("{error:?}"))?;
    world.store.close().map_err(|error| format!("{error:?}"))?;
    Ok(seen)
}

/// Makes a store with what is there before `op`; gives the token of a lock.
fn prepare(disk: &MemoryFs, runtime: &tokio::runtime::Runtime, op: Op) -> String {
    let world = open(Arc::new(disk.clone())).unwrap();
    let token = runtime.block_on(world.prepare(op));
    world.store.close().unwrap();
    token
}

/// Runs `op` with a fault at its call `number`; none when it makes no such call. `left_out` is a
/// place whose calls are not made, see [`FaultyFs::leave_out`].
fn once(
    op: Op,
    mode: Mode,
    number: u64,
    left_out: Option<&str>,
    seen: &[Seen; 2],
) -> Option<String> {
    let disk = MemoryFs::default();
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    let (result, probed, is_hit) = {
        let runtime = runtime();
        let token = prepare(&disk, &runtime, op);
        // Nothing is in memory, and the journal is empty.
        let world = open(Arc::new(fs.clone())).unwrap();
        let first = mode.count(&fs);
        fs.plan(first + number, mode.fault());
        fs.leave_out(left_out);
        let result = runtime.block_on(world.run(op, token));
        let is_hit = mode.count(&fs) > first + number;
        let mut probed = None;
        if mode.is_survived() && is_hit && !world.store.has_failed() {
            probed = Some(runtime.block_on(world.mkdir("probe")));
        }
        let _ = world.store.close();
        (result, probed, mode.count(&fs) > first + number)
    };
    if !is_hit {
        return None;
    }
    mode.crash(&disk);
    let told = |what: String| Some(format!("{op:?} {mode:?} at {number} ({result:?}): {what}\n"));
    let mut after = match reopened(&disk) {
        Ok(after) => after,
        Err(wrong) => return told(wrong),
    };
    let has_probe = after.remove("einstein:probe").is_some();
    match probed {
        Some(Ok(())) if !has_probe => return told("the change after it is lost".into()),
        Some(Err(error)) => return told(format!("it does not go on: {error:?}")),
        _ => {}
    }
    let refused =
        |error: &Error| !matches!(error.kind(), ErrorKind::Internal | ErrorKind::Unavailable);
    let is_right = match &result {
        Ok(()) => after == seen[1],
        Err(_) if op.is_stepwise() => {
            let is_within =
                |one: &Seen, other: &Seen| one.keys().all(|key| other.contains_key(key));
            is_within(&seen[1], &after) && is_within(&after, &seen[0])
        }
        Err(error) if refused(error) => after == seen[0],
        Err(_) => seen.contains(&after),
    };
    if is_right { Some(String::new()) } else { told(format!("{after:#?}")) }
}

/// What is seen before and after `op`.
fn seen(op: Op) -> [Seen; 2] {
    let runtime = runtime();
    let world = open(Arc::new(MemoryFs::default())).unwrap();
    let token = runtime.block_on(world.prepare(op));
    let before = runtime.block_on(world.see()).unwrap();
    runtime.block_on(world.run(op, token)).unwrap();
    let after = runtime.block_on(world.see()).unwrap();
    assert_ne!(before, after, "{op:?} does something");
    [before, after]
}

/// Fails and cuts every call of `op`; gives what went wrong.
fn every(op: Op, modes: &[Mode]) -> Vec<String> {
    let seen = seen(op);
    let mut wrong = Vec::new();
    for mode in modes {
        for number in 0.. {
            match once(op, *mode, number, None, &seen) {
                Some(text) if text.is_empty() => {}
                Some(text) => wrong.push(text),
                None => {
                    assert!(number > 2, "the change makes calls");
                    break;
                }
            }
        }
    }
    wrong
}

fn holds(ops: &[Op]) {
    for op in ops {
        let wrong = every(*op, &modes());
        assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join(""));
    }
}

#[test]
fn what_is_made() {
    holds(&[Op::CreateSpace, Op::CreateFolder, Op::Touch]);
}

#[test]
fn what_is_uploaded() {
    holds(&[Op::UploadInline, Op::UploadStaged]);
}

#[test]
fn what_is_overwritten() {
    holds(&[Op::Overwrite, Op::OverwriteStaged]);
}

#[test]
fn what_is_moved() {
    holds(&[Op::Rename, Op::RenameOver]);
}

#[test]
fn what_is_deleted() {
    holds(&[Op::DeleteFile, Op::DeleteFolder]);
}

#[test]
fn what_is_copied() {
    holds(&[Op::CopyDeep, Op::CopyOver]);
}

#[test]
fn what_is_said_of_nodes() {
    holds(&[Op::SetMetadata, Op::Lock, Op::Unlock, Op::Tag]);
}

#[test]
fn what_becomes_of_spaces() {
    holds(&[Op::CreateProject, Op::UpdateSpace, Op::DisableSpace, Op::RestoreSpace]);
}

#[test]
fn what_is_purged_with_a_space() {
    holds(&[Op::PurgeSpace]);
}

#[test]
fn who_may_use_it() {
    holds(&[Op::AddMember, Op::RemoveMember, Op::Share]);
}

#[test]
fn what_is_moved_to_another_space() {
    holds(&[Op::MoveAway]);
}

#[test]
fn what_comes_back() {
    holds(&[Op::RestoreTrash, Op::RestoreFolder, Op::RestoreOver, Op::RestoreChild]);
}

#[test]
fn what_is_purged() {
    holds(&[Op::PurgeItem, Op::PurgeChild, Op::PurgeFolder, Op::PurgeAll]);
}

#[test]
fn what_becomes_of_versions() {
    holds(&[Op::RestoreVersion, Op::PurgeVersions]);
}
