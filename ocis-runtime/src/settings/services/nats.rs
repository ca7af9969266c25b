//! Settings of nats.

use ocis_core::settings;

settings! {
    /// Carries events between services. Comes in a later version.
    pub struct Nats("nats", key "nats", prefix "NATS", debug "127.0.0.1:9234") {

    }
}
