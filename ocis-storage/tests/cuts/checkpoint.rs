//! Checkpoints at every record, cut and failed at every call: what was acknowledged stays.

use std::sync::Arc;

use ocis_core::Result;
use ocis_storage::Options;
use ocis_storage::fs::{FaultyFs, MemoryFs};

use crate::op::LARGE;
use crate::see::Seen;
use crate::world::mode::{Mode, modes};
use crate::world::{World, storage};
use crate::{reopened, runtime};

const STEPS: usize = 6;

/// Every record fills its segment.
fn open(fs: FaultyFs) -> Result<World> {
    World::open(Arc::new(fs), Options { segment: 1, ..Options::new(storage()) })
}

async fn step(world: &World, number: usize) -> Result<()> {
    match number {
        0 => world.mkdir("d").await,
        1 => world.put("d/x", b"x").await,
        2 => world.put("d/y", &[7; LARGE]).await,
        3 => world.put("d/x", b"other").await,
        4 => world.rename("d/y", "y").await,
        _ => world.delete("d").await,
    }
}

/// What is seen after each number of steps.
fn stages() -> Vec<Seen> {
    let runtime = runtime();
    let world = open(FaultyFs::new(Arc::new(MemoryFs::default()))).unwrap();
    runtime.block_on(world.home("einstein")).unwrap();
    let mut stages = vec![runtime.block_on(world.see()).unwrap()];
    for number in 0..STEPS {
        runtime.block_on(step(&world, number)).unwrap();
        stages.push(runtime.block_on(world.see()).unwrap());
    }
    stages
}

/// Makes all steps with a fault at call `number`; none when there is no such call, else what is
/// wrong.
fn once(mode: Mode, number: u64, stages: &[Seen]) -> Option<String> {
    let disk = MemoryFs::default();
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    let runtime = runtime();
    let world = open(fs.clone()).unwrap();
    runtime.block_on(world.home("einstein")).unwrap();
    let first = mode.count(&fs);
    fs.plan(first + number, mode.fault());
    let mut done = 0;
    while done < STEPS && runtime.block_on(step(&world, done)).is_ok() {
        done += 1;
    }
    let _ = world.store.close();
    drop(world);
    if mode.count(&fs) <= first + number {
        return None;
    }
    mode.crash(&disk);
    match reopened(&disk) {
        Ok(after) if stages.iter().skip(done).take(2).any(|stage| *stage == after) => {
            Some(String::new())
        }
        Ok(after) => Some(format!("{mode:?} at {number}, {done} done: {after:#?}\n")),
        Err(wrong) => Some(format!("{mode:?} at {number}, {done} done: {wrong}\n")),
    }
}

#[test]
fn checkpoints_lose_nothing() {
    let (stages, mut wrong) = (stages(), String::new());
    for mode in modes() {
        for number in 0.. {
            match once(mode, number, &stages) {
                Some(text) => wrong += &text,
                None => break,
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
