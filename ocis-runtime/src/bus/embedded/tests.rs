//! The log keeps what it answered for: killed at any moment, full, and old; in [`cuts`] also cut and
//! failed at any call.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ocis_core::conformance::event;
use ocis_core::event::EventKind;
use ocis_core::id::ConsumerId;
use ocis_core::port::{Acknowledge, Delivery, EventBus, Fetch, Start};
use ocis_core::time::{Clock, SystemClock, Timestamp};
use ocis_core::{Caller, Cx, ErrorKind};
use ocis_storage::fs::{Fs, MemoryFs, RealFs};
use parking_lot::Mutex;

use super::{EmbeddedBus, Limits};

mod cuts;

const FOLDER: &str = "/nats";
const LONG: Duration = Duration::from_secs(600);

/// A clock that is set by hand.
#[derive(Debug)]
struct Hand(Mutex<Timestamp>);

impl Hand {
    fn at(seconds: i64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Timestamp::from_unix(seconds, 0).unwrap())))
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

fn cx() -> Cx {
    Cx::new(Caller::Service("test".into()), Timestamp::from_unix(0, 0).unwrap())
}

fn open(fs: &Arc<dyn Fs>, limits: Limits) -> ocis_core::Result<EmbeddedBus> {
    EmbeddedBus::open(Arc::clone(fs), Path::new(FOLDER), limits, Hand::at(0))
}

async fn publish(bus: &EmbeddedBus, names: &[String]) -> ocis_core::Result<()> {
    let events = names.iter().map(|name| event(&cx(), name)).collect();
    bus.publish(&cx(), events).await
}

async fn fetch(bus: &EmbeddedBus, group: &str, limit: u32) -> ocis_core::Result<Vec<Delivery>> {
    let (group, wait) = (ConsumerId::parse(group).unwrap(), Duration::ZERO);
    bus.fetch(&cx(), Fetch { group, start: Start::Oldest, limit, wait, redeliver: LONG }).await
}

async fn done(bus: &EmbeddedBus, group: &str, done: &[Delivery]) -> ocis_core::Result<()> {
    let group = ConsumerId::parse(group).unwrap();
    let sequences = done.iter().map(|delivery| delivery.sequence).collect();
    bus.acknowledge(&cx(), Acknowledge { group, sequences }).await
}

fn name(delivery: &Delivery) -> String {
    match &delivery.event.kind {
        EventKind::SpaceRenamed { name, .. } => name.clone(),
        other => panic!("{other:?}"),
    }
}

fn names(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(name).collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn keeps_the_promises_of_the_port() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let fs = Arc::new(RealFs);
    let bus = EmbeddedBus::open(fs, folder.path(), Limits::default(), clock).unwrap();
    ocis_core::conformance::events(&bus).await;
    bus.close();
}

#[tokio::test]
async fn a_start_gives_nothing_that_was_acknowledged() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    let bus = open(&fs, Limits::default()).unwrap();
    publish(&bus, &numbers(0..6)).await.unwrap();
    let first = fetch(&bus, "a", 3).await.unwrap();
    let other = fetch(&bus, "b", 100).await.unwrap();
    done(&bus, "b", &other).await.unwrap();
    done(&bus, "a", &first[1..2]).await.unwrap();
    // Killed: not even closed. The lock ends with the process, here with the value.
    drop(bus);
    let bus = open(&fs, Limits::default()).unwrap();
    assert_eq!(fetch(&bus, "b", 100).await.unwrap(), []);
    let found = fetch(&bus, "a", 100).await.unwrap();
    assert_eq!(names(&found), ["0", "2", "3", "4", "5"]);
    let attempts: Vec<_> = found.iter().map(|delivery| delivery.attempt).collect();
    assert_eq!(attempts, [2, 2, 1, 1, 1]);
}

#[tokio::test]
async fn a_second_owner_is_refused_and_the_first_gives_way_when_it_closes() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    let bus = open(&fs, Limits::default()).unwrap();
    let error = open(&fs, Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("owned by another process"), "{error}");
    let (group, start) = (ConsumerId::parse("a").unwrap(), Start::New);
    let fetch = Fetch { group, start, limit: 1, wait: LONG, redeliver: LONG };
    let (cx, waiting) = (cx(), bus.clone());
    let waits = waiting.fetch(&cx, fetch);
    let closes = async {
        tokio::task::yield_now().await;
        bus.close();
    };
    let (waited, ()) = tokio::join!(waits, closes);
    assert_eq!(waited.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(publish(&bus, &numbers(0..1)).await.unwrap_err().kind(), ErrorKind::Unavailable);
    open(&fs, Limits::default()).unwrap();
}

