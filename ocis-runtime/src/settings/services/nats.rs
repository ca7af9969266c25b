//! Settings of nats.

use std::path::PathBuf;
use std::time::Duration;

use ocis_core::config::ByteSize;
use ocis_core::settings;

settings! {
    /// Carries events between services, in a durable log that only one process can own.
    pub struct Nats("nats", key "nats", prefix "NATS", debug "127.0.0.1:9234") {
        /// Directory of the event log, which lies in `ocis-rs` in it; what oCIS left there stays untouched.
        store_dir: PathBuf = "$OCIS_BASE_DATA_PATH/nats", "nats.store_dir", ["NATS_NATS_STORE_DIR"];
        /// How long events are kept, whether they were taken or not.
        max_age: Duration = "168h", "nats.max_age", ["NATS_MAX_AGE"];
        /// Bytes of events that are kept at most; the oldest go first.
        max_bytes: ByteSize = "1073741824", "nats.max_bytes", ["NATS_MAX_BYTES"];
        /// Number of events that are kept at most; the oldest go first.
        max_events: u64 = "10000000", "nats.max_events", ["NATS_MAX_EVENTS"];
    }
}
