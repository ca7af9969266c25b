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
mod op;
mod world;

use std::io::ErrorKind as Io;
use std::sync::Arc;

use ocis_core::{Error, ErrorKind};
use ocis_storage::fs::fault::Fault;
use ocis_storage::fs::{FaultyFs, MemoryFs};

use op::Op;
use world::{Seen, World};

/// What becomes of a fault.
#[derive(Debug, Clone, Copy)]
enum Mode {
    /// The power goes, and with it what was not flushed.
    Cut,
    /// The process ends; what was written stays.
    Kill,
    /// One call fails.
    Fail(Io),
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Opens what is left and tells what is wrong with it.
fn reopened(disk: &MemoryFs) -> std::result::Result<Seen, String> {
    let world = World::open(Arc::new(disk.clone()), false).map_err(|error| format!("{error:?}"))?;
    let findings = world.store.check().map_err(|error| format!("{error:?}"))?;
    if !findings.is_empty() {
        return Err(findings.join("; "));
    }
    let seen = runtime().block_on(world.see()).map_err(|error| format!("{error:?}"))?;
    world.store.close().map_err(|error| format!("{error:?}"))?;
    Ok(seen)
}

/// Runs `op` with a fault at its call `number`; none when it makes no such call.
fn once(op: Op, mode: Mode, number: u64, without_flush: bool, seen: &[Seen; 2]) -> Option<String> {
    let disk = MemoryFs::default();
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    let (result, probed, is_hit) = {
        let runtime = runtime();
        let world = World::open(Arc::new(fs.clone()), without_flush).unwrap();
        let token = runtime.block_on(world.prepare(op));
        world.store.check().unwrap();
        let first = fs.calls();
        let fault = match mode {
            Mode::Cut | Mode::Kill => Fault::Cut,
            Mode::Fail(kind) => Fault::Fail(kind),
        };
        fs.plan(first + number, fault);
        let result = runtime.block_on(world.run(op, token));
        let is_hit = fs.calls() > first + number;
        let mut probed = None;
        if matches!(mode, Mode::Fail(_)) && is_hit && !world.store.has_failed() {
            probed = Some(runtime.block_on(world.mkdir("probe")));
        }
        let _ = world.store.close();
        (result, probed, fs.calls() > first + number)
    };
    if !is_hit {
        return None;
    }
    if matches!(mode, Mode::Kill) {
        disk.kill()
    } else {
        disk.cut()
    }
    let told = |what: String| Some(format!("{op:?} {mode:?} at {number} ({result:?}): {what}\n"));
    let mut after = match reopened(&disk) {
        Ok(after) => after,
        Err(wrong) => return told(wrong),
    };
    let has_probe = after.remove("einstein/probe").is_some();
    match probed {
        Some(Ok(())) if !has_probe => return told("the change after it is lost".into()),
        Some(Err(error)) => return told(format!("it does not go on: {error:?}")),
        _ => {}
    }
    let refused =
        |error: &Error| !matches!(error.kind(), ErrorKind::Internal | ErrorKind::Unavailable);
    let is_right = match &result {
        Ok(()) => after == seen[1],
        Err(error) if refused(error) => after == seen[0],
        Err(_) => seen.contains(&after),
    };
    if is_right { Some(String::new()) } else { told(format!("{after:#?}")) }
}

/// Fails and cuts every call of `op`; gives what went wrong.
fn every(op: Op, modes: &[Mode], without_flush: bool) -> Vec<String> {
    let seen = {
        let runtime = runtime();
        let world = World::open(Arc::new(MemoryFs::default()), false).unwrap();
        let token = runtime.block_on(world.prepare(op));
        let before = runtime.block_on(world.see()).unwrap();
        runtime.block_on(world.run(op, token)).unwrap();
        let after = runtime.block_on(world.see()).unwrap();
        assert_ne!(before, after, "{op:?} does something");
        [before, after]
    };
    let mut wrong = Vec::new();
    for mode in modes {
        for number in 0.. {
            match once(op, *mode, number, without_flush, &seen) {
                Some(text) if text.is_empty() => {}
                Some(text) => wrong.push(text),
                None => {
                    assert!(number > 5, "the change makes calls");
                    break;
                }
            }
        }
    }
    wrong
}

fn holds(ops: &[Op]) {
    let modes = [Mode::Cut, Mode::Kill, Mode::Fail(Io::StorageFull), Mode::Fail(Io::Other)];
    for op in ops {
        let wrong = every(*op, &modes, false);
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
    holds(&[Op::SetMetadata, Op::Lock, Op::Unlock]);
}

#[test]
fn a_journal_that_is_not_flushed_is_noticed() {
    assert!(!every(Op::UploadInline, &[Mode::Cut], true).is_empty());
}
