//! What a bus of events must do.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::subject::{person, refused};
use crate::ErrorKind;
use crate::cx::Cx;
use crate::event::{Event, EventKind};
use crate::id::{ConsumerId, SpaceId, StorageId};
use crate::port::{Acknowledge, Delivery, EventBus, Fetch, Leave, Reject, Start};

/// Long enough for every machine; nothing waits that long unless the bus is broken.
const LONG: Duration = Duration::from_secs(600);
const AT_ONCE: Duration = Duration::ZERO;

struct Talk<'a> {
    bus: &'a dyn EventBus,
    cx: Cx,
}

fn group(name: &str) -> ConsumerId {
    ConsumerId::parse(name).unwrap()
}

/// An event that is known by `name`.
pub fn event(cx: &Cx, name: &str) -> Event {
    let space = crate::id::ResourceId::root(
        StorageId::parse("storage").unwrap(),
        SpaceId::parse("space").unwrap(),
    );
    Event::new(cx, EventKind::SpaceRenamed { space, owner: None, name: name.into() })
}

fn name(delivery: &Delivery) -> &str {
    match &delivery.event.kind {
        EventKind::SpaceRenamed { name, .. } => name,
        other => panic!("this was not published: {other:?}"),
    }
}

/// The names of what came, with the attempt.
fn names(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(|delivery| format!("{}{}", name(delivery), delivery.attempt)).collect()
}

impl Talk<'_> {
    async fn publish(&self, names: &[&str]) {
        let events = names.iter().map(|name| event(&self.cx, name)).collect();
        self.bus.publish(&self.cx, events).await.unwrap();
    }

    async fn fetch(&self, name: &str, limit: u32, wait: Duration) -> Vec<Delivery> {
        self.fetch_for(name, limit, wait, LONG).await
    }

    async fn fetch_for(
        &self,
        name: &str,
        limit: u32,
        wait: Duration,
        redeliver: Duration,
    ) -> Vec<Delivery> {
        let start = if name.starts_with("new") { Start::New } else { Start::Oldest };
        let fetch = Fetch { group: group(name), start, limit, wait, redeliver };
        let found = self.bus.fetch(&self.cx, fetch).await.unwrap();
        assert!(found.len() <= limit as usize, "more than asked for");
        found
    }

    async fn acknowledge(&self, name: &str, done: &[Delivery]) {
        let sequences = done.iter().map(|delivery| delivery.sequence).collect();
        let done = Acknowledge { group: group(name), sequences };
        self.bus.acknowledge(&self.cx, done).await.unwrap();
    }

    async fn reject(&self, name: &str, failed: &[Delivery], delay: Duration) {
        let sequences = failed.iter().map(|delivery| delivery.sequence).collect();
        let failed = Reject { group: group(name), sequences, delay };
        self.bus.reject(&self.cx, failed).await.unwrap();
    }
}

/// The bus keeps the promises of [`EventBus`].
pub async fn events(bus: &dyn EventBus) {
    let talk = Talk { bus, cx: person("einstein", 0) };
    in_order(&talk).await;
    shared(&talk).await;
    again(&talk).await;
    waiting(&talk).await;
    strangers(&talk).await;
}

async fn in_order(talk: &Talk<'_>) {
    assert_eq!(talk.fetch("new", 10, AT_ONCE).await, [], "there was nothing yet");
    talk.publish(&["a", "b"]).await;
    talk.publish(&["c"]).await;
    talk.publish(&[]).await;
    let first = talk.fetch("old", 2, AT_ONCE).await;
    assert_eq!(names(&first), ["a1", "b1"]);
    assert_eq!(first[0].event.executant, Some("einstein".parse().unwrap()));
    let second = talk.fetch("old", 2, AT_ONCE).await;
    assert_eq!(names(&second), ["c1"]);
    let sequences: Vec<_> = first.iter().chain(&second).map(|d| d.sequence).collect();
    assert!(sequences.is_sorted_by(|a, b| a < b), "sequences grow: {sequences:?}");
    assert_eq!(talk.fetch("old", 2, AT_ONCE).await, [], "what is under way is not given again");
    talk.acknowledge("old", &first).await;
    talk.acknowledge("old", &second).await;
    talk.acknowledge("old", &second).await;
    assert_eq!(talk.fetch("old", 2, AT_ONCE).await, []);
}

