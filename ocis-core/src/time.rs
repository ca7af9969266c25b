//! Points in time, and the only door to the clock.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A point in time in nanoseconds, UTC. Its text form is that of Go's `RFC3339Nano`: trailing
/// zeros of the fraction are cut, as oCIS writes it to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// `seconds` since 1970 (may be negative) plus `nanos` (below 1,000,000,000).
    /// [`crate::ErrorKind::InvalidArgument`] outside the years -262,000 to 262,000.
    pub fn from_unix(seconds: i64, nanos: u32) -> Result<Self> {
        DateTime::from_timestamp(seconds, nanos)
            .map(Self)
            .ok_or_else(|| Error::invalid("the time is out of range"))
    }

    /// Whole seconds since 1970, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// The nanoseconds after [`Self::unix_seconds`].
    pub fn subsec_nanos(self) -> u32 {
        self.0.timestamp_subsec_nanos()
    }

    /// This time without its fraction of a second.
    #[must_use]
    pub fn whole_seconds(self) -> Self {
        Self::from_unix(self.unix_seconds(), 0).unwrap_or(self)
    }

    /// This time plus `duration`, or the latest time there is.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        chrono::Duration::from_std(duration)
            .ok()
            .and_then(|duration| self.0.checked_add_signed(duration))
            .map_or(Self(DateTime::<Utc>::MAX_UTC), Self)
    }

    /// This time less `duration`, or the earliest time there is.
    #[must_use]
    pub fn minus(self, duration: std::time::Duration) -> Self {
        chrono::Duration::from_std(duration)
            .ok()
            .and_then(|duration| self.0.checked_sub_signed(duration))
            .map_or(Self(DateTime::<Utc>::MIN_UTC), Self)
    }

    /// The calendar view.
    pub fn date_time(self) -> DateTime<Utc> {
        self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_rfc3339_opts(SecondsFormat::Nanos, true);
        match text.strip_suffix('Z') {
            Some(bare) => write!(f, "{}Z", bare.trim_end_matches('0').trim_end_matches('.')),
            None => f.write_str(&text),
        }
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// Reads any RFC 3339 time.
    fn from_str(text: &str) -> Result<Self> {
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.to_utc()))
            .map_err(|error| Error::invalid("not an RFC 3339 time").because(error))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

/// Where the present time comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present time.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp(Utc::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_that_of_go() {
        for text in [
            "2022-02-24T12:35:18.196484592Z",
            "2022-02-24T12:35:18.19Z",
            "2022-02-24T12:35:20Z",
            "1969-12-31T23:59:59.5Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
    }
}