#[tokio::test]
async fn what_was_cut_off_is_not_believed_and_the_next_start_goes_on_behind_it() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    let bus = open(&fs, Limits::default()).unwrap();
    publish(&bus, &numbers(0..3)).await.unwrap();
    drop(bus);
    let log = Path::new(FOLDER).join("ocis-rs/log");
    let last = log.join(&fs.read_dir(&log).unwrap()[0].name);
    let whole = fs.read(&last).unwrap();
    for cut in 0..whole.len() {
        fs.write(&last, &whole[..cut]).unwrap();
        let bus = open(&fs, Limits::default()).unwrap();
        publish(&bus, &["new".into()]).await.unwrap();
        let group = format!("group-{cut}");
        let found = names(&fetch(&bus, &group, 100).await.unwrap());
        assert!(found.len() <= 3 && found.last().unwrap() == "new", "cut at {cut}: {found:?}");
        assert_eq!(found[..found.len() - 1], numbers(0..found.len() - 1), "cut at {cut}");
        drop(bus);
        for entry in fs.read_dir(&log).unwrap() {
            fs.unlink(&log.join(entry.name)).unwrap();
        }
    }
    // Damage in the middle costs one event.
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs.write(&last, &damaged).unwrap();
    fs.write(&log.join(format!("{:016x}.log", 4)), b"").unwrap();
    let bus = open(&fs, Limits::default()).unwrap();
    assert_eq!(names(&fetch(&bus, "damaged", 100).await.unwrap()), ["0", "2"]);
}

#[tokio::test]
async fn the_oldest_go_when_a_bound_is_reached_and_who_waited_too_long_goes_on() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    let clock = Hand::at(1000);
    let limits = Limits { segment: 1000, bytes: 10_000, events: 20, age: Duration::from_secs(100) };
    let open = |limits| {
        let clock = Arc::clone(&clock) as Arc<dyn Clock>;
        EmbeddedBus::open(Arc::clone(&fs), Path::new(FOLDER), limits, clock).unwrap()
    };
    let bus = open(limits.clone());
    publish(&bus, &numbers(0..1)).await.unwrap();
    let under_way = fetch(&bus, "slow", 1).await.unwrap();
    for number in 1..100 {
        publish(&bus, &[number.to_string()]).await.unwrap();
    }
    let found = names(&fetch(&bus, "slow", 1000).await.unwrap());
    assert!((10..=20).contains(&found.len()), "{found:?}");
    assert_eq!(found, numbers(100 - found.len()..100));
    done(&bus, "slow", &under_way).await.unwrap();
    let size = |bus: &EmbeddedBus| bus.0.log.lock().range();
    let before = size(&bus);
    // By age, also of the segment that is being written.
    *clock.0.lock() = Timestamp::from_unix(1050, 0).unwrap();
    bus.trim();
    assert_eq!(size(&bus), before);
    publish(&bus, &["young".into()]).await.unwrap();
    *clock.0.lock() = Timestamp::from_unix(1101, 0).unwrap();
    bus.trim();
    assert_eq!(names(&fetch(&bus, "other", 1000).await.unwrap()), ["young"]);
    bus.close();
    // By bytes.
    let bus = open(Limits { bytes: 3000, events: 1000, age: LONG, ..limits });
    for number in 0..100 {
        publish(&bus, &[number.to_string()]).await.unwrap();
    }
    let kept = size(&bus);
    assert!((3..=12).contains(&(kept.1 - kept.0)), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_lose_nothing_and_get_nothing_twice() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    let bus = open(&fs, Limits { segment: 2000, ..Limits::default() }).unwrap();
    let publishers = (0..8).map(|publisher| {
        let bus = bus.clone();
        tokio::spawn(async move {
            for number in 0..50 {
                publish(&bus, &[format!("{publisher}/{number}")]).await.unwrap();
            }
        })
    });
    let takers = (0..4).map(|_| {
        let bus = bus.clone();
        tokio::spawn(async move {
            let (mut seen, group) = (Vec::new(), ConsumerId::parse("a").unwrap());
            loop {
                let fetch = Fetch {
                    group: group.clone(),
                    start: Start::Oldest,
                    limit: 7,
                    wait: LONG,
                    redeliver: LONG,
                };
                let found = bus.fetch(&cx(), fetch).await.unwrap();
                done(&bus, "a", &found).await.unwrap();
                seen.extend(names(&found));
                if seen.iter().any(|name| name == "end") {
                    publish(&bus, &["end".into()]).await.unwrap();
                    return seen;
                }
            }
        })
    });
    let takers: Vec<_> = takers.collect();
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.unwrap();
    }
    publish(&bus, &["end".into()]).await.unwrap();
    let mut seen = Vec::new();
    for taker in takers {
        seen.extend(taker.await.unwrap());
    }
    seen.retain(|name| name != "end");
    seen.sort();
    let mut all: Vec<_> = (0..8).flat_map(|a| (0..50).map(move |b| format!("{a}/{b}"))).collect();
    all.sort();
    assert_eq!(seen, all);
}

/// Tells how long it takes, and holds nobody to it: `cargo test -p ocis-runtime --release --
/// --nocapture a_hundred_thousand`.
#[tokio::test]
async fn a_hundred_thousand_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let clock = Arc::new(SystemClock);
        EmbeddedBus::open(Arc::new(RealFs), folder.path(), Limits::default(), clock).unwrap()
    };
    let bus = open();
    for batch in 0..100 {
        publish(&bus, &numbers(batch * 1000..batch * 1000 + 1000)).await.unwrap();
    }
    drop(bus);
    let begin = std::time::Instant::now();
    let bus = open();
    println!("opened in {:?}", begin.elapsed());
    let begin = std::time::Instant::now();
    assert_eq!(fetch(&bus, "a", 100).await.unwrap().len(), 100);
    println!("first hundred in {:?}", begin.elapsed());
}
