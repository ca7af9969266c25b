//! How a storage service keeps what it stores.

use ocis_core::config::Value;

/// A storage driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Driver {
    /// Contents and metadata in a directory, in oCIS's own layout.
    #[default]
    Ocis,
    /// Contents in a bucket of S3, metadata in a directory.
    S3ng,
}

impl Value for Driver {
    const KIND: &'static str = "driver";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "ocis" => Ok(Self::Ocis),
            "s3ng" => Ok(Self::S3ng),
            "posix" | "owncloudsql" | "s3" | "eos" | "local" => Err(
                ", a driver of oCIS that this server does not have; right would be ocis or s3ng"
                    .to_owned(),
            ),
            _ => Err("; right would be ocis or s3ng".to_owned()),
        }
    }
}
