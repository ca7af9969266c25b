//! Metrics in Prometheus's text form, for the debug addresses.
//!
//! Every crate counts through the `metrics` facade; the recorder behind it is installed once a
//! process. Without one, counting costs nothing.
//!
//! | metric | labels |
//! |---|---|
//! | `ocis_http_requests_total` | `service`, `method`, `status` |
//! | `ocis_http_request_duration_seconds` (until the head of the answer) | `service`, `method`, `status` |
//! | `process_start_time_seconds` | |
//! | `ocis_build_info` | `version` |

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::metrics::{Counter, Histogram};
use http::{Method, StatusCode};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};
use parking_lot::RwLock;

static METRICS: OnceLock<Metrics> = OnceLock::new();

const DURATION: &str = "ocis_http_request_duration_seconds";

/// Upper bounds in seconds of the durations' buckets.
const BUCKETS: [f64; 12] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// After so many requests the recorder folds its samples into buckets, so that its memory does not
/// grow while nobody reads the metrics.
const FOLD_AFTER: u64 = 8192;

/// The metrics of this process.
pub struct Metrics {
    handle: PrometheusHandle,
    requests: RwLock<HashMap<RequestKey, RequestMeters>>,
    seen: AtomicU64,
}

type RequestKey = (&'static str, &'static str, u16);

#[derive(Clone)]
struct RequestMeters {
    count: Counter,
    duration: Histogram,
}

/// Installs the recorder of this process, or gives the one that is installed already. `now` is told
/// as the start of the process. [`ocis_core::ErrorKind::Internal`] when the program that embeds
/// this one has installed a recorder of its own.
pub fn install(version: &'static str, now: Timestamp) -> Result<&'static Metrics> {
    if let Some(installed) = METRICS.get() {
        return Ok(installed);
    }
    let failed = |what: String| Error::internal(format!("metrics cannot be set up: {what}"));
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &BUCKETS)
        .map_err(|error| failed(error.to_string()))?
        .build_recorder();
    let handle = recorder.handle();
    if let Err(error) = ::metrics::set_global_recorder(recorder) {
        // Two starts at the same time: the other one was first.
        return METRICS.get().ok_or_else(|| failed(error.to_string()));
    }
    ::metrics::gauge!("process_start_time_seconds").set(seconds(now));
    ::metrics::gauge!("ocis_build_info", "version" => version).set(1.0);
    Ok(METRICS.get_or_init(|| Metrics {
        handle,
        requests: RwLock::default(),
        seen: AtomicU64::new(0),
    }))
}

/// Everything that was counted, in Prometheus's text form; empty when nothing is installed.
pub fn render() -> String {
    METRICS.get().map(Metrics::render).unwrap_or_default()
}

/// Counts a request that was answered.
pub(crate) fn http_request(
    service: &'static str,
    method: &Method,
    status: StatusCode,
    took: Duration,
) {
    if let Some(metrics) = METRICS.get() {
        metrics.http_request((service, known(method), status.as_u16()), took);
    }
}

impl Metrics {
    /// Everything that was counted, in Prometheus's text form.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    fn http_request(&self, key: RequestKey, took: Duration) {
        let known = self.requests.read().get(&key).cloned();
        let meters = known.unwrap_or_else(|| {
            self.requests.write().entry(key).or_insert_with(|| RequestMeters::new(key)).clone()
        });
        meters.count.increment(1);
        meters.duration.record(took.as_secs_f64());
        if self.seen.fetch_add(1, Ordering::Relaxed) % FOLD_AFTER == FOLD_AFTER - 1 {
            self.handle.run_upkeep();
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl RequestMeters {
    fn new((service, method, status): RequestKey) -> Self {
        let status = status.to_string();
        let labels =
            [("service", service.to_owned()), ("method", method.to_owned()), ("status", status)];
        Self {
            count: ::metrics::counter!("ocis_http_requests_total", &labels),
            duration: ::metrics::histogram!(DURATION, &labels),
        }
    }
}

/// The method as a label. Methods that nobody knows share one: a stranger may not make up labels.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 17] = [
        "GET",
        "HEAD",
        "PUT",
        "POST",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
        "REPORT",
        "SEARCH",
        "TRACE",
    ];
    KNOWN.into_iter().find(|name| method == *name).unwrap_or("other")
}

#[allow(clippy::cast_precision_loss, reason = "seconds since 1970 fit into a float's 53 bits")]
fn seconds(time: Timestamp) -> f64 {
    time.unix_seconds() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_service_method_and_status() {
        let now = Timestamp::from_unix(1_700_000_000, 0).unwrap();
        let metrics = install("1.2.3", now).unwrap();
        assert!(std::ptr::eq(metrics, install("1.2.3", now).unwrap()));
        let made_up = Method::from_bytes(b"MADEUP").unwrap();
        http_request("metrics-test", &Method::GET, StatusCode::OK, Duration::from_millis(2));
        http_request("metrics-test", &made_up, StatusCode::NOT_FOUND, Duration::ZERO);
        let text = render();
        let has = |line: &str| assert!(text.contains(line), "{line} in\n{text}");
        has("process_start_time_seconds 1700000000");
        has("ocis_build_info{version=\"1.2.3\"} 1");
        has("ocis_http_requests_total{service=\"metrics-test\",method=\"GET\",status=\"200\"} 1");
        has("ocis_http_requests_total{service=\"metrics-test\",method=\"other\",status=\"404\"} 1");
        has("le=\"0.0025\"} 1");
    }
}
