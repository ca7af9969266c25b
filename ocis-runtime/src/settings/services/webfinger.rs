//! Settings of webfinger.

use ocis_core::config::Address;
use ocis_core::settings;

settings! {
    /// Tells clients which server is theirs. Comes in a later version.
    pub struct Webfinger("webfinger", key "webfinger", prefix "WEBFINGER", debug "127.0.0.1:9279") {
        /// Where HTTP requests are answered when the service runs on its own.
        http_addr: Address = "127.0.0.1:9275", "http.addr", ["WEBFINGER_HTTP_ADDR"];
    }
}
