//! What one connection is doing and since when, so that one watcher a connection enforces all
//! limits of time: no timer is touched while requests are answered.
//!
//! The stream reports what it reads and when its writer has to wait, the service reports when a
//! request begins and ends, and the watcher asks [`Activity::next`] what is due.

use std::sync::Arc;

use http::Version;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::listen::Limits;

/// Shared by the stream, the service and the watcher of one connection.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    phase: Phase,
    http2: bool,
    /// Since when the client takes nothing of what we want to send.
    blocked: Option<Instant>,
    /// What the head that is being read has told so far about the length of its body.
    lengths: Lengths,
    /// Whether a request was answered before all of its body was read.
    unread: bool,
    /// Whether our side was ended and what the client still sends is thrown away.
    lingering: bool,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// A request has begun to arrive.
    Head(Instant),
    /// Nothing is under way.
    Idle(Instant),
    /// So many requests are being answered.
    Busy(usize),
}

#[derive(Debug, Default, Clone, Copy)]
struct Lengths {
    content_length: bool,
    transfer_encoding: bool,
}

/// What the watcher is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask again at this time.
    Wait(Instant),
    /// This.
    Do(Due),
}

/// What is due to be done to the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Let the connection end by itself: it has been idle for too long.
    Finish,
    /// End the connection at once: the client is too slow.
    Cut,
}

/// A request is being answered as long as this lives.
#[derive(Debug)]
pub(super) struct Running(Arc<Activity>);

impl Activity {
    /// A connection that was just made; its first request counts as begun.
    pub(super) fn begin() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            phase: Phase::Head(Instant::now()),
            http2: false,
            blocked: None,
            lengths: Lengths::default(),
            unread: false,
            lingering: false,
        })))
    }

    /// The stream has read `bytes`.
    pub(super) fn received(&self, bytes: &[u8]) {
        let mut state = self.0.lock();
        match state.phase {
            Phase::Busy(_) => return,
            Phase::Idle(_) if !state.http2 => state.phase = Phase::Head(Instant::now()),
            _ => {}
        }
        if !state.http2 {
            state.lengths.see(bytes);
        }
    }

    /// The writer begins or ceases to wait for the client.
    pub(super) fn blocked(&self, blocked: bool) {
        self.0.lock().blocked = blocked.then(Instant::now);
    }

    /// A request has arrived. The flag tells whether its head gave its body two lengths, which
    /// hyper hides by dropping `Content-Length`.
    pub(super) fn request(self: &Arc<Self>, version: Version) -> (Running, bool) {
        let mut state = self.0.lock();
        let lengths = std::mem::take(&mut state.lengths);
        state.http2 = version == Version::HTTP_2;
        state.phase = match state.phase {
            Phase::Busy(count) => Phase::Busy(count.saturating_add(1)),
            _ => Phase::Busy(1),
        };
        let both = lengths.content_length && lengths.transfer_encoding;
        (Running(Arc::clone(self)), both && !state.http2)
    }

    /// A request was answered before all of its body was read.
    pub(super) fn body_left(&self) {
        self.0.lock().unread = true;
    }

    /// Whether the client may still be sending when the connection is closed, so that what we sent
    /// would be lost to it if its bytes were not read.
    pub(super) fn peer_may_be_sending(&self) -> bool {
        let state = self.0.lock();
        state.unread || matches!(state.phase, Phase::Head(_))
    }

    /// From now on what the client sends is thrown away. The stream itself sees to it that this ends.
    pub(super) fn linger(&self) {
        self.0.lock().lingering = true;
    }

    /// What is due at `now`.
    pub(super) fn next(&self, limits: &Limits, now: Instant) -> Next {
        let state = self.0.lock();
        if let Some(since) = state.blocked {
            let due = since + limits.write;
            return if now >= due { Next::Do(Due::Cut) } else { Next::Wait(due) };
        }
        if state.lingering {
            return Next::Wait(now + limits.header);
        }
        match state.phase {
            Phase::Head(since) if now >= since + limits.header => Next::Do(Due::Cut),
            Phase::Head(since) => Next::Wait(since + limits.header),
            Phase::Idle(since) if now >= since + limits.idle => Next::Do(Due::Finish),
            Phase::Idle(since) => Next::Wait((since + limits.idle).min(now + limits.header)),
            Phase::Busy(_) => Next::Wait(now + limits.write.min(limits.header)),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        state.phase = match state.phase {
            Phase::Busy(count) if count > 1 => Phase::Busy(count - 1),
            _ => Phase::Idle(Instant::now()),
        };
    }
}

impl Lengths {
    /// Looks for the two headers in a piece of a head. A name that is cut in two by the network
    /// is missed; hyper's own rule (only the chunked length counts, and the connection ends after
    /// the answer) holds in any case.
    fn see(&mut self, bytes: &[u8]) {
        for line in bytes.split(|&byte| byte == b'\n') {
            if matches!(line, b"" | b"\r") {
                return;
            }
            self.content_length |= begins_with(line, b"content-length:");
            self.transfer_encoding |= begins_with(line, b"transfer-encoding:");
        }
    }
}

fn begins_with(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limits() -> Limits {
        Limits {
            header: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            write: Duration::from_secs(30),
            ..Limits::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_head_is_cut_and_an_idle_connection_finished() {
        let activity = Activity::begin();
        let start = Instant::now();
        let at = |seconds| activity.next(&limits(), start + Duration::from_secs(seconds));
        assert_eq!(at(0), Next::Wait(start + Duration::from_secs(10)));
        assert_eq!(at(10), Next::Do(Due::Cut));
        let (running, _) = activity.request(Version::HTTP_11);
        assert!(matches!(at(1000), Next::Wait(_)));
        drop(running);
        assert!(matches!(at(59), Next::Wait(_)));
        assert_eq!(at(60), Next::Do(Due::Finish));
        activity.received(b"GET");
        assert_eq!(at(10), Next::Do(Due::Cut));
    }

    #[tokio::test(start_paused = true)]
    async fn who_still_sends_what_is_thrown_away_is_not_cut() {
        let activity = Activity::begin();
        drop(activity.request(Version::HTTP_11));
        activity.received(b"the rest of a body");
        let later = Instant::now() + Duration::from_secs(1000);
        assert_eq!(activity.next(&limits(), later), Next::Do(Due::Cut));
        activity.linger();
        assert!(matches!(activity.next(&limits(), later), Next::Wait(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_cut() {
        let activity = Activity::begin();
        let start = Instant::now();
        let _running = activity.request(Version::HTTP_11);
        activity.blocked(true);
        assert!(matches!(activity.next(&limits(), start), Next::Wait(_)));
        assert_eq!(activity.next(&limits(), start + Duration::from_secs(30)), Next::Do(Due::Cut));
        activity.blocked(false);
        assert!(matches!(activity.next(&limits(), start + Duration::from_secs(30)), Next::Wait(_)));
    }

    #[tokio::test]
    async fn two_lengths_are_seen_in_any_order_and_case_but_not_in_a_body() {
        let both = |pieces: &[&str]| {
            let activity = Activity::begin();
            for piece in pieces {
                activity.received(piece.as_bytes());
            }
            activity.request(Version::HTTP_11).1
        };
        assert!(both(&[
            "PUT / HTTP/1.1\r\nContent-Length: 3\r\nTRANSFER-ENCODING: chunked\r\n\r\n"
        ]));
        assert!(both(&[
            "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
            "content-length: 3\r\n\r\n"
        ]));
        assert!(!both(&["PUT / HTTP/1.1\r\nContent-Length: 99\r\n\r\nTransfer-Encoding: x\r\n"]));
    }
}
