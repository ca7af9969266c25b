//! A content that is still on its way into its staged file, for a store that sends what is there
//! while the rest arrives.

use ocis_core::{Error, Result};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    bytes: u64,
    is_wanted: bool,
}

/// Who receives a content tells here how far it is. Dropped before [`Self::wanted`], it gives the
/// content up.
#[derive(Debug)]
pub(crate) struct Arrivals(watch::Sender<Seen>);

/// How far a content has come. Clones look at the same one.
#[derive(Debug, Clone)]
pub struct Arriving {
    length: u64,
    seen: watch::Receiver<Seen>,
}

/// A content that will have `length` bytes.
pub(crate) fn arriving(length: u64) -> (Arrivals, Arriving) {
    let (sender, seen) = watch::channel(Seen::default());
    (Arrivals(sender), Arriving { length, seen })
}

impl Arrivals {
    /// So many bytes are in the staged file.
    pub(crate) fn have(&self, bytes: u64) {
        self.0.send_modify(|seen| seen.bytes = bytes);
    }

    /// All bytes are there, and are what was announced.
    pub(crate) fn wanted(self) {
        self.0.send_modify(|seen| seen.is_wanted = true);
    }
}

impl Arriving {
    /// The bytes of the whole content; none more and none less become wanted.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Waits until so many bytes, one at least, can be read from the staged file; `Unavailable` when
    /// the content was given up.
    pub async fn bytes(&self, upto: u64) -> Result<()> {
        self.until(|seen| seen.is_wanted || seen.bytes >= upto).await
    }

    /// Waits until the content is whole and wanted: nothing may show it before. `Unavailable` when it
    /// was given up.
    pub async fn wanted(&self) -> Result<()> {
        self.until(|seen| seen.is_wanted).await
    }

    async fn until(&self, enough: impl FnMut(&Seen) -> bool) -> Result<()> {
        let seen = self.seen.clone().wait_for(enough).await.map(drop);
        seen.map_err(|_| Error::unavailable("the content was given up before it was whole"))
    }
}
