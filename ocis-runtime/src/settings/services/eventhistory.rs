//! Settings of eventhistory.

use ocis_core::settings;

settings! {
    /// Keeps events so that others can look them up. Comes in a later version.
    pub struct Eventhistory("eventhistory", key "eventhistory", prefix "EVENTHISTORY", debug "127.0.0.1:9270") {

    }
}
