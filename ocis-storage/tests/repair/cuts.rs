//! A repair is cut and failed at every call to the file system: what is left is as it was or better,
//! no content is lost, and the next repair ends what it began.

use std::collections::BTreeSet;
use std::io::ErrorKind as Io;
use std::path::Path;
use std::sync::Arc;

use ocis_core::finding::{Finding, Problem};
use ocis_core::port::{CheckSizes, Maintenance as _};
use ocis_storage::fs::fault::Fault;
use ocis_storage::fs::{FaultyFs, Fs as _, Kind, MemoryFs};

use crate::world::{ROOT, server};
use crate::{Damage, FILES, Remedy, damage, expected, open, over, run, space};

#[derive(Debug, Clone, Copy)]
enum Mode {
    Cut,
    Kill,
    Fail,
}

/// A store in which a little of everything is wrong that can be mended.
async fn damaged(disk: &MemoryFs) {
    let world = open(disk);
    world.fill().await;
    world.store.close().unwrap();
    let files = world.files();
    drop(world);
    let find = |kind: Kind, part: &str, end: &str| {
        let is_it = |path: &str| path.contains(part) && path.ends_with(end);
        files.iter().find(|(path, of)| *of == kind && is_it(path.to_str().unwrap())).unwrap()
    };
    // Names, the list of the trash, an index; and what nobody refers to.
    for (kind, part, end) in [
        (Kind::Symlink, "/nodes/", "/a"),
        (Kind::Symlink, "/nodes/", "/e"),
        (Kind::Symlink, "/trash/", ""),
        (Kind::File, "/indexes/by-type/", ".mpk"),
    ] {
        let (path, kind) = find(kind, part, end);
        assert!(damage(disk, path, *kind, Damage::Remove));
    }
    let node = &find(Kind::File, "/nodes/", ".mpk").0;
    disk.write(&node.with_extension("mpk.lock"), b"{}").unwrap();
    let blob = &find(Kind::File, "/blobs/", "").0;
    let orphan = blob.with_file_name("-0000-4000-8000-000000000000");
    disk.write(&orphan, b"nobody's").unwrap();
    disk.sync_all(Path::new(ROOT)).unwrap();
}

fn problems(found: &[Finding]) -> BTreeSet<Problem> {
    found.iter().map(|finding| finding.problem).collect()
}

/// Repairs with a fault at call `number`; none when there is no such call.
async fn once(mode: Mode, number: u64) -> Option<()> {
    let disk = MemoryFs::default();
    damaged(&disk).await;
    let (before, contents) = {
        let world = open(&disk);
        let found = (problems(&world.check(false).await), world.contents());
        world.store.close().unwrap();
        found
    };
    assert!(before.len() > 3, "{before:?}");
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    let world = over(Arc::new(fs.clone()));
    let first = fs.calls();
    let fault = if matches!(mode, Mode::Fail) { Fault::Fail(Io::StorageFull) } else { Fault::Cut };
    fs.plan(first + number, fault);
    let repaired = world.try_check(true).await;
    let sizes = CheckSizes { space: space(), repair: true };
    let _ = world.driver.check_sizes(&server(), sizes).await;
    let _ = world.store.close();
    drop(world);
    if fs.calls() <= first + number {
        repaired.unwrap();
        return None;
    }
    match mode {
        Mode::Kill => disk.kill(),
        _ => disk.cut(),
    }
    let told = format!("{mode:?} at {number}");
    let world = open(&disk);
    let left = world.check(false).await;
    assert!(problems(&left).is_subset(&before), "{told}: {left:#?}");
    world.check(true).await;
    let left = world.check(false).await;
    let is_done = |finding: &Finding| matches!(finding.remedy, Remedy::Decide(_));
    assert!(left.iter().all(is_done), "{told}: {left:#?}");
    for (file, _) in FILES {
        assert_eq!(world.text(file).await.as_deref(), Some(expected(file)), "{told}: {file}");
    }
    let there: BTreeSet<String> = world.contents().into_values().collect();
    for content in contents.values().filter(|content| *content != "nobody's") {
        assert!(there.contains(content), "{told}: {content:?} is gone");
    }
    world.store.close().unwrap();
    Some(())
}

fn every(mode: Mode) {
    for number in 0.. {
        if run(once(mode, number)).is_none() {
            assert!(number > 50, "a repair makes calls");
            break;
        }
    }
}

#[test]
fn a_repair_that_the_power_cuts_makes_nothing_worse() {
    every(Mode::Cut);
}

#[test]
fn a_repair_that_is_killed_makes_nothing_worse() {
    every(Mode::Kill);
}

#[test]
fn a_repair_in_which_a_call_fails_makes_nothing_worse() {
    every(Mode::Fail);
}
