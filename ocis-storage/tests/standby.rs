//! Two processes on one store: the second is refused or waits, and takes over when the first one is
//! killed. A command is waited for.
#![allow(clippy::unwrap_used, reason = "in a test, what must not happen ends it")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ocis_core::error::ErrorKind;
use ocis_core::id::{ResourceId, StorageId, UserId};
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, CreateFolder, CreateSpace, GetSpace, Nodes as _, Spaces as _, Stat,
};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::time::Timestamp;
use ocis_core::{Caller, Cx, Result};
use ocis_storage::blob::PosixBlobs;
use ocis_storage::fs::{FaultyFs, Fs, MemoryFs, RealFs};
use ocis_storage::ticket::Tickets;
use ocis_storage::{Driver, Options, Store, Waiting, WhenOwned};

/// Where the store of the child is.
const ROOT: &str = "STANDBY_TEST_ROOT";

fn open(root: &Path, options: Options) -> Result<(Arc<Store>, Driver)> {
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let storage = StorageId::parse("storage").unwrap();
    let blobs = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
    let store = Store::open(fs, blobs, root, options)?;
    let tickets = Tickets::new(b"secret", &storage, Duration::from_secs(60)).unwrap();
    Ok((Arc::clone(&store), Driver::new(store, tickets)))
}

fn options() -> Options {
    Options::new(StorageId::parse("storage").unwrap())
}

/// A second process that waits.
fn standby() -> Options {
    Options { when_owned: WhenOwned::Wait, ..options() }
}

/// A command that works on the store and ends.
fn command() -> Options {
    Options { is_command: true, ..options() }
}

fn cx() -> Cx {
    Cx::new(Caller::Service("test".into()), Timestamp::from_unix(1_700_000_000, 0).unwrap())
}

fn folder(space: &ResourceId) -> Reference {
    Reference::below(space.clone(), SpacePath::parse("acknowledged").unwrap())
}

/// Not a test but the first process: owns the store, makes a folder, and goes on until it is killed.
#[tokio::test(flavor = "multi_thread")]
async fn owner() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    let (_store, driver) = open(Path::new(&root), options()).unwrap();
    let request = CreateSpace {
        kind: SpaceKind::Personal,
        id: None,
        name: "U".into(),
        description: String::new(),
        owner: Some(UserId::parse("user-1").unwrap()),
        alias: None,
        quota: None,
    };
    let space = driver.create(&cx(), request).await.unwrap();
    let request = CreateFolder { target: folder(&space.root), conditions: Conditions::default() };
    driver.create_folder(&cx(), request).await.unwrap();
    println!("\nacknowledged");
    // Until it is killed, or the test has ended without doing so.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn spawn(root: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["owner", "--exact", "--nocapture"]).env(ROOT, root);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "acknowledged"));
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_takes_over_when_the_first_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!Store::is_owned(&RealFs, dir.path()).unwrap());
    let mut first = spawn(dir.path());
    assert!(Store::is_owned(&RealFs, dir.path()).unwrap());
    let refused = open(dir.path(), options()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);

    // One that waits can be told to cease.
    let (waiting, root) = (Waiting::default(), dir.path().to_owned());
    let when = Options { waiting: waiting.clone(), ..standby() };
    let second = tokio::task::spawn_blocking(move || open(&root, when));
    waiting.give_up();
    assert_eq!(second.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);

    let (when, root) = (standby(), dir.path().to_owned());
    let second = tokio::task::spawn_blocking(move || open(&root, when));
    assert!(!second.is_finished());
    first.kill().unwrap();
    first.wait().unwrap();
    let (store, driver) = second.await.unwrap().unwrap();
    let space = ResourceId::root(StorageId::parse("storage").unwrap(), "user-1".parse().unwrap());
    driver.get(&cx(), GetSpace { space: space.clone() }).await.unwrap();
    driver.stat(&cx(), Stat { target: folder(&space) }).await.unwrap();
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
    store.close().unwrap();
}

type Opening = tokio::task::JoinHandle<Result<Arc<Store>>>;

/// Begins to open the store on a disk.
fn opening(disk: &MemoryFs, options: Options) -> (FaultyFs, Opening) {
    let traced = FaultyFs::new(Arc::new(disk.clone()));
    traced.start_trace();
    let fs: Arc<dyn Fs> = Arc::new(traced.clone());
    let blobs = Arc::new(PosixBlobs::new(Arc::clone(&fs), "/store"));
    let open = move || Store::open(fs, blobs, Path::new("/store"), options);
    (traced, tokio::task::spawn_blocking(open))
}

/// Returns when it was seen that a command is in the way, or without that the opening is over.
async fn meets_the_command((traced, opening): &(FaultyFs, Opening)) {
    let is_seen = |call: &String| call.contains("lock") && call.contains("command");
    while !traced.trace().iter().any(is_seen) && !opening.is_finished() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_and_commands_wait_for_a_command() {
    let disk = MemoryFs::default();
    let is_worked_on = || Store::is_worked_on(&disk, Path::new("/store")).unwrap();
    for options in [options(), standby(), command()] {
        assert!(!is_worked_on());
        let first = opening(&disk, command()).1.await.unwrap().unwrap();
        assert!(is_worked_on());
        let waiting = Waiting::default();
        let given_up = opening(&disk, Options { waiting: waiting.clone(), ..options.clone() });
        meets_the_command(&given_up).await;
        waiting.give_up();
        assert_eq!(given_up.1.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);

        let second = opening(&disk, options);
        meets_the_command(&second).await;
        first.close().unwrap();
        second.1.await.unwrap().unwrap().close().unwrap();
    }
    // A second server is refused, as before.
    let server = opening(&disk, options()).1.await.unwrap().unwrap();
    assert!(!is_worked_on());
    let refused = opening(&disk, options()).1.await.unwrap().unwrap_err();
    assert!(refused.to_string().contains("owned by another process"), "{refused}");
    server.close().unwrap();
}
