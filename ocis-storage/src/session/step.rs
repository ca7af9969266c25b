//! What is done with a content between its last byte and the moment when it can be read.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use ocis_core::time::Timestamp;
use ocis_core::upload::{Scan, UploadSession};
use ocis_core::{Cx, Error, Result};

pub use ocis_core::event::Outcome;

use super::blocking;
use crate::blob::Content;
use crate::fs::File;
use crate::journal::broken;

/// A content is read in pieces of this length.
const PIECE: usize = 256 * 1024;

/// One step of processing. It may run again for the same content: after a crash, and by hand.
#[async_trait]
pub trait Step: fmt::Debug + Send + Sync + 'static {
    /// The name, as it stands in `POSTPROCESSING_STEPS` and in the list of sessions.
    fn name(&self) -> &str;

    /// Looks at a content and says what becomes of it. The time is that of the call. An error means
    /// that the step could not be done: it is tried again like [`Outcome::Retry`].
    async fn run(&self, cx: &Cx, content: &Incoming) -> Result<Done>;
}

/// What a step says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What becomes of the content.
    pub outcome: Outcome,
    /// With [`Outcome::Retry`]: when the step knows how long to wait. Such waiting is no failure
    /// and has no bound.
    pub after: Option<Duration>,
    /// The result of a virus scan.
    pub scan: Option<Scan>,
}

impl From<Outcome> for Done {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, after: None, scan: None }
    }
}

/// A content that is being processed.
#[derive(Debug)]
pub struct Incoming {
    /// The upload.
    pub session: UploadSession,
    /// The length of the content in bytes.
    pub size: u64,
    /// When it was whole.
    pub since: Timestamp,
    pub(super) file: Arc<dyn File>,
}

impl Incoming {
    /// The bytes, read as fast as they are taken.
    pub fn read(&self) -> Content {
        let state = (Arc::clone(&self.file), 0, self.size);
        futures::stream::try_unfold(state, |(file, offset, size)| async move {
            if offset == size {
                return Ok(None);
            }
            blocking(move || {
                let mut piece = vec![0; PIECE.min(usize::try_from(size - offset).unwrap_or(PIECE))];
                let count = file.read_at(&mut piece, offset).map_err(broken)?;
                if count == 0 {
                    return Err(Error::internal("an upload lost bytes"));
                }
                piece.truncate(count);
                Ok(Some((piece.into(), (file, offset + count as u64, size))))
            })
            .await
        })
        .boxed()
    }
}

/// The steps through which contents go, in this order, and how often a failed one is tried again.
#[derive(Debug, Clone)]
pub struct Processing {
    /// The steps; with none, a content can be read as soon as its last byte was answered.
    pub steps: Vec<Arc<dyn Step>>,
    /// How long to wait after the first failure; twice as long after each further one
    /// (`POSTPROCESSING_RETRY_BACKOFF_DURATION`).
    pub backoff: Duration,
    /// How often to try again before the upload is aborted (`POSTPROCESSING_MAX_RETRIES`).
    pub retries: u32,
}

impl Default for Processing {
    /// No steps; five seconds and 14 times, as in oCIS.
    fn default() -> Self {
        Self { steps: Vec::new(), backoff: Duration::from_secs(5), retries: 14 }
    }
}

impl Processing {
    /// The name of the first step; empty when there is none.
    pub(super) fn first(&self) -> String {
        self.steps.first().map(|step| step.name().to_owned()).unwrap_or_default()
    }

    /// The step to be done when a session says that it is in `name`; the first one when there is no
    /// such step any more.
    pub(super) fn step(&self, name: &str) -> Option<&Arc<dyn Step>> {
        self.steps.iter().find(|step| step.name() == name).or_else(|| self.steps.first())
    }

    /// The name of the step after this one.
    pub(super) fn after(&self, step: &dyn Step) -> Option<String> {
        let mut rest = self.steps.iter().skip_while(|other| other.name() != step.name()).skip(1);
        rest.next().map(|next| next.name().to_owned())
    }

    /// How long to wait after so many failures.
    pub(super) fn pause(&self, failures: u32) -> Duration {
        self.backoff
            .saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX))
    }
}

/// Lets every content wait for a time (`POSTPROCESSING_DELAY`).
#[derive(Debug, Clone)]
pub struct Delay(pub Duration);

#[async_trait]
impl Step for Delay {
    fn name(&self) -> &str {
        "delay"
    }

    async fn run(&self, cx: &Cx, content: &Incoming) -> Result<Done> {
        let end = content.since.plus(self.0);
        let left = (end.date_time() - cx.now.date_time()).to_std().unwrap_or_default();
        if left.is_zero() {
            return Ok(Outcome::Continue.into());
        }
        Ok(Done { after: Some(left), ..Outcome::Retry.into() })
    }
}
