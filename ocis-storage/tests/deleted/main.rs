//! Random programs that delete, bring back and purge, and replace contents and bring them back, compared
//! with a model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test speaks by panicking"
)]

mod model;
mod world;

use ocis_storage::fs::MemoryFs;
use proptest::prelude::*;

use model::{Model, Op, apply, deleted};
use world::World;

fn paths() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4)
        .prop_map(|parts| parts.join("/"))
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => paths().prop_map(Op::Folder),
        4 => (paths(), 1u8..200).prop_map(|(path, seed)| Op::Write(path, seed)),
        2 => paths().prop_map(Op::Delete),
        3 => (paths(), paths()).prop_map(|(from, to)| Op::Move(from, to)),
        3 => (paths(), paths()).prop_map(|(from, to)| Op::Copy(from, to)),
        2 => paths().prop_map(Op::Version),
        1 => paths().prop_map(Op::Unversion),
        3 => (0usize..3, paths()).prop_map(|(number, path)| Op::Restore(number, path)),
        1 => (0usize..3).prop_map(Op::Purge),
        1 => Just(Op::PurgeAll),
        1 => Just(Op::Reopen),
    ]
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
}

/// Ends the process or closes cleanly, opens again, and checks the files.
fn reopen(disk: &MemoryFs, world: World, cleanly: bool, cached: usize) -> World {
    if cleanly {
        world.store.close().unwrap();
    }
    let keys = world.keys.lock().unwrap().clone();
    drop(world);
    disk.cut();
    let world = World::open(disk, cached);
    assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    *world.keys.lock().unwrap() = keys;
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_program_does_what_its_model_does(
        program in prop::collection::vec(ops(), 1..40),
        cached in prop::sample::select(vec![4usize, 1000]),
    ) {
        let (runtime, disk) = (runtime(1), MemoryFs::default());
        let mut world = World::open(&disk, cached);
        runtime.block_on(world.home());
        let mut model = Model::default();
        for op in &program {
            let is_done = runtime.block_on(world.run(op)).is_ok();
            prop_assert_eq!(is_done, apply(&mut model, op), "{:?}", op);
            runtime.block_on(world.note());
            if matches!(op, Op::Reopen) {
                world = reopen(&disk, world, false, cached);
            }
        }
        prop_assert_eq!(&runtime.block_on(world.see()).unwrap(), &model.tree);
        prop_assert_eq!(runtime.block_on(world.see_trash()), deleted(&model));
        prop_assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
        let world = reopen(&disk, world, true, cached);
        prop_assert_eq!(&runtime.block_on(world.see()).unwrap(), &model.tree);
        prop_assert_eq!(runtime.block_on(world.see_trash()), deleted(&model));
    }
}
