//! The log is cut and failed at every call to the file system: what was answered stays. And each of
//! its flushes is there for a reason: without it, some cut is noticed.

use std::collections::BTreeSet;
use std::sync::Arc;

use ocis_storage::fs::fault::Fault;
use ocis_storage::fs::{FaultyFs, Fs, MemoryFs};

use super::super::{EmbeddedBus, Limits};
use super::{done, fetch, names, numbers, open, publish};

/// What becomes of a fault.
#[derive(Debug, Clone, Copy)]
enum Mode {
    /// The power goes, and with it what was not flushed.
    Cut,
    /// The same, but names reach the disk before contents.
    CutContents,
    /// The same, but only the names reached the disk that came second, fourth, and so on.
    CutSome,
    /// The process ends; what was written stays.
    Kill,
    /// One call fails, and later the power goes.
    Fail,
}

const MODES: [Mode; 5] = [Mode::Cut, Mode::CutContents, Mode::CutSome, Mode::Kill, Mode::Fail];

impl Mode {
    fn crash(self, disk: &MemoryFs) {
        match self {
            Self::Kill => disk.kill(),
            Self::CutContents => disk.cut_contents(),
            Self::CutSome => {
                let mut is_second = true;
                disk.cut_some(|| {
                    is_second = !is_second;
                    is_second
                });
            }
            Self::Cut | Self::Fail => disk.cut(),
        }
    }
}

/// Full after two publications; `few` keeps no more than so many events.
fn limits(few: Option<u64>) -> Limits {
    let events = few.unwrap_or(1000);
    Limits { segment: 600, events, ..Limits::default() }
}

/// What was answered.
#[derive(Debug, Default)]
struct Answered {
    published: Vec<String>,
    acknowledged: Vec<String>,
    /// An acknowledgement that was refused may have come about all the same.
    unsure: Vec<String>,
}

/// Publishes, takes and acknowledges, whatever fails; at last so many at once that, where few are
/// kept, several segments go together.
async fn work(fs: &Arc<dyn Fs>, few: Option<u64>) -> Answered {
    let mut answered = Answered::default();
    let Ok(bus) = open(fs, limits(few)) else { return answered };
    for batch in [0..2, 2..4, 4..6, 6..8, 8..9, 9..10, 10..16] {
        let batch = numbers(batch);
        if publish(&bus, &batch).await.is_ok() {
            answered.published.extend(batch);
        }
        let Ok(found) = fetch(&bus, "a", 3).await else { continue };
        match done(&bus, "a", &found).await {
            Ok(()) => answered.acknowledged.extend(names(&found)),
            Err(_) => answered.unsure.extend(names(&found)),
        }
    }
    answered
}

/// Every event that is said to be there can be read.
fn gaps(bus: &EmbeddedBus) -> Vec<u64> {
    let mut log = bus.0.log.lock();
    let (first, end) = log.range();
    (first..end).filter(|number| !matches!(log.read(*number), Ok(Some(_)))).collect()
}

/// What is wrong with what is left on the disk.
async fn verify(disk: &MemoryFs, few: Option<u64>, answered: &Answered) -> Result<(), String> {
    let fs: Arc<dyn Fs> = Arc::new(disk.clone());
    let bus = open(&fs, Limits::default()).map_err(|error| format!("{error:?}"))?;
    let gaps = gaps(&bus);
    if !gaps.is_empty() {
        return Err(format!("{gaps:?} are missing in between"));
    }
    let mut kept = names(&fetch(&bus, "everything", 100).await.unwrap());
    // What was refused may have come about all the same.
    kept.retain(|name| answered.published.contains(name));
    let published = &answered.published;
    let is_right = match few {
        None => kept == *published,
        // The oldest may be gone, and only they.
        Some(_) => published.ends_with(&kept) && kept.is_empty() == published.is_empty(),
    };
    if !is_right {
        return Err(format!("of {published:?} there is {kept:?}"));
    }
    let rest = names(&fetch(&bus, "a", 100).await.unwrap());
    let is_wrong = |name: &&String| match rest.contains(name) {
        true => answered.acknowledged.contains(name),
        false => !answered.acknowledged.contains(name) && !answered.unsure.contains(name),
    };
    match kept.iter().find(is_wrong) {
        Some(name) => Err(format!("{name} comes again or never, {rest:?}")),
        None => Ok(()),
    }
}

/// Works with a fault at call `number`, or with a crash at the end when there is no such call, and
/// without the calls at the place `left_out` ([`FaultyFs::leave_out`]); tells what is wrong, and
/// whether there was such a call.
async fn once(
    mode: Mode,
    number: u64,
    few: Option<u64>,
    left_out: Option<&str>,
) -> (Result<(), String>, bool) {
    let disk = MemoryFs::default();
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    fs.leave_out(left_out);
    let fault = match mode {
        Mode::Fail => Fault::Fail(std::io::ErrorKind::StorageFull),
        _ => Fault::Cut,
    };
    fs.plan(number, fault);
    let answered = work(&(Arc::new(fs.clone()) as Arc<dyn Fs>), few).await;
    let is_hit = fs.calls() > number;
    // Either it was not opened, or one call was in vain.
    let count = answered.published.len();
    if matches!(mode, Mode::Fail) && count > 0 && count < 10 {
        return (Err(format!("it does not go on: {answered:?}")), is_hit);
    }
    mode.crash(&disk);
    (verify(&disk, few, &answered).await, is_hit)
}

/// The first thing that is wrong when any call is cut or fails, and the number of calls.
async fn every(mode: Mode, few: Option<u64>, left_out: Option<&str>) -> Result<u64, String> {
    for number in 0.. {
        let (right, is_hit) = once(mode, number, few, left_out).await;
        right.map_err(|wrong| format!("{mode:?} at call {number}, {few:?}: {wrong}"))?;
        if !is_hit {
            return Ok(number);
        }
    }
    Ok(0)
}

const BOUNDS: [Option<u64>; 2] = [None, Some(4)];

#[tokio::test]
async fn whatever_call_is_cut_or_fails_what_was_answered_stays() {
    for (mode, few) in MODES.into_iter().flat_map(|mode| BOUNDS.map(|few| (mode, few))) {
        let calls = every(mode, few, None).await.unwrap();
        assert!(calls > 30, "{calls}");
    }
}

#[tokio::test]
async fn a_flush_that_is_left_out_is_noticed() {
    let mut places = BTreeSet::new();
    for few in BOUNDS {
        let fs = FaultyFs::new(Arc::new(MemoryFs::default()));
        work(&(Arc::new(fs.clone()) as Arc<dyn Fs>), few).await;
        places.extend(fs.flushes());
    }
    assert!(places.len() > 4, "{places:?}");
    let mut unnoticed = Vec::new();
    for place in places {
        let mut is_noticed = false;
        for (mode, few) in MODES.into_iter().flat_map(|mode| BOUNDS.map(|few| (mode, few))) {
            is_noticed = is_noticed || every(mode, few, Some(&place)).await.is_err();
        }
        if !is_noticed {
            unnoticed.push(place);
        }
    }
    assert!(unnoticed.is_empty(), "nobody misses {unnoticed:#?}");
}
