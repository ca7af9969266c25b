//! Settings of thumbnails.

use ocis_core::config::{Address, Secret};
use ocis_core::settings;

settings! {
    /// Makes previews. Comes in a later version.
    pub struct Thumbnails("thumbnails", key "thumbnails", prefix "THUMBNAILS", debug "127.0.0.1:9189") {
        /// Where HTTP requests are answered when the service runs on its own.
        http_addr: Address = "127.0.0.1:9186", "http.addr", ["THUMBNAILS_HTTP_ADDR"];
        /// Signs the URLs of previews.
        transfer_secret: Secret = "", "thumbnail.transfer_secret", ["THUMBNAILS_TRANSFER_TOKEN"];
    }
}
