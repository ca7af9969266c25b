//! What an answer of the bucket means to the storage.

use object_store::Error as Failure;
use ocis_core::Error;

use super::Bucket;

const REFUSES: &str = "refuses the credentials of this server";

impl Bucket {
    /// The error of a request that names an object: it may not be there.
    pub(super) fn failed(&self, error: Failure) -> Error {
        match &error {
            Failure::NotFound { source, .. } if !source.to_string().contains("NoSuchBucket") => {
                Error::not_found("the content is not there").because(error)
            }
            _ => self.broken(error),
        }
    }

    /// The error of a request that finds nothing missing when all is well.
    pub(super) fn broken(&self, error: Failure) -> Error {
        let text = error.to_string();
        let said = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let reason = match &error {
            Failure::NotFound { .. } => "does not exist",
            Failure::PermissionDenied { .. } | Failure::Unauthenticated { .. } => REFUSES,
            // A list and a request for many objects bring their answers as text only.
            _ if said(&["NoSuchBucket"]) => "does not exist",
            _ if said(&["403 Forbidden", "401 Unauthorized"]) => REFUSES,
            _ if said(&["StorageFull", "QuotaExceeded", "507 Insufficient"]) => {
                return Error::full(format!("{} is full", self.name)).because(error);
            }
            _ => "does not answer as it should",
        };
        Error::unavailable(format!("{} {reason}", self.name)).because(error)
    }
}
