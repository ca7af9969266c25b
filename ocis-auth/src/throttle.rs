//! Who fails to sign in has to wait, longer with each failure, whatever the kind of credentials.
//!
//! Failures are counted for an address, and for an account at an address, never for an account
//! alone: so nobody can lock somebody else out from elsewhere. Of an IPv6 address the first 64 bits
//! count, because whoever has one address of such a network has all of them. Time forgives.
//!
//! An attempt made while waiting is refused unverified and makes the wait no longer. A password that
//! was verified from the same address before goes through all the same: one device with an outdated
//! password must not lock out the others behind the same address. That would let a guesser at the
//! same address try any number of guesses against what is remembered; so after a hundred different
//! ones the exception ends until time has forgiven them.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::hmac;
use ocis_core::time::Timestamp;
use ocis_core::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use crate::digest::{self, Digest};

/// How many failures are free, and what further ones cost.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// So many failures in a row cost nothing.
    pub free: u32,
    /// The time after which one failure is forgiven.
    pub forgiven: Duration,
    /// The wait after the first failure that is not free; each further one doubles it.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
}

/// How many different guesses may be made while waiting before remembered passwords wait too.
const GUESSES: u32 = 100;

/// How many of the latest guesses are told apart from new ones.
const LATEST: usize = 8;

/// Failures that are not forgiven yet.
#[derive(Debug, Clone, Copy)]
struct Counter {
    failures: u32,
    /// Different guesses made while waiting.
    guesses: u32,
    /// The beginnings of the digests of the latest ones, the oldest first.
    latest: [u64; LATEST],
    /// Since when time forgives them.
    since: Timestamp,
    /// Until when attempts are refused.
    wait: Timestamp,
}

impl Counter {
    fn forgive(&mut self, limit: Limit, now: Timestamp) {
        let periods = between(self.since, now).as_nanos() / limit.forgiven.as_nanos().max(1);
        let periods = u32::try_from(periods).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_sub(periods);
        self.guesses = self.guesses.saturating_sub(periods);
        self.since = match self.failures.max(self.guesses) {
            0 => now,
            _ => self.since.plus(limit.forgiven.saturating_mul(periods)),
        };
    }

    fn note_guess(&mut self, guess: &Digest) {
        let [a, b, c, d, e, f, g, h, ..] = *guess;
        let guess = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        if !self.latest.contains(&guess) {
            self.guesses = self.guesses.saturating_add(1);
            self.latest.rotate_left(1);
            if let Some(last) = self.latest.last_mut() {
                *last = guess;
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Peer(Option<IpAddr>),
    Account(Digest, Option<IpAddr>),
}

/// How attempts are limited.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The failures of one account from one address.
    pub per_account: Limit,
    /// The failures from one address, whatever the account.
    pub per_peer: Limit,
    /// How many addresses and accounts failures are counted for; beyond it the smallest counts are
    /// forgotten.
    pub counters: usize,
}

impl Default for Limits {
    /// After 5 failures of an account, or 50 of an address, a wait that begins with a second and
    /// doubles up to a minute.
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            per_account: Limit { free: 5, forgiven: 60 * second, first: second, most: 60 * second },
            per_peer: Limit { free: 50, forgiven: 6 * second, first: second, most: 60 * second },
            counters: 20_000,
        }
    }
}

/// The failures of all. One for everything that checks credentials of the same accounts, so that
/// somebody who fails with one kind of them waits with the others too.
pub struct Throttle {
    secret: hmac::Key,
    per_account: Limit,
    per_peer: Limit,
    capacity: usize,
    counters: Mutex<HashMap<Key, Counter>>,
    /// Whether there is no counter; spares the lock where nobody ever fails.
    quiet: AtomicBool,
}

impl Throttle {
    /// Nobody has failed yet. [`ErrorKind::Internal`] when the system gives no random numbers.
    pub fn new(limits: Limits) -> Result<Self> {
        Ok(Self {
            secret: digest::random_key()?,
            per_account: limits.per_account,
            per_peer: limits.per_peer,
            capacity: limits.counters,
            counters: Mutex::default(),
            quiet: AtomicBool::new(true),
        })
    }

    /// What the failures of an account are counted under: no name is kept, however long.
    pub(crate) fn account(&self, username: &str) -> Digest {
        digest::of(&self.secret, [username.to_lowercase().as_bytes()])
    }

    /// Whether a remembered password is believed although the account or the address has to wait.
    /// `account` is only asked for when there were failures at all.
    pub(crate) fn trusts(
        &self,
        account: impl FnOnce() -> Digest,
        peer: Option<IpAddr>,
        now: Timestamp,
    ) -> bool {
        if self.quiet.load(Ordering::Relaxed) {
            return true;
        }
        let mut counters = self.counters.lock();
        [Key::Account(account(), peer), Key::Peer(peer)].iter().all(|key| {
            counters.get_mut(key).is_none_or(|counter| {
                counter.forgive(self.limit(key), now);
                counter.guesses < GUESSES
            })
        })
    }

