//! Random programs of changes, one after the other and many at once, compared with a model: what is
//! seen is what was done, the files fit together, and a store that is opened again shows the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test speaks by panicking"
)]

mod many;
mod model;
mod run;
#[path = "../world/mod.rs"]
mod world;

use std::sync::Arc;

use ocis_storage::Options;
use ocis_storage::fs::MemoryFs;
use proptest::prelude::*;

use model::{HOME, Model, Op, PROJECTS, To, Who};
use world::{World, is_long, runtime, storage};

fn open(disk: &MemoryFs, cached_nodes: usize) -> World {
    let options = Options { cached_nodes, ..Options::new(storage()) };
    World::open(Arc::new(disk.clone()), options).unwrap()
}

/// The spaces that are there from the beginning on.
async fn begin(world: &World) {
    world.home(HOME).await.unwrap();
    world.project(PROJECTS[0]).await.unwrap();
}

fn spaces() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just(HOME), 3 => Just(PROJECTS[0]), 1 => Just(PROJECTS[1])]
}

fn projects() -> impl Strategy<Value = &'static str> {
    prop_oneof![2 => Just(PROJECTS[0]), 1 => Just(PROJECTS[1])]
}

/// A path with at least so many parts.
fn paths(least: usize) -> impl Strategy<Value = String> {
    let parts = prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), least..4);
    (spaces(), parts).prop_map(|(space, parts)| format!("{space}:{}", parts.join("/")))
}

fn somebody() -> impl Strategy<Value = Who> {
    prop_oneof![3 => Just(Who::Einstein), 1 => Just(Who::Marie)]
}

fn grantees() -> impl Strategy<Value = To> {
    prop_oneof![Just(To::Marie), Just(To::Group)]
}

/// Permissions in the order of the alphabet: to see, to read, to change; or a denial.
fn permissions() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["tx", "rtx", "rtwx", "adrtwx", ""])
}

/// A change that may be made at any time by anybody.
fn change() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (somebody(), paths(1)).prop_map(|(who, path)| Op::Folder(who, path)),
        8 => (somebody(), paths(1), 1u8..200)
            .prop_map(|(who, path, seed)| Op::Write(who, path, seed)),
        4 => (somebody(), paths(1)).prop_map(|(who, path)| Op::Delete(who, path)),
        6 => (paths(1), paths(1)).prop_map(|(from, to)| Op::Move(from, to)),
        6 => (paths(1), paths(1)).prop_map(|(from, to)| Op::Copy(from, to)),
        6 => (paths(0), grantees(), permissions(), prop::option::weighted(0.3, 1i64..100))
            .prop_map(|(path, to, letters, until)| Op::Grant(path, to, letters, until)),
        2 => (paths(0), grantees()).prop_map(|(path, to)| Op::Ungrant(path, to)),
        2 => projects().prop_map(Op::Create),
        1 => projects().prop_map(Op::Disable),
        2 => projects().prop_map(Op::Restore),
        1 => projects().prop_map(Op::Purge),
        2 => (spaces(), prop::sample::select(vec![0, 300, 1000, 80_000]))
            .prop_map(|(space, quota)| Op::Quota(space, quota)),
    ]
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        24 => change(),
        3 => (somebody(), paths(1), 1u8..200)
            .prop_map(|(who, path, seed)| Op::WriteById(who, path, seed)),
        3 => (paths(1), paths(1)).prop_map(|(from, to)| Op::Take(from, to)),
        1 => (1i64..60).prop_map(Op::Later),
        1 => Just(Op::Reopen),
    ]
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
fn cases(few: u32) -> u32 {
    if is_long() { few * 40 } else { few }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(64), failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_program_does_what_its_model_does(
        program in prop::collection::vec(ops(), 1..50),
        cached in prop::sample::select(vec![4usize, 1000]),
    ) {
        let (runtime, disk) = (runtime(1), MemoryFs::default());
        let mut world = open(&disk, cached);
        runtime.block_on(begin(&world));
        let mut model = Model::new();
        for op in &program {
            let done = runtime.block_on(world.run(op, model.now));
            prop_assert_eq!(done.is_ok(), model.apply(op), "{:?}: {:?}", op, done);
            if matches!(op, Op::Reopen) {
                world = reopen(&disk, world, false, cached);
            }
        }
        prop_assert_eq!(&runtime.block_on(world.see(model.now)).unwrap(), &model.see());
        prop_assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
        let world = reopen(&disk, world, true, cached);
        prop_assert_eq!(&runtime.block_on(world.see(model.now)).unwrap(), &model.see());
        // What was out of use is there again as it was.
        for space in PROJECTS {
            let op = Op::Restore(space);
            let done = runtime.block_on(world.run(&op, model.now)).is_ok();
            prop_assert_eq!(done, model.apply(&op));
        }
        prop_assert_eq!(&runtime.block_on(world.see(model.now)).unwrap(), &model.see());
    }
}
