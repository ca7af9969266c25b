//! Settings of storage-users.

use std::path::PathBuf;

use ocis_core::config::{ByteSize, Seconds, Secret};
use ocis_core::settings;

use crate::settings::driver::Driver;

settings! {
    /// Stores the files of users: spaces, nodes, uploads.
    pub struct StorageUsers("storage-users", key "storage_users", prefix "STORAGE_USERS", debug "127.0.0.1:9159") {
        /// Signs the tokens that carry the caller inside the server.
        jwt_secret: Secret = "",
            "token_manager.jwt_secret", ["OCIS_JWT_SECRET", "STORAGE_USERS_JWT_SECRET"], required;
        /// How files are stored: `ocis` keeps contents and metadata in a directory; `s3ng` comes in a later version.
        driver: Driver = "ocis", "driver", ["STORAGE_USERS_DRIVER"];
        /// Directory of contents and metadata with the driver `ocis`.
        ocis_root: PathBuf = "$OCIS_BASE_DATA_PATH/storage/users",
            "drivers.ocis.root", ["STORAGE_USERS_OCIS_ROOT"];
        /// Directory of the metadata with the driver `s3ng`.
        s3ng_root: PathBuf = "$OCIS_BASE_DATA_PATH/storage/users",
            "drivers.s3ng.root", ["STORAGE_USERS_S3NG_ROOT"];
        /// Id of this storage, the first part of every file id.
        mount_id: String = "", "mount_id", ["STORAGE_USERS_MOUNT_ID"], required;
        /// Largest quota that a space can have, in bytes; 0 for no limit.
        max_quota: ByteSize = "0",
            "drivers.ocis.max_quota", ["OCIS_SPACES_MAX_QUOTA", "STORAGE_USERS_OCIS_MAX_QUOTA"];
        /// Whether overwriting a file leaves no version of it.
        disable_versioning: bool = "false",
            "drivers.ocis.disable_versioning", ["OCIS_DISABLE_VERSIONING"];
        /// How long an unfinished upload is kept, in seconds.
        upload_expiration: Seconds = "86400",
            "upload_expiration", ["STORAGE_USERS_UPLOAD_EXPIRATION"];
        /// How long a ticket to fetch or send contents is good, in seconds.
        transfer_expires: Seconds = "86400", "transfer_expires", ["STORAGE_USERS_TRANSFER_EXPIRES"];
        /// Account under which the service acts on its own.
        service_account_id: String = "",
            "service_account.service_account_id", ["OCIS_SERVICE_ACCOUNT_ID", "STORAGE_USERS_SERVICE_ACCOUNT_ID"], required;
        /// Secret of that account.
        service_account_secret: Secret = "",
            "service_account.service_account_secret", ["OCIS_SERVICE_ACCOUNT_SECRET", "STORAGE_USERS_SERVICE_ACCOUNT_SECRET"], required;
    }
}
