//! How a storage service keeps what it stores.

use ocis_core::config::Value;

/// A storage driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Driver {
    /// Contents and metadata in a directory, in oCIS's own layout.
    #[default]
    Ocis,
}

impl Value for Driver {
    const KIND: &'static str = "driver";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "ocis" => Ok(Self::Ocis),
            "s3ng" => Err(", which this version cannot do yet; right would be ocis".to_owned()),
            "posix" | "owncloudsql" | "s3" | "eos" | "local" => {
                Err(", a driver of oCIS that this server does not have; right would be ocis"
                    .to_owned())
            }
            _ => Err("; right would be ocis".to_owned()),
        }
    }
}
