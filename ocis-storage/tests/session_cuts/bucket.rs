//! The same where contents are in a bucket: its requests, too, are refused, lost, or where the process
//! ends.

use std::io::ErrorKind as Io;
use std::sync::Arc;

use ocis_core::Result;
use ocis_storage::blob::faulty::{FaultyObjects, ObjectFault};
use ocis_storage::fs::{FaultyFs, MemoryFs};
use ocis_storage::session::step::Outcome;

use crate::uploads::{Op, Uploads};
use crate::world::mode::{Mode, modes};
use crate::world::{is_long, single};
use crate::{Verdict, every, reopened};

/// What sends something to the bucket, or removes something there.
const OPS: [Op; 6] = [
    Op::CreateEmpty,
    Op::FinishSmall,
    Op::FinishLarge,
    Op::Overwrite,
    Op::Processed(Outcome::Delete),
    Op::ProcessedOver(Outcome::Continue),
];

/// Runs `op` with a fault at its request `number`; none when it makes no such request.
fn once(op: Op, fault: ObjectFault, number: u64) -> Option<Verdict> {
    let (disk, objects) = (MemoryFs::default(), FaultyObjects::new());
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    let is_crash = matches!(fault, ObjectFault::CutBefore | ObjectFault::CutAfter);
    let (result, went_on) = {
        let runtime = single();
        let uploads = Uploads::open(Arc::new(fs.clone()), op, Some(&objects)).unwrap();
        let id = runtime.block_on(uploads.prepare(op));
        let first = objects.calls();
        objects.plan(first + number, fault, &fs);
        let result: Result<()> = runtime.block_on(uploads.run(op, id, &fs));
        if objects.calls() <= first + number {
            return None;
        }
        let mut went_on = None;
        if !is_crash {
            objects.heal();
            went_on = Some(match uploads.world.store.has_failed() {
                true => Err("the store failed".into()),
                false => runtime.block_on(uploads.verify(op, &result)),
            });
        }
        fs.cut();
        (result, went_on)
    };
    disk.cut();
    let told = |what: String| format!("{op:?} {fault:?} at {number} ({result:?}): {what}\n");
    if let Some(Err(wrong)) = &went_on {
        return Some(Err(told(format!("it does not go on: {wrong}"))));
    }
    let expected = went_on.is_none().then_some(&result);
    Some(reopened(&disk, op, Some(&objects.restarted()), expected).map_err(told))
}

#[test]
fn requests_to_the_bucket() {
    use ObjectFault::{Away, CutAfter, CutBefore, Lose, Refuse, TimeOut, TimeOutLate};
    let mut wrong = String::new();
    for op in OPS {
        for fault in [Refuse, Lose, TimeOut, TimeOutLate, Away, CutBefore, CutAfter] {
            // Processing goes on until the bucket is back.
            if fault == Away && op.outcome().is_some() {
                continue;
            }
            let verdicts = (0..).map_while(|number| once(op, fault, number));
            wrong.extend(verdicts.filter_map(Verdict::err));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn calls_to_the_file_system() {
    let few = vec![Mode::Cut, Mode::Kill, Mode::Fail(Io::StorageFull)];
    let modes = if is_long() { modes() } else { few };
    let wrong: String = OPS.iter().map(|op| every(*op, &modes, true)).collect();
    assert!(wrong.is_empty(), "{wrong}");
}
