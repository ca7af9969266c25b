//! What each operation needs: with exactly these permissions it is done, without any one of them it
//! is refused. And each single check matters: when it is left out, one of these tests fails.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test speaks by panicking"
)]

mod cases;
mod prepare;
#[path = "../world/mod.rs"]
mod world;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cases::{CASES, Case};
use ocis_core::conformance::switch::{self, Place};
use ocis_core::{ErrorKind, Result};
use prepare::prepare;
use world::single;

/// Runs a case as somebody with these letters on the node that it names.
fn run(case: &Case, letters: &str) -> Result<()> {
    let runtime = single();
    let world = prepare(&runtime, letters, case.on);
    runtime.block_on((case.run)(&world))
}

/// Whether the case needs exactly the letters that it names, beside `t` (see); else what is wrong.
fn holds(case: &Case) -> std::result::Result<(), String> {
    let (name, enough) = (case.name, format!("t{}", case.needs));
    run(case, &enough).map_err(|error| format!("{name} with {enough:?}: {error:?}"))?;
    let mut refused = vec![(String::new(), ErrorKind::NotFound)];
    for letter in case.needs.chars() {
        refused.push((enough.replace(letter, ""), ErrorKind::PermissionDenied));
    }
    for (letters, wanted) in refused {
        match run(case, &letters) {
            Ok(()) => return Err(format!("{name} is done with {letters:?}")),
            Err(error) if error.kind() == wanted => {}
            Err(error) => return Err(format!("{name} with {letters:?}: {error:?}")),
        }
    }
    Ok(())
}

/// What is wrong with any case when a check is left out, and the checks that were made.
fn all(left_out: Option<Place>) -> (Vec<String>, BTreeSet<Place>) {
    switch::without(left_out, || {
        let wrong = |case: &Case| {
            catch_unwind(AssertUnwindSafe(|| holds(case)))
                .unwrap_or_else(|_| Err(format!("{} panicked", case.name)))
                .err()
        };
        // With a switch, one failure is enough.
        if left_out.is_some() {
            return CASES.iter().find_map(wrong).into_iter().collect();
        }
        CASES.iter().filter_map(wrong).collect::<Vec<_>>()
    })
}

/// Every place in the storage that checks a permission.
fn checks() -> BTreeSet<(String, u32)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for (number, line) in (1..).zip(text.lines()) {
                if line.contains("access::require(") || line.contains("access::is_allowed(") {
                    let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
                    found.insert((path.to_str().unwrap().to_owned(), number));
                }
            }
        }
    }
    found
}

// One test, because the switch is one for the whole process.
#[test]
fn every_operation_needs_what_it_says_and_every_check_matters() {
    let (wrong, seen) = all(None);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let is_seen = |(file, line): &(String, u32)| {
        seen.iter().any(|place| place.0.ends_with(file.as_str()) && place.1 == *line)
    };
    let unseen: Vec<_> = checks().into_iter().filter(|place| !is_seen(place)).collect();
    assert!(unseen.is_empty(), "no case comes to {unseen:#?}");
    let places: Vec<Place> =
        seen.into_iter().filter(|place| place.0.contains("ocis-storage")).collect();
    let unnoticed: Vec<_> = places.iter().filter(|place| all(Some(**place)).0.is_empty()).collect();
    assert!(unnoticed.is_empty(), "nobody notices when these are left out: {unnoticed:#?}");
    println!("{} checks left out one by one, each noticed", places.len());
}
