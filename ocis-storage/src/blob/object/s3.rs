//! How to reach an S3 bucket.

use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use ocis_core::config::Secret;
use ocis_core::{Error, Result};

use super::Cut;
use super::client::Connector;

/// The length of a part unless the settings say another one.
const PART: u64 = 16 * 1024 * 1024;
/// S3 takes no shorter parts.
const SHORTEST_PART: u64 = 5 * 1024 * 1024;
/// Without parts, a content up to this length goes in one request. It is held in memory and sent
/// again when the bucket did not take it, so there is a limit.
const WHOLE: u64 = 64 * 1024 * 1024;
/// No part is longer (S3).
const LONGEST_PART: u64 = 5 << 30;
/// The longest content that S3 copies in one request.
const COPY: u64 = 5 << 30;

/// How to reach an S3 bucket, and how contents go into it.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// The URL of the server, such as `https://s3.example.org`.
    pub endpoint: String,
    /// The region, which is part of every signature.
    pub region: String,
    /// The bucket. It is not made.
    pub bucket: String,
    /// Who signs.
    pub access_key: String,
    /// What it is signed with.
    pub secret_key: Secret,
    /// Whether the bucket stands in the path of a URL, and not in its host name.
    pub path_style: bool,
    /// Whether contents that fit into one request are sent in parts as soon as they are longer than
    /// one. Without it, those of up to 64 MiB go in one request; longer ones have parts anyway.
    pub multipart: bool,
    /// The length of a part in bytes, 5 MiB to 5 GiB; 0 means 16 MiB.
    pub part_size: u64,
    /// Parts of one content that are under way at once.
    pub at_once: usize,
    /// Whether each request carries the MD5 of what it brings.
    pub send_md5: bool,
    /// Whether the content is left out of the signature, as is usual over TLS.
    pub unsigned_content: bool,
    /// How long to wait.
    pub patience: Patience,
}

/// How long a bucket is waited for. Everything has an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For an answer, and for each further piece of it. More is given to what takes longer: a
    /// second for each 128 KiB that are sent, and five minutes for what the bucket itself copies
    /// or puts together.
    pub answer: Duration,
    /// How often a request is tried again at most after an answer of 500 or above, or none.
    pub retries: usize,
    /// After how long no request is tried again.
    pub retry_for: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            retries: 3,
            retry_for: Duration::from_secs(20),
        }
    }
}

impl S3Settings {
    /// How contents are cut into requests.
    pub(super) fn cut(&self) -> Cut {
        let part = if self.part_size == 0 { PART } else { self.part_size };
        let part = part.clamp(SHORTEST_PART, LONGEST_PART);
        let whole = if self.multipart { part } else { WHOLE.max(part) };
        Cut { whole, part, at_once: self.at_once.max(1), copy: COPY }
    }

    /// A client of the bucket.
    pub(super) fn build(&self) -> Result<AmazonS3> {
        let unusable = |text: String| Error::invalid(format!("the S3 settings: {text}"));
        for (name, value) in [
            ("endpoint", &*self.endpoint),
            ("bucket", &*self.bucket),
            ("access key", &*self.access_key),
            ("secret key", self.secret_key.expose()),
        ] {
            if value.is_empty() {
                return Err(unusable(format!("the {name} is missing")));
            }
        }
        let is_url = ["http://", "https://"].iter().any(|scheme| self.endpoint.starts_with(scheme));
        if !is_url {
            return Err(unusable(format!(
                "the endpoint is {:?}, which does not start with http:// or https://",
                self.endpoint
            )));
        }
        let Patience { connect, answer, retries, retry_for } = self.patience;
        // Answers are waited for in the connector, where it is known what was asked.
        let client = ClientOptions::new()
            .with_allow_http(self.endpoint.starts_with("http://"))
            .with_default_content_type("application/octet-stream")
            .with_connect_timeout(connect)
            .with_timeout_disabled()
            .with_read_timeout_disabled();
        AmazonS3Builder::new()
            .with_endpoint(self.endpoint.trim_end_matches('/'))
            .with_region(&self.region)
            .with_bucket_name(&self.bucket)
            .with_access_key_id(&self.access_key)
            .with_secret_access_key(self.secret_key.expose())
            .with_virtual_hosted_style_request(!self.path_style)
            .with_unsigned_payload(self.unsigned_content)
            .with_client_options(client)
            .with_retry(RetryConfig {
                max_retries: retries,
                retry_timeout: retry_for,
                backoff: BackoffConfig::default(),
            })
            .with_http_connector(Connector { answer, send_md5: self.send_md5 })
            .build()
            .map_err(|error| unusable(error.to_string()).because(error))
    }
}
