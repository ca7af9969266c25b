//! Settings of webdav.

use ocis_core::settings;

settings! {
    /// Search and previews over WebDAV. Comes in a later version.
    pub struct Webdav("webdav", key "webdav", prefix "WEBDAV", debug "127.0.0.1:9119") {
    }
}