    /// Admits an attempt and counts it against the account as if it had failed, so that many at
    /// once are counted too. [`ErrorKind::ResourceExhausted`], with the seconds to wait as context
    /// `retry_after`, while the account or the address has to wait. `guess` tells passwords apart.
    pub(crate) fn begin(
        &self,
        account: &Digest,
        guess: &Digest,
        peer: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<()> {
        let account = Key::Account(*account, peer);
        let mut counters = self.counters.lock();
        for key in [&account, &Key::Peer(peer)] {
            if let Some(counter) = counters.get_mut(key)
                && counter.wait > now
            {
                counter.forgive(self.limit(key), now);
                counter.note_guess(guess);
                return Err(wait(now, counter.wait));
            }
        }
        self.count(&mut counters, account, now);
        Ok(())
    }

    /// An attempt succeeded: the account's failures at this address are forgotten. Those of the
    /// address stay, or one own account would be enough to guess for ever at others.
    pub(crate) fn succeeded(&self, account: &Digest, peer: Option<IpAddr>) {
        self.counters.lock().remove(&Key::Account(*account, peer));
    }

    /// An attempt that [`Self::begin`] admitted failed.
    pub(crate) fn failed(&self, peer: Option<IpAddr>, now: Timestamp) {
        self.count(&mut self.counters.lock(), Key::Peer(peer), now);
    }

    /// An attempt that [`Self::begin`] admitted came to nothing, as the directory did not answer.
    pub(crate) fn undo(&self, account: &Digest, peer: Option<IpAddr>, now: Timestamp) {
        let key = Key::Account(*account, peer);
        if let Some(counter) = self.counters.lock().get_mut(&key) {
            counter.failures = counter.failures.saturating_sub(1);
            counter.wait = now;
        }
    }

    fn count(&self, counters: &mut HashMap<Key, Counter>, key: Key, now: Timestamp) {
        if counters.len() >= self.capacity && !counters.contains_key(&key) {
            self.make_room(counters, now);
        }
        let limit = self.limit(&key);
        let counter = counters.entry(key).or_insert(Counter {
            failures: 0,
            guesses: 0,
            latest: [0; LATEST],
            since: now,
            wait: now,
        });
        self.quiet.store(false, Ordering::Relaxed);
        counter.forgive(limit, now);
        counter.failures = counter.failures.saturating_add(1);
        if let Some(beyond) = counter.failures.checked_sub(limit.free) {
            let wait = limit.first.saturating_mul(1 << beyond.min(30)).min(limit.most);
            counter.wait = now.plus(wait);
        }
    }

    /// Drops what is forgiven, and when that is nothing, the smallest counter. Goes through all of
    /// them, which is little beside the verification that every new counter costs.
    fn make_room(&self, counters: &mut HashMap<Key, Counter>, now: Timestamp) {
        let before = counters.len();
        counters.retain(|key, counter| {
            counter.forgive(self.limit(key), now);
            counter.failures > 0 || counter.wait > now
        });
        if counters.len() == before
            && let Some((least, _)) = counters.iter().min_by_key(|(_, counter)| counter.failures)
        {
            let least = least.clone();
            counters.remove(&least);
        }
    }

    fn limit(&self, key: &Key) -> Limit {
        match key {
            Key::Peer(_) => self.per_peer,
            Key::Account(..) => self.per_account,
        }
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").field("per_account", &self.per_account).finish_non_exhaustive()
    }
}

/// The addresses that one person easily has, which is what this module means by a peer.
pub(crate) fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

/// An address as a number; 0 for none.
pub(crate) fn bits(peer: Option<IpAddr>) -> u128 {
    peer.map_or(0, |peer| match peer {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    })
}

fn wait(now: Timestamp, end: Timestamp) -> Error {
    let seconds = between(now, end).as_millis().div_ceil(1000);
    Error::new(ErrorKind::ResourceExhausted, "too many failed attempts to sign in, try again later")
        .with("retry_after", seconds)
}

fn between(start: Timestamp, end: Timestamp) -> Duration {
    (end.date_time() - start.date_time()).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const ONE: Digest = [1; 32];
    const TWO: Digest = [2; 32];

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_unix(1_700_000_000, 0).unwrap().plus(Duration::from_millis(millis))
    }

    fn throttle(capacity: usize) -> Throttle {
        let per_account = Limit { free: 3, forgiven: 60 * SECOND, first: SECOND, most: 8 * SECOND };
        let per_peer = Limit { free: 6, ..per_account };
        Throttle::new(Limits { per_account, per_peer, counters: capacity }).unwrap()
    }

    fn peer(text: &str) -> Option<IpAddr> {
        Some(network(text.parse().unwrap()))
    }

    /// An attempt that fails; how many seconds it was told to wait instead.
    fn fail(throttle: &Throttle, account: &Digest, from: Option<IpAddr>, now: u64) -> u64 {
        match throttle.begin(account, &ONE, from, at(now)) {
            Ok(()) => {
                throttle.failed(from, at(now));
                0
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
                error.context().next().unwrap().1.parse().unwrap()
            }
        }
    }

