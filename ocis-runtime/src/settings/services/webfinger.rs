//! Settings of webfinger.

use ocis_core::settings;

settings! {
    /// Tells clients which server is theirs. Comes in a later version.
    pub struct Webfinger("webfinger", key "webfinger", prefix "WEBFINGER", debug "127.0.0.1:9279") {
    }
}
