//! Programs that run at the same time: there is an order of all their changes in which the model does
//! the same and comes to the same end.

use std::collections::HashSet;
use std::sync::Arc;

use ocis_core::{ErrorKind, Result};
use ocis_storage::fs::MemoryFs;
use proptest::prelude::*;

use crate::model::{Model, Op, Seen, space_of};
use crate::world::{World, runtime};
use crate::{begin, cases, change, open, reopen};

/// Programs at once.
const THREADS: usize = 3;

/// A change and what was answered.
type Done = (Op, Result<()>);

/// Whether a change may be refused because of what others do meanwhile, to be tried again: contents
/// are copied before the change is made, and a space is purged after it was.
fn may_collide((op, done): &Done) -> bool {
    let Err(error) = done else { return false };
    match op {
        Op::Copy(..) => error.kind() == ErrorKind::Conflict,
        Op::Move(from, to) => space_of(from) != space_of(to) && error.kind() == ErrorKind::Conflict,
        Op::Create(_) => error.kind() == ErrorKind::Unavailable,
        _ => false,
    }
}

/// Looks for an order in which the model does what was done, beginning with `model` and what each
/// program has not done yet.
fn is_explained(
    model: &Model,
    rest: &[&[Done]],
    end: &Seen,
    tried: &mut HashSet<(Model, Vec<usize>)>,
) -> bool {
    if rest.iter().all(|program| program.is_empty()) {
        return model.see() == *end;
    }
    if !tried.insert((model.clone(), rest.iter().map(|program| program.len()).collect())) {
        return false;
    }
    (0..rest.len()).any(|number| {
        let Some((next, others)) = rest[number].split_first() else { return false };
        let mut rest = rest.to_vec();
        rest[number] = others;
        let mut after = model.clone();
        let is_done = after.apply(&next.0);
        is_done == next.1.is_ok() && is_explained(&after, &rest, end, tried)
            || may_collide(next) && is_explained(model, &rest, end, tried)
    })
}

async fn together(world: &World, programs: Vec<Vec<Op>>) -> Vec<Vec<Done>> {
    let start = Arc::new(tokio::sync::Barrier::new(programs.len()));
    let tasks = programs.into_iter().map(|program| {
        let (world, start) = (world.clone(), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            let mut done = Vec::new();
            for op in program {
                let result = world.run(&op, 0).await;
                done.push((op, result));
            }
            done
        })
    });
    futures::future::try_join_all(tasks).await.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(64), failure_persistence: None, ..Default::default() })]

    #[test]
    fn programs_at_once_do_what_the_model_does_in_some_order(
        before in prop::collection::vec(change(), 0..12),
        programs in prop::collection::vec(prop::collection::vec(change(), 1..6), THREADS),
        cached in prop::sample::select(vec![4usize, 1000]),
    ) {
        let (runtime, disk) = (runtime(THREADS), MemoryFs::default());
        let world = open(&disk, cached);
        let mut model = Model::new();
        let (done, seen) = runtime.block_on(async {
            begin(&world).await;
            for op in &before {
                assert_eq!(world.run(op, 0).await.is_ok(), model.apply(op), "{op:?}");
            }
            let done = together(&world, programs).await;
            (done, world.see(0).await.unwrap())
        });
        prop_assert!(!world.store.has_failed());
        prop_assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
        let rest: Vec<_> = done.iter().map(Vec::as_slice).collect();
        let is_explained = is_explained(&model, &rest, &seen, &mut HashSet::new());
        prop_assert!(is_explained, "after {:#?} nothing explains {:#?} and {:#?}", model, done, seen);
        let world = reopen(&disk, world, false, cached);
        prop_assert_eq!(runtime.block_on(world.see(0)).unwrap(), seen);
    }
}

/// Many more changes than can be put in order: what matters is what is left.
#[test]
fn many_at_once_leave_files_that_fit_together() {
    use crate::model::Who::Einstein;
    let (runtime, disk) = (runtime(2), MemoryFs::default());
    let world = open(&disk, 50);
    let names = ["einstein:a", "einstein:b", "einstein:a/c", "other:c", "other:c/d"];
    let program = |task: usize| {
        let change = |step: usize| {
            let (from, to) = (names[(step * 7 + task) % 5], names[(step * 3 + task) % 5]);
            match (step + task) % 6 {
                0 | 1 => Op::Folder(Einstein, from.into()),
                2 | 3 => Op::Write(Einstein, format!("{from}/f"), 1 + step as u8),
                4 if step.is_multiple_of(3) => Op::Delete(Einstein, to.into()),
                4 => Op::Move(from.into(), to.into()),
                _ => Op::Copy(from.into(), to.into()),
            }
        };
        (0..60).map(change).collect()
    };
    let seen = runtime.block_on(async {
        begin(&world).await;
        together(&world, (0..8).map(program).collect()).await;
        world.see(0).await.unwrap()
    });
    assert!(!world.store.has_failed());
    assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    let world = reopen(&disk, world, false, 50);
    assert_eq!(runtime.block_on(world.see(0)).unwrap(), seen);
}
