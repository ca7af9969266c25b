//! Commands that maintain a storage: beside a running server they ask it, without one they open the
//! storage, and print the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use reqwest::StatusCode;

use crate::harness::{Home, Server, text};

/// A home with a server that stores two files, one of them in a folder.
async fn served() -> (Home, Server, PathBuf) {
    let home = Home::new();
    let server = home.serve(&[("IDM_ADMIN_PASSWORD", "secret")]);
    for (method, path) in [("PUT", "a.txt"), ("MKCOL", "d"), ("PUT", "d/b.txt")] {
        let request = server.request(method, &format!("/webdav/{path}"), "secret").await;
        let body = if method == "PUT" { "content" } else { "" };
        assert_eq!(request.body(body).send().await.unwrap().status(), StatusCode::CREATED);
    }
    let root = home.path().join(".ocis/storage/users");
    (home, server, root)
}

/// The folder of the only space, and its id.
pub(crate) fn space(root: &Path) -> (PathBuf, String) {
    let only = |folder: &Path| {
        let mut entries = fs::read_dir(folder).unwrap();
        let entry = entries.next().unwrap().unwrap();
        assert!(entries.next().is_none());
        (entry.path(), entry.file_name().into_string().unwrap())
    };
    let (folder, head) = only(&root.join("spaces"));
    let (folder, tail) = only(&folder);
    (folder, format!("{head}{tail}"))
}

fn node(folder: &Path, id: &str) -> PathBuf {
    let [a, b, c, d] = [0, 2, 4, 6].map(|at| &id[at..at + 2]);
    folder.join(format!("nodes/{a}/{b}/{c}/{d}/{}", &id[8..]))
}

fn said(output: &Output) -> String {
    text(&output.stdout)
}

#[tokio::test]
async fn a_damage_is_told_alike_with_and_without_a_server_and_repaired() {
    let (home, server, root) = served().await;
    let path = root.to_str().unwrap().to_owned();
    let check = ["backup", "consistency", "-p", &path, "--fail"];
    let whole = format!("💚 No inconsistency found. The backup in '{path}' seems to be valid.\n");
    let output = home.run(&check);
    assert_eq!(said(&output), whole, "{}", text(&output.stderr));
    assert!(output.status.success());
    let (folder, id) = space(&root);
    fs::remove_file(node(&folder, &id).join("a.txt")).unwrap();
    let empty = folder.join("trash/aa/bb/cc/dd");
    fs::create_dir_all(&empty).unwrap();
    let commands: [&[&str]; 5] = [
        &check,
        &["backup", "consistency", "-p", &path, "-b", "none"],
        &["decomposedfs", "check-treesize", "-r", &path, "-n", &id],
        &["decomposedfs", "metadata", "-r", &path, "-n", &id, "dump"],
        &["trash", "purge-empty-dirs", "-p", &path],
    ];
    let beside: Vec<Output> = commands.iter().map(|command| home.run(command)).collect();
    server.stop();
    let alone: Vec<Output> = commands.iter().map(|command| home.run(command)).collect();
    for (beside, alone) in beside.iter().zip(&alone) {
        assert_eq!(said(beside), said(alone), "{}", text(&alone.stderr));
        assert_eq!(beside.status, alone.status);
    }
    assert_eq!(alone[0].status.code(), Some(1));
    let found = said(&alone[0]);
    assert!(found.contains("\n🚨 Inconsistent Nodes:\n\t👉️ [symlink missing]\tpath: "), "{found}");
    assert!(said(&alone[2]).starts_with("Checking treesizes in space: "), "{}", said(&alone[2]));
    assert!(said(&alone[3]).contains("user.ocis.space.type=\"personal\"\n"), "{}", said(&alone[3]));
    assert_eq!(said(&alone[4]), format!("would remove {}\n", empty.display()));

    let server = home.serve(&[]);
    let repair = home.run(&["backup", "consistency", "-p", &path, "--repair", "--fail"]);
    assert!(repair.status.success(), "{}", said(&repair));
    assert!(said(&repair).contains("repaired: "), "{}", said(&repair));
    let get = server.request("GET", "/webdav/a.txt", "secret").await.send().await.unwrap();
    assert_eq!(get.text().await.unwrap(), "content");
    let purge = home.run(&["trash", "purge-empty-dirs", "-p", &path, "--dry-run=false"]);
    assert!(purge.status.success() && said(&purge).is_empty());
    assert!(!empty.exists());
    assert_eq!(said(&home.run(&check)), whole);
}

#[tokio::test]
async fn metadata_and_sizes_are_set_by_hand() {
    let (home, server, root) = served().await;
    let path = root.to_str().unwrap().to_owned();
    let (folder, id) = space(&root);
    let internal = node(&folder, &id);
    let on = |node: &str, rest: &[&str]| {
        let command = ["decomposedfs", "metadata", "--root", &path, "--node", node];
        home.run(&[&command, rest].concat())
    };
    let set = on(&id, &["set", "-a", "user.ocis.treesize", "-v", "5"]);
    assert!(set.status.success(), "{}", text(&set.stderr));
    let get = on(internal.to_str().unwrap(), &["get", "-a", "user.ocis.treesize"]);
    assert_eq!(said(&get), "user.ocis.treesize=\"5\"\n", "{}", text(&get.stderr));
    let check = ["decomposedfs", "check-treesize", "-r", &path, "-n", &id, "--repair"];
    let output = home.run(&[&check[..], &["--force"]].concat());
    let wrong = format!(
        "\n\tNodeId: {id}\n\tInternalPath: {}\n\tcalculated treesize: 14\n\ttreesize in metadata: 5\n\
         Fixing tree size for node: {id}. Calculated treesize: 14\n",
        internal.display()
    );
    assert!(said(&output).ends_with(&wrong), "{}", said(&output));
    let output = home.run(&[&check[..], &["--force"]].concat());
    assert_eq!(said(&output).lines().count(), 1);
    let set = on(&id, &["set", "-a", "user.ocis.md.bytes", "-v", "0x00ff"]);
    assert!(set.status.success());
    let get = on(&id, &["get", "-a", "user.ocis.md.bytes"]);
    assert_eq!(said(&get), "user.ocis.md.bytes=0sAP8=\n");
    server.stop();
}

#[tokio::test]
async fn only_who_can_read_the_storage_is_served() {
    let (home, server, root) = served().await;
    let path = root.to_str().unwrap().to_owned();
    let url = format!("http://127.0.0.1:{}/stores/any/maintenance/check", server.port());
    let client = reqwest::Client::new();
    for secret in ["", "Bearer ", "Bearer 00"] {
        let request = client.post(&url).header("authorization", secret).body("{}");
        assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    let note = root.join(".ocis-rs/control");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&note).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    fs::remove_file(&note).unwrap();
    let output = home.run(&["backup", "consistency", "-p", &path]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains("owned by a process that cannot be asked"), "{error}");
    assert_eq!(error.lines().count(), 1);
    server.stop();
    let elsewhere = home.path().join("nothing");
    let output = home.run(&["backup", "consistency", "-p", elsewhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("there is no storage at "));
    assert_eq!(text(&home.run(&["backup"]).stdout), "Read the docs\n");
    for command in [&["backup", "consistency"][..], &["decomposedfs", "check-treesize"]] {
        assert_eq!(home.run(command).status.code(), Some(1));
    }
}
