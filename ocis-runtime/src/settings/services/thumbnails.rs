//! Settings of thumbnails.

use ocis_core::settings;

settings! {
    /// Makes previews. Comes in a later version.
    pub struct Thumbnails("thumbnails", key "thumbnails", prefix "THUMBNAILS", debug "127.0.0.1:9189") {
    }
}
