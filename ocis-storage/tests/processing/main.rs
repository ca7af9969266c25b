//! Contents that are processed before they can be read: every way in and every way out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test speaks by panicking"
)]

mod clamd;
mod leftover;
mod paused;
mod world;

use std::time::Duration;

use ocis_core::ErrorKind;
use ocis_core::port::{
    Conditions, ListVersions, PageRequest, RestoreVersion, SessionAction, Versions,
};
use ocis_core::upload::Scan;
use ocis_storage::session::step::{Done, Outcome};

use world::{Told, World, at};

static LARGE: [u8; 70_000] = [7; 70_000];

#[tokio::test(flavor = "multi_thread")]
async fn a_content_is_read_only_when_every_step_let_it_pass() {
    for content in [&b"small"[..], &LARGE] {
        let (one, two) = (Told::new("one"), Told::new("two"));
        let world = World::new(&[&one, &two]).await;
        let written = world.put("f", content).await.unwrap();
        assert!(written.created);
        let node = world.stat("f").await.unwrap();
        assert_eq!(node.info.size, content.len() as u64);
        let session = world.list().await.pop().unwrap();
        assert_eq!(node.info.processing.as_deref(), Some(session.id.as_str()));
        assert_eq!(session.processing.as_deref(), Some("one"));
        assert_eq!(world.get("f").await.unwrap_err().kind(), ErrorKind::TooEarly);
        world.assert_whole();
        one.order(Outcome::Continue);
        let is_second =
            async |world: &World| world.list().await[0].processing.as_deref() == Some("two");
        world.until(is_second).await;
        assert_eq!(world.get("f").await.unwrap_err().kind(), ErrorKind::TooEarly);
        two.order(Outcome::Continue);
        world.finish().await;
        assert_eq!(world.get("f").await.unwrap(), content);
        let after = world.stat("f").await.unwrap();
        assert_eq!((after.info.processing.clone(), &after.info.etag), (None, &node.info.etag));
        assert!(one.seen.lock().iter().all(|seen| seen == content));
        assert_eq!(world.put("empty", b"").await.unwrap().node.info.processing, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_the_file_as_it_was() {
    let step = Told::new("step");
    let world = World::new(&[&step]).await;
    world.mkdir("d").await;
    let empty = world.stat("d").await.unwrap();
    world.put("d/f", &LARGE).await.unwrap();
    step.order(Outcome::Delete);
    world.finish().await;
    assert_eq!(world.stat("d/f").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(world.stat("d").await.unwrap().info.size, empty.info.size);
    assert_eq!(world.counts(), (0, 0));
    step.order(Outcome::Continue);
    world.put("d/f", b"old").await.unwrap();
    world.finish().await;
    let before = world.stat("d/f").await.unwrap();
    world.put("d/f", &LARGE).await.unwrap();
    assert_eq!(world.get("d/f").await.unwrap_err().kind(), ErrorKind::TooEarly);
    assert_eq!(world.stat("d").await.unwrap().info.size, 70_000);
    assert_eq!(world.counts(), (1, 2));
    // The former content comes back by itself, and no other one meanwhile.
    let (target, page) = (at("d/f"), PageRequest::default());
    let request = ListVersions { target: target.clone(), page };
    let versions = Versions::list(&world.driver, &world.cx, request).await.unwrap().items;
    let (key, conditions) = (versions[0].key.clone(), Conditions::default());
    let request = RestoreVersion { target, key, conditions };
    let restored = Versions::restore(&world.driver, &world.cx, request).await;
    assert_eq!(restored.unwrap_err().kind(), ErrorKind::TooEarly);
    step.order(Outcome::Delete);
    world.finish().await;
    let after = world.stat("d/f").await.unwrap();
    assert_eq!(after.info, before.info);
    assert_eq!(world.get("d/f").await.unwrap(), b"old");
    assert_eq!(world.stat("d").await.unwrap().info.size, 3);
    assert_eq!(world.counts(), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_aborted_keeps_its_bytes_and_can_be_restarted() {
    let step = Told::new("step");
    let world = World::new(&[&step]).await;
    world.put("f", &LARGE).await.unwrap();
    let is_aborted = async |world: &World| world.list().await[0].processing.is_none();
    step.order(Outcome::Abort);
    world.until(is_aborted).await;
    assert_eq!(world.stat("f").await.unwrap_err().kind(), ErrorKind::NotFound);
    world.assert_whole();
    assert_eq!(world.list().await[0].offset, 70_000);
    world.act(SessionAction::Restart).await.unwrap();
    assert_eq!(world.get("f").await.unwrap_err().kind(), ErrorKind::TooEarly);
    // A step that fails is tried again, but not for ever.
    (0..3).for_each(|_| step.fail());
    world.until(is_aborted).await;
    assert_eq!(step.seen.lock().len(), 4);
    assert_eq!(world.stat("f").await.unwrap_err().kind(), ErrorKind::NotFound);
    world.act(SessionAction::Resume).await.unwrap();
    (0..2).for_each(|_| step.order(Outcome::Retry));
    step.order(Outcome::Continue);
    world.finish().await;
    assert_eq!(world.get("f").await.unwrap(), LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_state_can_be_left_by_hand() {
    let step = Told::new("step");
    let world = World::new(&[&step]).await;
    step.order(Outcome::Continue);
    world.put("f", b"old").await.unwrap();
    world.finish().await;
    world.put("f", b"newer").await.unwrap();
    world.act(SessionAction::Clean).await.unwrap();
    assert_eq!(world.get("f").await.unwrap(), b"old");
    world.finish().await;
    world.put("f", b"newer").await.unwrap();
    step.order(Outcome::Abort);
    world.until(async |world| world.list().await[0].processing.is_none()).await;
    world.act(SessionAction::Clean).await.unwrap();
    world.finish().await;
    assert_eq!(world.counts(), (0, 1));
    for action in [SessionAction::Restart, SessionAction::Resume] {
        // The step hangs; whoever is asked again answers.
        world.put("f", b"newer").await.unwrap();
        world.until(async |_| !step.seen.lock().is_empty()).await;
        world.act(action).await.unwrap();
        step.order(Outcome::Continue);
        world.finish().await;
        assert_eq!(world.get("f").await.unwrap(), b"newer");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_processed_can_be_deleted_and_moved() {
    for outcome in [Outcome::Continue, Outcome::Delete, Outcome::Abort] {
        let step = Told::new("step");
        let world = World::new(&[&step]).await;
        (0..2).for_each(|_| step.order(Outcome::Continue));
        world.mkdir("d").await;
        world.mkdir("d/e").await;
        world.put("f", b"old").await.unwrap();
        world.put("d/e/old", b"old").await.unwrap();
        world.finish().await;
        for path in ["f", "new", "moved", "d/e/old", "d/e/new", "d/top"] {
            world.put(path, &LARGE).await.unwrap();
        }
        for path in ["f", "new", "d"] {
            world.delete(path).await;
        }
        world.rename("moved", "here").await;
        world.assert_whole();
        (0..6).for_each(|_| step.order(outcome));
        let is_over = async |world: &World| {
            world.list().await.iter().all(|session| session.processing.is_none())
        };
        world.until(is_over).await;
        world.assert_whole();
        let left = if outcome == Outcome::Abort { 6 } else { 0 };
        assert_eq!(world.list().await.len(), left, "{outcome:?}");
        let here = world.get("here").await;
        match outcome {
            Outcome::Continue => assert_eq!(here.unwrap(), LARGE),
            _ => assert_eq!(here.unwrap_err().kind(), ErrorKind::NotFound),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_upload_takes_the_place_of_one_that_is_processed() {
    let step = Told::new("step");
    let world = World::new(&[&step]).await;
    step.order(Outcome::Continue);
    world.put("f", b"old").await.unwrap();
    world.finish().await;
    for outcome in [Outcome::Delete, Outcome::Continue] {
        world.put("f", b"first").await.unwrap();
        world.until(async |_| step.seen.lock().iter().any(|seen| seen == b"first")).await;
        world.put("f", b"second").await.unwrap();
        assert_eq!(world.list().await.len(), 1, "the first one is over");
        world.assert_whole();
        (0..2).for_each(|_| step.order(outcome));
        world.finish().await;
        let is_there = outcome == Outcome::Continue;
        assert_eq!(world.get("f").await.unwrap(), if is_there { &b"second"[..] } else { b"old" });
        assert_eq!(world.counts(), if is_there { (1, 2) } else { (0, 1) });
        step.seen.lock().clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processing_goes_on_after_a_restart_and_without_its_steps() {
    let (one, two) = (Told::new("one"), Told::new("two"));
    let world = World::new(&[&one, &two]).await;
    let disk = world.disk.clone();
    world.put("f", &LARGE).await.unwrap();
    one.order(Outcome::Continue);
    world.until(async |world| world.list().await[0].processing.as_deref() == Some("two")).await;
    drop(world);
    disk.cut();
    let world = World::open(disk.clone(), &[&one, &two]).await;
    assert_eq!(world.get("f").await.unwrap_err().kind(), ErrorKind::TooEarly);
    one.seen.lock().clear();
    two.order(Outcome::Continue);
    world.finish().await;
    assert_eq!(one.seen.lock().len(), 0, "what was done is not done again");
    assert_eq!(world.get("f").await.unwrap(), LARGE);
    world.put("g", &LARGE).await.unwrap();
    world.store.close().unwrap();
    drop(world);
    let world = World::open(disk, &[]).await;
    world.finish().await;
    assert_eq!(world.get("g").await.unwrap(), LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_may_wait_and_tell_of_a_virus() {
    let step = Told::new("virusscan");
    let world = World::new(&[&step]).await;
    world.put("f", b"content").await.unwrap();
    // As often as it likes: waiting is no failure.
    for _ in 0..10 {
        step.order(Done { after: Some(Duration::ZERO), ..Outcome::Retry.into() });
    }
    let scan = Scan { time: world.cx.now, found: "Test.Virus".into() };
    step.order(Done { scan: Some(scan.clone()), ..Outcome::Abort.into() });
    world.until(async |world| world.list().await[0].processing.is_none()).await;
    assert_eq!(world.list().await[0].scan, Some(scan));
    world.act(SessionAction::Clean).await.unwrap();
    world.finish().await;
}
