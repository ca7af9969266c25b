//! Settings of storage-users.

use std::path::PathBuf;
use std::time::Duration;

use ocis_core::config::{ByteSize, Seconds, Secret};
use ocis_core::settings;

use crate::settings::driver::Driver;

settings! {
    /// Stores the files of users: spaces, nodes, uploads.
    pub struct StorageUsers("storage-users", key "storage_users", prefix "STORAGE_USERS", debug "127.0.0.1:9159") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "STORAGE_USERS_JWT_SECRET"], required;
        /// How files are stored: `ocis` keeps contents and metadata in a directory; `s3ng` keeps metadata in a directory and contents in a bucket of S3.
        driver: Driver = "ocis", "driver", ["STORAGE_USERS_DRIVER"];
        /// Directory of contents and metadata with the driver `ocis`.
        ocis_root: PathBuf = "$OCIS_BASE_DATA_PATH/storage/users",
            "drivers.ocis.root", ["STORAGE_USERS_OCIS_ROOT"];
        /// Directory of the metadata with the driver `s3ng`.
        s3ng_root: PathBuf = "$OCIS_BASE_DATA_PATH/storage/users",
            "drivers.s3ng.root", ["STORAGE_USERS_S3NG_ROOT"];
        /// Region of the bucket, a part of every signature.
        s3ng_region: String = "default", "drivers.s3ng.region", ["STORAGE_USERS_S3NG_REGION"];
        /// Access key for the bucket; needed with the driver `s3ng`.
        s3ng_access_key: String = "", "drivers.s3ng.access_key", ["STORAGE_USERS_S3NG_ACCESS_KEY"];
        /// Secret key for the bucket; needed with the driver `s3ng`.
        s3ng_secret_key: Secret = "", "drivers.s3ng.secret_key", ["STORAGE_USERS_S3NG_SECRET_KEY"];
        /// URL of the S3 server, such as `https://s3.example.org`; needed with the driver `s3ng`.
        s3ng_endpoint: String = "", "drivers.s3ng.endpoint", ["STORAGE_USERS_S3NG_ENDPOINT"];
        /// The bucket, which must exist; needed with the driver `s3ng`.
        s3ng_bucket: String = "", "drivers.s3ng.bucket", ["STORAGE_USERS_S3NG_BUCKET"];
        /// Whether contents are left out of the signatures.
        s3ng_put_object_disable_content_sha256: bool = "false",
            "drivers.s3ng.put_object_disable_content_sha254", ["STORAGE_USERS_S3NG_PUT_OBJECT_DISABLE_CONTENT_SHA256"];
        /// Whether contents of up to 64 MiB (or one part, if that is longer) are sent in one request. Longer ones are always sent in parts.
        s3ng_put_object_disable_multipart: bool = "true",
            "drivers.s3ng.put_object_disable_multipart", ["STORAGE_USERS_S3NG_PUT_OBJECT_DISABLE_MULTIPART"];
        /// Whether the MD5 of what is sent goes with it.
        s3ng_put_object_send_content_md5: bool = "true",
            "drivers.s3ng.put_object_send_content_md5", ["STORAGE_USERS_S3NG_PUT_OBJECT_SEND_CONTENT_MD5"];
        /// Whether parts of one content are sent at the same time.
        s3ng_put_object_concurrent_stream_parts: bool = "true",
            "drivers.s3ng.put_object_concurrent_stream_parts", ["STORAGE_USERS_S3NG_PUT_OBJECT_CONCURRENT_STREAM_PARTS"];
        /// How many parts of one content are sent at the same time.
        s3ng_put_object_num_threads: usize = "4",
            "drivers.s3ng.put_object_num_threads", ["STORAGE_USERS_S3NG_PUT_OBJECT_NUM_THREADS"];
        /// Length of a part in bytes, at least 5 MiB; 0 for 16 MiB.
        s3ng_put_object_part_size: u64 = "0",
            "drivers.s3ng.put_object_part_size", ["STORAGE_USERS_S3NG_PUT_OBJECT_PART_SIZE"];
        /// Id of this storage, the first part of every file id.
        mount_id: String = "", "mount_id", ["STORAGE_USERS_MOUNT_ID"], required;
        /// Largest quota that a space can have, in bytes; 0 for no limit.
        max_quota: ByteSize = "0",
            "drivers.ocis.max_quota", ["OCIS_SPACES_MAX_QUOTA", "STORAGE_USERS_OCIS_MAX_QUOTA"];
        /// Whether overwriting a file leaves no version of it.
        disable_versioning: bool = "false",
            "drivers.ocis.disable_versioning", ["OCIS_DISABLE_VERSIONING"];
        /// Whether to wait while another process owns the storage and to take over when it ends, instead of refusing to start.
        standby: bool = "false", "standby", ["STORAGE_USERS_STANDBY"];
        /// Where events go: in this version to the service `nats` of the same process, whatever address stands here; they wait while it does not run. `none`: no events are made.
        events_endpoint: String = "127.0.0.1:9233",
            "events.endpoint", ["OCIS_EVENTS_ENDPOINT", "STORAGE_USERS_EVENTS_ENDPOINT"];
        /// Bytes of events that wait at most while the event bus takes none; later ones are dropped.
        events_max_waiting: ByteSize = "268435456",
            "events.max_waiting", ["STORAGE_USERS_EVENTS_MAX_WAITING"];
        /// How long an unfinished upload is kept, in seconds.
        upload_expiration: Seconds = "86400",
            "upload_expiration", ["STORAGE_USERS_UPLOAD_EXPIRATION"];
        /// How long a ticket to fetch or send contents is good, in seconds.
        transfer_expires: Seconds = "86400", "transfer_expires", ["STORAGE_USERS_TRANSFER_EXPIRES"];
        /// How long `ocis storage-users trash-bin purge-expired` leaves what was deleted in personal spaces; 0 for ever.
        purge_personal_delete_before: Duration = "720h0m0s",
            "tasks.purge_trash_bin.personal_delete_before", ["STORAGE_USERS_PURGE_TRASH_BIN_PERSONAL_DELETE_BEFORE"];
        /// The same for project spaces.
        purge_project_delete_before: Duration = "720h0m0s",
            "tasks.purge_trash_bin.project_delete_before", ["STORAGE_USERS_PURGE_TRASH_BIN_PROJECT_DELETE_BEFORE"];
        /// Account under which the service acts on its own.
        service_account_id: String = "",
            "service_account.service_account_id", ["OCIS_SERVICE_ACCOUNT_ID", "STORAGE_USERS_SERVICE_ACCOUNT_ID"], required;
        /// Secret of that account.
        service_account_secret: Secret = "",
            "service_account.service_account_secret", ["OCIS_SERVICE_ACCOUNT_SECRET", "STORAGE_USERS_SERVICE_ACCOUNT_SECRET"], required;
    }
}

impl StorageUsers {
    /// Whether changes tell of themselves to the event bus.
    pub fn makes_events(&self) -> bool {
        !self.events_endpoint.is_empty() && self.events_endpoint != "none"
    }
}