async fn shared(talk: &Talk<'_>) {
    let seen = talk.fetch("new", 10, AT_ONCE).await;
    assert_eq!(names(&seen), ["a1", "b1", "c1"], "it was there before they were published");
    talk.acknowledge("new", &seen).await;
    assert_eq!(talk.fetch("new-late", 10, AT_ONCE).await, [], "it came after them");
    talk.publish(&["d", "e"]).await;
    let one = talk.fetch("old", 1, AT_ONCE).await;
    let other = talk.fetch("old", 1, AT_ONCE).await;
    assert_eq!((names(&one), names(&other)), (vec!["d1".into()], vec!["e1".into()]));
    let late = talk.fetch("new-late", 10, AT_ONCE).await;
    assert_eq!(names(&late), ["d1", "e1"], "every group gets every event");
    talk.acknowledge("new-late", &late).await;
    // Not in order: the first of them is still under way.
    talk.acknowledge("old", &other).await;
    assert_eq!(talk.fetch("old", 10, AT_ONCE).await, []);
    talk.acknowledge("old", &one).await;
    let seen = talk.fetch("new", 10, AT_ONCE).await;
    talk.acknowledge("new", &seen).await;
}

async fn again(talk: &Talk<'_>) {
    talk.publish(&["f", "g"]).await;
    let soon = Duration::from_millis(20);
    let lost = talk.fetch_for("old", 10, AT_ONCE, soon).await;
    assert_eq!(names(&lost), ["f1", "g1"]);
    talk.publish(&["h"]).await;
    let mut found = Vec::new();
    while found.len() < 3 {
        found.extend(talk.fetch("old", 10, LONG).await);
    }
    found.sort_by_key(|delivery| delivery.sequence);
    assert_eq!(names(&found), ["f2", "g2", "h1"], "what was not acknowledged comes again");
    talk.reject("old", &found[1..], AT_ONCE).await;
    let found = talk.fetch("old", 1, AT_ONCE).await;
    assert_eq!(names(&found), ["g3"], "the older first");
    talk.reject("old", &found, LONG).await;
    let other = talk.fetch("old", 10, AT_ONCE).await;
    assert_eq!(names(&other), ["h2"], "not before its time");
    talk.acknowledge("old", &other).await;
    // Also what is not out at the moment can be acknowledged, and then does not come again.
    talk.reject("old", &found, AT_ONCE).await;
    talk.acknowledge("old", &found).await;
    assert_eq!(talk.fetch("old", 10, AT_ONCE).await, []);
}

async fn waiting(talk: &Talk<'_>) {
    let short = Duration::from_millis(10);
    assert_eq!(talk.fetch("new-waiting", 1, short).await, [], "none came in time");
    let mut fetch = pin!(talk.fetch("new-waiting", 10, LONG));
    let mut publish = pin!(talk.publish(&["i"]));
    let mut is_published = false;
    let found = std::future::poll_fn(|task| {
        if let Poll::Ready(found) = fetch.as_mut().poll(task) {
            return Poll::Ready(found);
        }
        if !is_published {
            is_published = publish.as_mut().poll(task).is_ready();
        }
        Poll::Pending
    });
    assert_eq!(names(&found.await), ["i1"], "who waits is woken");
}

async fn strangers(talk: &Talk<'_>) {
    let (group, sequences) = (group("nobody"), vec![1]);
    let done = Acknowledge { group: group.clone(), sequences: sequences.clone() };
    assert_eq!(refused(talk.bus.acknowledge(&talk.cx, done).await), ErrorKind::NotFound);
    let failed = Reject { group: group.clone(), sequences, delay: AT_ONCE };
    assert_eq!(refused(talk.bus.reject(&talk.cx, failed).await), ErrorKind::NotFound);
    talk.bus.leave(&talk.cx, Leave { group }).await.unwrap();
    // A group that left begins anew.
    let leave = Leave { group: self::group("old") };
    talk.bus.leave(&talk.cx, leave).await.unwrap();
    let found = talk.fetch("old", 100, AT_ONCE).await;
    assert_eq!(names(&found).concat(), "a1b1c1d1e1f1g1h1i1");
}
