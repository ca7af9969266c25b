//! The examples run to their end and do what they say. Cargo builds them before this test.
#![allow(clippy::unwrap_used, reason = "in a test, what must not happen ends it")]

use std::path::Path;
use std::process::Command;

/// Runs an example, and gives what it printed.
fn run(name: &str) -> String {
    // <target>/<profile>/deps/<this test>; the examples lie in <target>/<profile>/examples.
    let this = std::env::current_exe().unwrap();
    let folder = this.parent().and_then(Path::parent).unwrap().join("examples");
    let output = Command::new(folder.join(name)).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{name}: {printed}{errors}");
    printed
}

#[test]
fn embed_all() {
    assert!(run("embed_all").contains("read back: Hello, embedded server!"));
}

#[test]
fn one_service() {
    assert!(run("one_service").contains("read back: Hello, WebDAV!"));
}

#[test]
fn in_a_bucket() {
    let printed = run("in_a_bucket");
    for line in ["read back: Hello, bucket!", "in the bucket: 14 bytes"] {
        assert!(printed.contains(line), "no {line:?} in {printed}");
    }
}

#[test]
fn own_processing() {
    assert!(run("own_processing").contains("read back: Hello, processing"));
}

#[test]
fn own_blob_store() {
    assert!(run("own_blob_store").contains("read back: Hello, memory!"));
}

#[test]
fn whole_storage() {
    let printed = run("whole_storage");
    for line in ["versions: 2", "first content has 5 bytes", "restored as plan.txt", "findings: 0"]
    {
        assert!(printed.contains(line), "no {line:?} in {printed}");
    }
}
