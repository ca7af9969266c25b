//! The event bus: what happened, for whoever wants to know, at their own pace.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::id::ConsumerId;
use crate::port::declare::port;

/// Where a group begins that the bus has not seen yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// With what is published from now on. So do the services of oCIS.
    New,
    /// With the oldest event that the bus still has.
    Oldest,
}

/// Events that a member of a group is ready to take.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fetch {
    /// The group; its members share the events among themselves, and every group gets all of them.
    pub group: ConsumerId,
    /// Where the group begins, should this be its first call.
    pub start: Start,
    /// The most events that are wanted, at least one; the bus may give fewer.
    pub limit: u32,
    /// How long to wait for the first event; zero asks what is there.
    pub wait: Duration,
    /// After how long an event of this batch is given to somebody again unless it is acknowledged
    /// or rejected.
    pub redeliver: Duration,
}

/// An event for a member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// What to acknowledge; grows with every event that the bus takes.
    pub sequence: u64,
    /// How often the event was given to the group, this time included. Whoever fails again and
    /// again with one event can tell by it when to give up, log it and acknowledge it.
    pub attempt: u32,
    /// What happened.
    pub event: Event,
}

/// Events that a group is done with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Acknowledge {
    /// The group.
    pub group: ConsumerId,
    /// The events; those that are not under way are left alone.
    pub sequences: Vec<u64>,
}

/// Events that a group could not deal with and wants to get again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reject {
    /// The group.
    pub group: ConsumerId,
    /// The events; those that are not under way are left alone.
    pub sequences: Vec<u64>,
    /// When, from now; zero for at once.
    pub delay: Duration,
}

/// A group that nobody will ask for any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Leave {
    /// The group.
    pub group: ConsumerId,
}

port! {
    /// Carries events from whoever publishes to groups of consumers. Every group gets every event
    /// at least once, new ones in the order in which they were published; an event that was
    /// published twice comes twice. What nobody fetched is kept within bounds of the bus.
    pub trait EventBus = "events" {
        /// Takes events, in this order, all of them or none. They are durable when it returns.
        async fn publish(Vec<Event>) -> ();
        /// Events that are due to be given again, and then new ones; empty when none came in time.
        async fn fetch(Fetch) -> Vec<Delivery>;
        /// Ends the delivery of events; durable when it returns. `NotFound` for an unknown group.
        async fn acknowledge(Acknowledge) -> ();
        /// Has events delivered again. `NotFound` for an unknown group.
        async fn reject(Reject) -> ();
        /// Forgets a group, if there is one.
        async fn leave(Leave) -> ();
    }
}
