//! A group of consumers: how far it is, and what is under way to its members.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Events that may be under way to one group at once; who acknowledges nothing gets no more.
const MOST_UNDER_WAY: usize = 1000;

/// A group of consumers.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// The first event that was never given to it.
    next: u64,
    under_way: BTreeMap<u64, UnderWay>,
}

#[derive(Debug, Clone)]
struct UnderWay {
    attempts: u32,
    /// When it is given again.
    due: Instant,
}

/// A group as it is kept: without times, because everything is due when the bus is opened.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    next: u64,
    /// Events that were given and not acknowledged, with the number of attempts.
    under_way: Vec<(u64, u32)>,
}

/// What a group is given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// Events with the number of attempts, this one included.
    pub(super) events: Vec<(u64, u32)>,
    /// Events that it never acknowledged and that the bus does not have any more.
    pub(super) missed: u64,
}

impl Group {
    /// A group that begins with this event.
    pub(super) fn beginning(next: u64) -> Self {
        Self { next, under_way: BTreeMap::new() }
    }

    /// A group as it was kept.
    pub(super) fn restore(kept: Kept, now: Instant) -> Self {
        let under_way = |(sequence, attempts)| (sequence, UnderWay { attempts, due: now });
        Self { next: kept.next, under_way: kept.under_way.into_iter().map(under_way).collect() }
    }

    /// What is to be kept of it.
    pub(super) fn keep(&self) -> Kept {
        let under_way =
            self.under_way.iter().map(|(sequence, at)| (*sequence, at.attempts)).collect();
        Kept { next: self.next, under_way }
    }

    /// Gives at most `limit` events, of which the bus has those from `first` up to `end`: the ones
    /// that are due again, the oldest first, and then new ones.
    pub(super) fn take(
        &mut self,
        limit: usize,
        (first, end): (u64, u64),
        now: Instant,
        redeliver: Duration,
    ) -> Given {
        let kept = self.under_way.split_off(&first);
        let lost = std::mem::replace(&mut self.under_way, kept).len() as u64;
        let mut given =
            Given { events: Vec::new(), missed: first.saturating_sub(self.next) + lost };
        // Beyond the end only if the log lost its end, or was replaced by an empty one.
        self.next = self.next.clamp(first, end);
        let due = now + redeliver;
        for (sequence, at) in &mut self.under_way {
            if given.events.len() < limit && at.due <= now {
                *at = UnderWay { attempts: at.attempts.saturating_add(1), due };
                given.events.push((*sequence, at.attempts));
            }
        }
        while given.events.len() < limit && self.next < end && self.under_way.len() < MOST_UNDER_WAY
        {
            self.under_way.insert(self.next, UnderWay { attempts: 1, due });
            given.events.push((self.next, 1));
            self.next += 1;
        }
        given
    }

    /// Ends the delivery of events; says whether any of them was under way.
    pub(super) fn acknowledge(&mut self, sequences: &[u64]) -> bool {
        let before = self.under_way.len();
        for sequence in sequences {
            self.under_way.remove(sequence);
        }
        self.under_way.len() < before
    }

    /// Has events given again at this time.
    pub(super) fn reject(&mut self, sequences: &[u64], due: Instant) {
        for sequence in sequences {
            if let Some(at) = self.under_way.get_mut(sequence) {
                at.due = due;
            }
        }
    }

    /// When the next event that is under way is due again.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.under_way.values().map(|at| at.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn what_is_kept_is_given_again_with_its_attempts() {
        let now = Instant::now();
        let mut group = Group::beginning(5);
        assert_eq!(group.take(2, (1, 10), now, LONG).events, [(5, 1), (6, 1)]);
        assert!(group.acknowledge(&[5]));
        let mut group = Group::restore(group.keep(), now);
        assert_eq!(group.take(2, (1, 10), now, LONG).events, [(6, 2), (7, 1)]);
        assert!(!group.acknowledge(&[5]));
    }

    #[test]
    fn what_the_bus_lost_is_counted_and_passed_over() {
        let now = Instant::now();
        let mut group = Group::beginning(1);
        group.take(2, (1, 10), now, LONG);
        let given = group.take(1, (7, 10), now, LONG);
        assert_eq!(given, Given { events: vec![(7, 1)], missed: 6 });
        // A log that begins anew has numbers that the group is beyond.
        let mut group = Group::beginning(100);
        assert_eq!(group.take(9, (1, 3), now, LONG), Given::default());
        assert_eq!(group.take(9, (1, 4), now, LONG).events, [(3, 1)]);
    }

    #[test]
    fn who_acknowledges_nothing_gets_no_more() {
        let now = Instant::now();
        let mut group = Group::beginning(1);
        assert_eq!(group.take(5000, (1, 5001), now, LONG).events.len(), MOST_UNDER_WAY);
        assert_eq!(group.take(1, (1, 5001), now, LONG).events, []);
        group.acknowledge(&[3]);
        assert_eq!(group.take(5, (1, 5001), now, LONG).events, [(1001, 1)]);
    }
}
