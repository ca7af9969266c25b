//! Settings of webdav.

use ocis_core::config::Address;
use ocis_core::settings;

settings! {
    /// Search and previews over WebDAV. Comes in a later version.
    pub struct Webdav("webdav", key "webdav", prefix "WEBDAV", debug "127.0.0.1:9119") {
        /// Where HTTP requests are answered when the service runs on its own.
        http_addr: Address = "127.0.0.1:9115", "http.addr", ["WEBDAV_HTTP_ADDR"];
    }
}