    #[test]
    fn each_failure_beyond_the_free_ones_doubles_the_wait() {
        let throttle = throttle(10);
        let from = peer("192.0.2.1");
        for _ in 0..3 {
            assert_eq!(fail(&throttle, &ONE, from, 0), 0);
        }
        let mut now = 0;
        for wait in [1, 2, 4, 8, 8, 8] {
            for _ in 0..3 {
                // Attempts while waiting do not make it longer.
                assert_eq!(fail(&throttle, &ONE, from, now), wait);
            }
            assert_eq!(fail(&throttle, &ONE, from, now + wait * 1000 - 1), 1);
            now += wait * 1000;
            assert_eq!(fail(&throttle, &ONE, from, now), 0, "after {wait}");
        }
    }

    #[test]
    fn nobody_is_locked_out_from_elsewhere() {
        let throttle = throttle(10);
        for _ in 0..5 {
            fail(&throttle, &ONE, peer("192.0.2.1"), 0);
        }
        assert_eq!(fail(&throttle, &ONE, peer("192.0.2.1"), 0), 1);
        assert_eq!(fail(&throttle, &ONE, peer("192.0.2.2"), 0), 0);
        assert_eq!(fail(&throttle, &ONE, None, 0), 0);
        assert_eq!(fail(&throttle, &TWO, peer("192.0.2.1"), 0), 0);
    }

    #[test]
    fn one_address_cannot_go_through_all_accounts() {
        let throttle = throttle(100);
        let from = peer("2001:db8::1");
        let waits: Vec<u64> =
            (0..8).map(|account| fail(&throttle, &[account; 32], from, 0)).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(fail(&throttle, &ONE, peer("2001:db8::ffff:1"), 0), 1, "the same network");
        assert_eq!(fail(&throttle, &ONE, peer("2001:db8:0:1::1"), 0), 0, "another network");
        // A right password for one's own account does not help.
        throttle.succeeded(&[0; 32], from);
        assert_eq!(fail(&throttle, &TWO, from, 0), 1);
    }

    #[test]
    fn an_ipv4_address_is_the_same_in_both_forms() {
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), peer("192.0.2.1").unwrap());
    }

    #[test]
    fn time_and_success_forgive() {
        let throttle = throttle(10);
        let from = peer("192.0.2.1");
        for _ in 0..3 {
            fail(&throttle, &ONE, from, 0);
        }
        assert_eq!(fail(&throttle, &ONE, from, 120_000), 0, "two of three are forgiven");
        assert_eq!(fail(&throttle, &ONE, from, 120_000), 0);
        assert_eq!(fail(&throttle, &ONE, from, 120_000), 1);
        throttle.succeeded(&ONE, from);
        for _ in 0..3 {
            assert_eq!(fail(&throttle, &ONE, from, 120_000), 0);
        }
        // A clock that is set back forgives nothing and locks nobody for long.
        assert_eq!(fail(&throttle, &ONE, from, 0), 121);
    }

    #[test]
    fn an_attempt_counts_before_its_answer_and_not_without_one() {
        let throttle = throttle(10);
        for _ in 0..3 {
            throttle.begin(&ONE, &ONE, None, at(0)).unwrap();
        }
        assert!(throttle.begin(&ONE, &ONE, None, at(0)).is_err());
        throttle.undo(&ONE, None, at(0));
        throttle.begin(&ONE, &ONE, None, at(0)).unwrap();
        assert!(throttle.begin(&ONE, &ONE, None, at(0)).is_err());
    }

    #[test]
    fn memory_is_bounded_and_keeps_the_worst() {
        let throttle = throttle(8);
        for _ in 0..5 {
            fail(&throttle, &ONE, peer("192.0.2.1"), 0);
        }
        for last in 0..100 {
            fail(&throttle, &TWO, peer(&format!("198.51.100.{last}")), 0);
            assert!(throttle.counters.lock().len() <= 8);
        }
        assert_eq!(fail(&throttle, &ONE, peer("192.0.2.1"), 0), 1);
    }

    #[test]
    fn a_hundred_guesses_while_waiting_end_the_trust_in_what_is_remembered() {
        let throttle = throttle(10);
        assert!(throttle.trusts(|| ONE, None, at(0)));
        for _ in 0..3 {
            fail(&throttle, &ONE, None, 0);
        }
        let refused = |guess: u32| {
            let mut digest = [0; 32];
            digest[..4].copy_from_slice(&(guess + 1).to_le_bytes());
            assert!(throttle.begin(&ONE, &digest, None, at(0)).is_err());
        };
        // An old device that knows nothing better is no guesser.
        (0..1000).for_each(|_| refused(0));
        (1..99).for_each(refused);
        assert!(throttle.trusts(|| ONE, None, at(0)));
        refused(99);
        assert!(!throttle.trusts(|| ONE, None, at(0)));
        assert!(throttle.trusts(|| ONE, peer("192.0.2.1"), at(0)), "at another address");
        assert!(throttle.trusts(|| TWO, None, at(0)), "another account");
        assert!(!throttle.trusts(|| ONE, None, at(59_999)));
        assert!(throttle.trusts(|| ONE, None, at(60_000)));
    }
}
