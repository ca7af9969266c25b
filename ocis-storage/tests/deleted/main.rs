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
mod run;
#[path = "../world/mod.rs"]
mod world;

use std::sync::Arc;

use ocis_storage::Options;
use ocis_storage::fs::MemoryFs;
use proptest::prelude::*;

use model::{Model, Op, apply, deleted};
use run::Keys;
use world::{World, is_long, runtime, storage};

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

fn open(disk: &MemoryFs, cached_nodes: usize) -> World {
    let options = Options { cached_nodes, ..Options::new(storage()) };
    World::open(Arc::new(disk.clone()), options).unwrap()
}

/// Ends the process or closes cleanly, opens again, and checks the files.
fn reopen(disk: &MemoryFs, world: World, cleanly: bool, cached: usize) -> World {
    if cleanly {
        world.store.close().unwrap();
    }
    drop(world);
    disk.cut();
    let world = open(disk, cached);
    assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    world
}

/// Programs that are tried; many more with the variable `OCIS_TEST_LONG`.
fn cases() -> u32 {
    if is_long() { 2000 } else { 48 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_program_does_what_its_model_does(
        program in prop::collection::vec(ops(), 1..40),
        cached in prop::sample::select(vec![4usize, 1000]),
    ) {
        let (runtime, disk) = (runtime(1), MemoryFs::default());
        let mut world = open(&disk, cached);
        runtime.block_on(world.home("einstein")).unwrap();
        let (mut model, mut keys) = (Model::default(), Keys::new());
        for op in &program {
            let is_done = runtime.block_on(world.run(op, &keys)).is_ok();
            prop_assert_eq!(is_done, apply(&mut model, op), "{:?}", op);
            runtime.block_on(world.note(&mut keys));
            if matches!(op, Op::Reopen) {
                world = reopen(&disk, world, false, cached);
            }
        }
        prop_assert_eq!(&runtime.block_on(world.see()).unwrap(), &model.tree);
        prop_assert_eq!(runtime.block_on(world.see_trash(&keys)), deleted(&model));
        prop_assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
        let world = reopen(&disk, world, true, cached);
        prop_assert_eq!(&runtime.block_on(world.see()).unwrap(), &model.tree);
        prop_assert_eq!(runtime.block_on(world.see_trash(&keys)), deleted(&model));
    }
}
