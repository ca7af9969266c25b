//! A bus for publishers who have no journal to keep their events in: what the bus does not take
//! waits here, in memory and within a bound, and is handed over once it takes events again.
//!
//! What waits is lost with the process. The storage loses none (`ocis-storage/src/outbox`); those
//! of account management, which are for notifications alone, do not weigh as much.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ocis_core::event::Event;
use ocis_core::port::{Acknowledge, Delivery, EventBus, Fetch, Leave, Reject};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Caller, Cx, Error, ErrorKind, Result};
use tokio::sync::Mutex;
use tokio::time::interval;

use crate::service::Stop;

/// How many events wait at most.
const MOST: usize = 10_000;
/// How often it is tried to hand them over.
const RETRY: Duration = Duration::from_secs(1);

/// A bus that may be away for a while.
pub(crate) struct PatientBus {
    bus: Arc<dyn EventBus>,
    /// Held while something is published, so that the order stays.
    waiting: Mutex<VecDeque<Event>>,
}

impl PatientBus {
    /// Publishes to `bus`.
    pub(crate) fn new(bus: Arc<dyn EventBus>) -> Self {
        Self { bus, waiting: Mutex::default() }
    }

    /// The job that hands over what waits, and for the last time when it is to end.
    pub(crate) async fn hand_over(self: Arc<Self>, stop: Stop) -> Result<()> {
        let mut ticks = interval(RETRY);
        loop {
            let is_last = tokio::select! {
                biased;
                () = stop.cancelled() => true,
                _ = ticks.tick() => false,
            };
            let cx = Cx::new(Caller::Service("events".into()), SystemClock.now());
            let left = self.try_again(&cx).await;
            if is_last {
                if left > 0 {
                    tracing::warn!(events = left, "events are lost: the bus did not take them");
                }
                return Ok(());
            }
        }
    }

    /// Tries to hand over what waits; tells how many events still do.
    async fn try_again(&self, cx: &Cx) -> usize {
        let mut waiting = self.waiting.lock().await;
        if !waiting.is_empty() {
            let all = waiting.iter().cloned().collect();
            match self.bus.publish(cx, all).await {
                Ok(()) => waiting.clear(),
                Err(error) => tracing::debug!(?error, "events go on waiting"),
            }
        }
        waiting.len()
    }
}

#[async_trait]
impl EventBus for PatientBus {
    /// As the bus does it; but events that it does not take now are kept for later, and durable
    /// only then. [`ErrorKind::ResourceExhausted`] when too many wait.
    async fn publish(&self, cx: &Cx, events: Vec<Event>) -> Result<()> {
        let mut waiting = self.waiting.lock().await;
        if waiting.is_empty() {
            match self.bus.publish(cx, events.clone()).await {
                Err(error) if error.kind() != ErrorKind::InvalidArgument => {
                    tracing::warn!(?error, "the event bus takes no events; they wait");
                }
                done => return done,
            }
        }
        if waiting.len() + events.len() > MOST {
            let why = "the event bus takes no events, and too many wait already";
            return Err(Error::new(ErrorKind::ResourceExhausted, why));
        }
        waiting.extend(events);
        Ok(())
    }

    async fn fetch(&self, cx: &Cx, request: Fetch) -> Result<Vec<Delivery>> {
        self.bus.fetch(cx, request).await
    }

    async fn acknowledge(&self, cx: &Cx, request: Acknowledge) -> Result<()> {
        self.bus.acknowledge(cx, request).await
    }

    async fn reject(&self, cx: &Cx, request: Reject) -> Result<()> {
        self.bus.reject(cx, request).await
    }

    async fn leave(&self, cx: &Cx, request: Leave) -> Result<()> {
        self.bus.leave(cx, request).await
    }
}

#[cfg(test)]
mod tests {
    use ocis_core::event::EventKind;
    use ocis_core::id::{ConsumerId, UserId};
    use ocis_core::port::{Late, Start};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::bus::MemoryBus;

    fn cx() -> Cx {
        Cx::new(Caller::Service("test".into()), SystemClock.now())
    }

    fn created(name: &str) -> Event {
        Event::new(&cx(), EventKind::UserCreated { user: UserId::parse(name).unwrap() })
    }

    async fn told(bus: &dyn EventBus) -> Vec<Event> {
        let fetch = Fetch {
            group: ConsumerId::parse("test").unwrap(),
            start: Start::Oldest,
            limit: 100,
            wait: Duration::ZERO,
            redeliver: Duration::from_secs(60),
        };
        let deliveries = bus.fetch(&cx(), fetch).await.unwrap();
        deliveries.into_iter().map(|delivery| delivery.event).collect()
    }

    #[tokio::test]
    async fn what_the_bus_does_not_take_comes_later_in_order() {
        let late = Late::<dyn EventBus>::unbound();
        let patient = Arc::new(PatientBus::new(Arc::new(late.clone())));
        let events = ["one", "two", "three"].map(created);
        for event in &events[..2] {
            patient.publish(&cx(), vec![event.clone()]).await.unwrap();
        }
        assert_eq!(patient.try_again(&cx()).await, 2);
        let bus = Arc::new(MemoryBus::default());
        late.bind(Arc::<MemoryBus>::clone(&bus));
        // The third does not overtake those that wait.
        patient.publish(&cx(), vec![events[2].clone()]).await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        Arc::clone(&patient).hand_over(stop).await.unwrap();
        assert_eq!(told(&*bus).await, events);
        let fourth = created("four");
        patient.publish(&cx(), vec![fourth.clone()]).await.unwrap();
        assert_eq!(told(&*bus).await, [fourth], "nothing waits any more");
    }

    #[tokio::test]
    async fn not_everything_is_kept() {
        let patient = PatientBus::new(Arc::new(Late::<dyn EventBus>::unbound()));
        patient.publish(&cx(), vec![created("one"); MOST]).await.unwrap();
        let error = patient.publish(&cx(), vec![created("two")]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    }
}
