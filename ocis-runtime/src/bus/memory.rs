//! A bus that forgets everything with the process, for tests and small programs.

use std::collections::{HashMap, VecDeque};

use ocis_core::event::Event;
use ocis_core::id::ConsumerId;
use ocis_core::port::{Acknowledge, Delivery, EventBus, Fetch, Leave, Reject, Start};
use ocis_core::{Cx, Result};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::group::Group;
use super::{Found, no_group, until_found};

/// Events that are kept; older ones are forgotten, whether somebody took them or not.
const MOST_KEPT: usize = 100_000;

/// A bus in memory.
#[derive(Debug)]
pub struct MemoryBus {
    state: Mutex<State>,
    news: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    /// The number of the first event that is kept.
    first: u64,
    groups: HashMap<ConsumerId, Group>,
}

impl State {
    fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    fn take(&mut self, request: &Fetch) -> Found {
        let (first, end) = (self.first, self.end());
        let beginning = if request.start == Start::New { end } else { first };
        let group =
            self.groups.entry(request.group.clone()).or_insert_with(|| Group::beginning(beginning));
        let limit = request.limit.max(1) as usize;
        let given = group.take(limit, (first, end), Instant::now(), request.redeliver);
        let found = given.events.into_iter().filter_map(|(sequence, attempt)| {
            let event = self.events.get(usize::try_from(sequence - first).ok()?)?.clone();
            Some(Delivery { sequence, attempt, event })
        });
        (found.collect(), group.next_due())
    }

    fn group(&mut self, group: &ConsumerId) -> Result<&mut Group> {
        self.groups.get_mut(group).ok_or_else(no_group)
    }
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self { state: Mutex::default(), news: watch::Sender::new(()) }
    }
}

#[async_trait::async_trait]
impl EventBus for MemoryBus {
    async fn publish(&self, _: &Cx, events: Vec<Event>) -> Result<()> {
        let mut state = self.state.lock();
        state.events.extend(events);
        let excess = state.events.len().saturating_sub(MOST_KEPT);
        state.events.drain(..excess);
        state.first += excess as u64;
        self.news.send_modify(|()| ());
        Ok(())
    }

    async fn fetch(&self, _: &Cx, request: Fetch) -> Result<Vec<Delivery>> {
        let news = self.news.subscribe();
        until_found(&request, news, || async { Ok(self.state.lock().take(&request)) }).await
    }

    async fn acknowledge(&self, _: &Cx, request: Acknowledge) -> Result<()> {
        if self.state.lock().group(&request.group)?.acknowledge(&request.sequences) {
            self.news.send_modify(|()| ());
        }
        Ok(())
    }

    async fn reject(&self, _: &Cx, request: Reject) -> Result<()> {
        let due = Instant::now() + request.delay;
        self.state.lock().group(&request.group)?.reject(&request.sequences, due);
        self.news.send_modify(|()| ());
        Ok(())
    }

    async fn leave(&self, _: &Cx, request: Leave) -> Result<()> {
        self.state.lock().groups.remove(&request.group);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_promises_of_the_port() {
        ocis_core::conformance::events(&MemoryBus::default()).await;
    }
}
