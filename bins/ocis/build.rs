//! Notes when the binary is made, for `ocis version`: `SOURCE_DATE_EPOCH` where a build is to be
//! reproducible, otherwise now.

use std::time::{SystemTime, UNIX_EPOCH};

#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a build script is no server")]
fn main() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    println!("cargo:rustc-env=OCIS_COMPILED={}", given.unwrap_or(now));
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo:rerun-if-changed=src");
}
