//! Debian's `clamd` looks at what is uploaded. A machine without it passes; CI installs it.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use ocis_core::ErrorKind;
use ocis_core::port::SessionAction;
use ocis_storage::fs::MemoryFs;
use ocis_storage::session::clamav::VirusScan;
use ocis_storage::session::step::Outcome;

use super::LARGE;
use super::world::World;

/// What the one signature of the test looks for.
const VIRUS: &[u8] = b"this is a test virus";

/// A running clamd, and what it says: it must not be told that nobody listens.
struct Clamd(Child, Lines<BufReader<ChildStdout>>);

impl Drop for Clamd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it in `folder`; none where it is not installed.
fn start(folder: &std::path::Path) -> Option<Clamd> {
    let signatures = folder.join("db");
    std::fs::create_dir(&signatures).unwrap();
    let hex: String = VIRUS.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(signatures.join("test.ndb"), format!("Test.Virus:0:*:{hex}\n")).unwrap();
    let settings = format!(
        "DatabaseDirectory {}\nLocalSocket {}\nForeground yes\n",
        signatures.display(),
        folder.join("socket").display()
    );
    std::fs::write(folder.join("conf"), settings).unwrap();
    let mut command = Command::new("clamd");
    command.arg("-c").arg(folder.join("conf")).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return None };
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut clamd = Clamd(child, lines);
    // Its last word before it listens.
    let is_ready =
        clamd.1.by_ref().map_while(|line| line.ok()).any(|line| line.contains("Self checking"));
    assert!(is_ready, "clamd did not start");
    Some(clamd)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_clamd_finds_a_virus() {
    let folder = tempfile::tempdir().unwrap();
    let Some(clamd) = start(folder.path()) else { return };
    let socket = folder.path().join("socket").to_str().unwrap().parse().unwrap();
    let infected = [&LARGE[..], VIRUS, &LARGE].concat();
    for outcome in [Outcome::Delete, Outcome::Abort, Outcome::Continue] {
        let scan = VirusScan { infected: outcome, ..VirusScan::new(Clone::clone(&socket)) };
        let world = World::with(MemoryFs::default(), vec![Arc::new(scan)]).await;
        world.put("clean", &LARGE).await.unwrap();
        world.put("infected", &infected).await.unwrap();
        let is_over = async |world: &World| {
            world.list().await.iter().all(|session| session.processing.is_none())
        };
        world.until(is_over).await;
        assert_eq!(world.get("clean").await.unwrap(), LARGE);
        let got = world.get("infected").await;
        match outcome {
            Outcome::Continue => assert_eq!(got.unwrap(), infected),
            _ => assert_eq!(got.unwrap_err().kind(), ErrorKind::NotFound),
        }
        if outcome == Outcome::Abort {
            let found = world.list().await.pop().unwrap().scan.unwrap().found;
            assert_eq!(found, "Test.Virus.UNOFFICIAL");
            world.act(SessionAction::Clean).await.unwrap();
        }
        world.finish().await;
    }
    drop(clamd);
    // Nobody is there: it is tried again, and then the upload is aborted, never let through.
    let world = World::with(MemoryFs::default(), vec![Arc::new(VirusScan::new(socket))]).await;
    world.put("f", b"content").await.unwrap();
    world.until(async |world| world.list().await[0].processing.is_none()).await;
    assert_eq!(world.get("f").await.unwrap_err().kind(), ErrorKind::NotFound);
}
