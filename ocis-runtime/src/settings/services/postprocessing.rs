//! Settings of postprocessing.

use ocis_core::settings;

settings! {
    /// Drives what happens to a file after its upload. Comes in a later version.
    pub struct Postprocessing("postprocessing", key "postprocessing", prefix "POSTPROCESSING", debug "127.0.0.1:9255") {

    }
}
