//! The house rules that no compiler checks: where files lie, what they are called, how long they
//! are, and which crate may know which.
#![allow(clippy::unwrap_used, reason = "in a test, what must not happen ends it")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every file that is ours, as a path relative to the root.
fn files() -> Vec<PathBuf> {
    fn walk(dir: &Path, root: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name == ".git" || name.starts_with("target") || name == "node_modules" {
                continue;
            }
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &root(), &mut found);
    found.sort();
    found
}

fn rust_files() -> impl Iterator<Item = (String, String)> {
    files().into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "rs")).map(|path| {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        (path.to_string_lossy().into_owned(), text)
    })
}

/// What stands before the unit tests at the foot of a file.
fn outside_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

fn fail_with(rule: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

#[test]
fn every_file_says_why_it_exists() {
    let offenders: Vec<_> =
        rust_files().filter(|(_, text)| !text.starts_with("//!")).map(|(path, _)| path).collect();
    fail_with("a file opens with `//!`", &offenders);
}

#[test]
fn one_file_is_one_idea() {
    let limit = |path: &str| match path {
        _ if path.starts_with("ocis-runtime/src/services/") => 200,
        _ if path.starts_with("examples/") => 99,
        _ if path.ends_with("src/main.rs") && path.starts_with("bins/ocis/") => 60,
        _ => 500,
    };
    let offenders: Vec<_> = rust_files()
        .filter(|(path, _)| !is_test(path))
        .filter_map(|(path, text)| {
            let lines = outside_tests(&text).lines().count();
            (lines > limit(&path))
                .then(|| format!("{path}: {lines} lines, at most {}", limit(&path)))
        })
        .collect();
    fail_with("a file is short", &offenders);
}

#[test]
fn names_say_something() {
    const SILENT: [&str; 9] =
        ["util", "utils", "common", "helper", "helpers", "misc", "prelude", "shared", "stuff"];
    let offenders: Vec<_> = files()
        .into_iter()
        .filter(|path| {
            path.components().any(|part| {
                let part = part.as_os_str().to_string_lossy();
                SILENT.contains(&part.split('.').next().unwrap_or_default())
            })
        })
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    fail_with("no file or folder is named so", &offenders);
}

#[test]
fn nothing_else_lies_at_the_top() {
    const TOP: [&str; 20] = [
        ".cargo",
        ".ci",
        ".gitignore",
        ".gitattributes",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "benches",
        "bins",
        "clippy.toml",
        "deny.toml",
        "examples",
        "ocis-auth",
        "ocis-core",
        "ocis-runtime",
        "ocis-storage",
        "rustfmt.toml",
    ];
    let mut offenders: Vec<_> = files()
        .iter()
        .filter_map(|path| path.components().next())
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .filter(|name| !TOP.contains(&name.as_str()))
        .collect();
    offenders.dedup();
    fail_with("the top of the tree is decided (ARCHITECTURE.md)", &offenders);
}

/// The normal dependencies of a crate of ours, by its folder.
fn dependencies(folder: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn arrows_point_one_way() {
    let none_of = |folder: &str, banned: &[&str]| -> Vec<String> {
        dependencies(folder)
            .into_iter()
            .filter(|name| banned.contains(&name.as_str()))
            .map(|name| format!("{folder} depends on {name}"))
            .collect()
    };
    let ours = [
        "ocis-core",
        "ocis-storage",
        "ocis-auth",
        "ocis-runtime",
        "ocis-auth-app",
        "ocis-webdav",
        "ocis-ocs",
        "ocis-graph",
        "ocis-settings",
    ];
    let mut offenders = none_of("ocis-core", &ours);
    offenders
        .extend(none_of("ocis-core", &["tokio", "hyper", "axum", "reqwest", "rustix", "tempfile"]));
    for folder in ["ocis-storage", "ocis-auth"] {
        offenders.extend(none_of(folder, &ours[1..]));
        offenders.extend(none_of(folder, &["hyper", "axum"]));
    }
    for entry in fs::read_dir(root().join("ocis-runtime/protocol")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        offenders.extend(none_of(&format!("ocis-runtime/protocol/{name}"), &ours[1..]));
    }
    fail_with("core <- storage, auth, protocols <- runtime <- bins", &offenders);
}

#[test]
fn doors_are_used() {
    let doors: [(&str, &str, &[&str]); 4] = [
        ("ocis-storage/src/", "std::fs", &["ocis-storage/src/fs/"]),
        ("ocis-storage/src/", "tokio::fs", &[]),
        ("ocis-core/src/", "std::fs", &[]),
        (
            "ocis-runtime/src/",
            "tokio::spawn(",
            &[
                "ocis-runtime/src/supervisor/",
                "ocis-runtime/src/http/",
                "ocis-runtime/src/control/",
                "ocis-runtime/src/debug/",
            ],
        ),
    ];
    let mut offenders = Vec::new();
    for (path, text) in rust_files() {
        for (folder, word, allowed) in doors {
            let here = path.starts_with(folder) && !is_test(&path);
            let allowed = allowed.iter().any(|prefix| path.starts_with(prefix));
            if here && !allowed && outside_tests(&text).contains(word) {
                offenders.push(format!("{path} uses {word}"));
            }
        }
    }
    fail_with("only the door's own file opens it", &offenders);
}

#[test]
fn protocols_do_not_know_implementations() {
    let offenders: Vec<_> = rust_files()
        .filter(|(path, _)| path.starts_with("ocis-runtime/src/") && !is_test(path))
        .filter(|(path, _)| !path.starts_with("ocis-runtime/src/services/"))
        .filter(|(_, text)| {
            let text = outside_tests(text);
            let protocol = ["ocis_auth_app", "ocis_webdav", "ocis_ocs", "ocis_graph"]
                .iter()
                .any(|name| text.contains(name));
            let implementation =
                ["ocis_storage", "ocis_auth::"].iter().any(|name| text.contains(name));
            protocol && implementation
        })
        .map(|(path, _)| path)
        .collect();
    fail_with("only services/ knows both a protocol and an implementation", &offenders);
}
