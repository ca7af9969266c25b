//! Opening a store after a crash is cut and failed at every call as well: what was acknowledged is
//! there the next time.

use std::sync::Arc;

use ocis_storage::fs::{FaultyFs, MemoryFs};

use crate::op::{ALL, Op};
use crate::see::Seen;
use crate::world::mode::{Mode, modes};
use crate::{open, prepare, reopened, runtime, seen};

/// Opens a store that crashed right after `op` was acknowledged, with a fault at call `number`; none
/// when it makes no such call. `left_out` is as in [`crate::once`].
pub(crate) fn once(
    op: Op,
    mode: Mode,
    number: u64,
    left_out: Option<&str>,
    seen: &[Seen; 2],
) -> Option<String> {
    let disk = MemoryFs::default();
    {
        let runtime = runtime();
        let token = prepare(&disk, &runtime, op);
        let world = open(Arc::new(disk.clone())).unwrap();
        runtime.block_on(world.run(op, token)).unwrap();
    }
    mode.crash(&disk);
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    fs.leave_out(left_out);
    fs.plan(number, mode.fault());
    let opened = open(Arc::new(fs.clone())).map(drop);
    if mode.count(&fs) <= number {
        return None;
    }
    mode.crash(&disk);
    match reopened(&disk) {
        Ok(after) if after == seen[1] => Some(String::new()),
        Ok(after) => Some(format!("{op:?} {mode:?} at {number} ({opened:?}): {after:#?}\n")),
        Err(wrong) => Some(format!("{op:?} {mode:?} at {number} ({opened:?}): {wrong}\n")),
    }
}

#[test]
fn a_replay_that_breaks_off_is_made_again() {
    let mut wrong = Vec::new();
    for op in ALL {
        let seen = seen(*op);
        for mode in modes() {
            for number in 0.. {
                match once(*op, mode, number, None, &seen) {
                    Some(text) if text.is_empty() => {}
                    Some(text) => wrong.push(text),
                    None => break,
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join(""));
}
