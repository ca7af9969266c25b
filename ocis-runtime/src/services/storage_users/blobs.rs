//! Where a storage keeps its files and contents, as its driver says.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ocis_core::{Error, Result};
use ocis_storage::blob::{BlobStore, ObjectBlobs, Patience, PosixBlobs, S3Settings};
use ocis_storage::fs::Fs;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::settings::StorageUsers;
use crate::settings::driver::Driver;

/// How long a start waits for a bucket.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a storage keeps its files and contents.
#[derive(Debug)]
pub(crate) struct Place {
    /// The directory of the metadata.
    pub(crate) root: PathBuf,
    /// The bucket of the contents; none when they lie in the directory as well.
    bucket: Option<S3Settings>,
}

impl Place {
    /// The place that these settings say. `InvalidArgument` when they do not say it all.
    pub(crate) fn of(config: &StorageUsers) -> Result<Self> {
        if config.driver == Driver::Ocis {
            return Ok(Self { root: config.ocis_root.clone(), bucket: None });
        }
        let missing: Vec<_> = [
            ("ENDPOINT", config.s3ng_endpoint.is_empty()),
            ("BUCKET", config.s3ng_bucket.is_empty()),
            ("ACCESS_KEY", config.s3ng_access_key.is_empty()),
            ("SECRET_KEY", config.s3ng_secret_key.is_empty()),
        ]
        .into_iter()
        .filter(|(_, is_missing)| *is_missing)
        .map(|(name, _)| format!("STORAGE_USERS_S3NG_{name}"))
        .collect();
        if !missing.is_empty() {
            return Err(Error::invalid(format!(
                "missing: {}, needed with STORAGE_USERS_DRIVER=s3ng",
                missing.join(", ")
            )));
        }
        let threads = config.s3ng_put_object_num_threads;
        let bucket = S3Settings {
            endpoint: config.s3ng_endpoint.clone(),
            region: config.s3ng_region.clone(),
            bucket: config.s3ng_bucket.clone(),
            access_key: config.s3ng_access_key.clone(),
            secret_key: config.s3ng_secret_key.clone(),
            path_style: true,
            multipart: !config.s3ng_put_object_disable_multipart,
            part_size: config.s3ng_put_object_part_size,
            at_once: if config.s3ng_put_object_concurrent_stream_parts { threads } else { 1 },
            send_md5: config.s3ng_put_object_send_content_md5,
            unsigned_content: config.s3ng_put_object_disable_content_sha256,
            patience: Patience::default(),
        };
        Ok(Self { root: config.s3ng_root.clone(), bucket: Some(bucket) })
    }

    /// The contents of the storage. A bucket that is away is a line in the log and no failure:
    /// names, metadata and shares do not need it, and it may come back.
    pub(crate) async fn open(self, fs: &Arc<dyn Fs>) -> Result<Arc<dyn BlobStore>> {
        let Some(bucket) = self.bucket else {
            return Ok(Arc::new(PosixBlobs::new(Arc::clone(fs), self.root)));
        };
        let place = (Arc::clone(fs), &*self.root);
        let blobs = ObjectBlobs::s3(&bucket, place, Handle::current())?;
        let late = |_| Err(Error::unavailable("there is no answer in time"));
        match timeout(PATIENCE, blobs.probe()).await.unwrap_or_else(late) {
            Ok(()) => tracing::info!(bucket.endpoint, bucket.bucket, "contents are in a bucket"),
            Err(error) => tracing::error!(
                bucket.endpoint,
                bucket.bucket,
                ?error,
                "contents cannot be read or written until the bucket answers as it should"
            ),
        }
        Ok(Arc::new(blobs))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ocis_core::config::{Layers, Section as _};

    use super::*;

    fn settings(set: &BTreeMap<&str, &str>) -> StorageUsers {
        let mut source = crate::settings::tests::initialised();
        for (name, value) in set {
            source = source.var(name, value);
        }
        let layers = Layers::read(&source, &crate::settings::Global::TABLE, &["storage-users"]);
        StorageUsers::load(&layers).unwrap()
    }

    #[test]
    fn a_bucket_needs_four_settings_which_are_named() {
        let mut set = BTreeMap::from([("STORAGE_USERS_DRIVER", "s3ng")]);
        let needed = ["ENDPOINT", "BUCKET", "ACCESS_KEY", "SECRET_KEY"];
        let names = needed.map(|name| format!("STORAGE_USERS_S3NG_{name}"));
        for number in 0..names.len() {
            let error = Place::of(&settings(&set)).unwrap_err().to_string();
            for (other, name) in names.iter().enumerate() {
                assert_eq!(error.contains(name), other >= number, "{name}: {error}");
            }
            set.insert(&names[number], "http://s3.example.org");
        }
        set.insert("STORAGE_USERS_S3NG_ROOT", "/metadata");
        set.insert("STORAGE_USERS_S3NG_PUT_OBJECT_NUM_THREADS", "7");
        let place = Place::of(&settings(&set)).unwrap();
        let bucket = place.bucket.unwrap();
        assert_eq!(place.root, PathBuf::from("/metadata"));
        assert_eq!(
            (bucket.region.as_str(), bucket.at_once, bucket.multipart),
            ("default", 7, false)
        );
        assert!(bucket.send_md5 && !bucket.unsigned_content && bucket.part_size == 0);
    }

    #[test]
    fn without_a_word_contents_lie_beside_the_metadata() {
        let place = Place::of(&settings(&BTreeMap::new())).unwrap();
        assert!(place.bucket.is_none() && place.root.ends_with("storage/users"));
    }
}
