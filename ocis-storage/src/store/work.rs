//! How changes and look-ups get at the memory: under which lock, on which thread, and what becomes of
//! files that are not in memory.

use std::time::Duration;

use ocis_core::{Cx, Result};

use super::Store;
use super::change::{Access, Change, Submitted};

/// How often what a look needs is read into the memory before it is looked for under the lock: a
/// deep path needs a node and a listing for each of its folders.
const ATTEMPTS: usize = 64;

/// How long a thread that must not block waits for the lock of the memory: a change that reads
/// nothing holds it for some ten microseconds.
const AT_ONCE: Duration = Duration::from_micros(500);

impl Store {
    pub(super) fn begin<T>(
        &self,
        cx: &Cx,
        work: impl FnOnce(&mut Change<'_>) -> Result<T>,
    ) -> Result<(T, Option<Submitted>)> {
        let mut state = self.memory.state.write();
        let change = Change::begin(self, Access::Exclusive(&mut state), cx);
        let worked = self.work_out(change, work);
        state.shrink();
        worked
    }

    /// As [`Self::begin`], on a thread that must not block; none, and nothing happened, when
    /// something would have to be read, or the lock is not to be had at once.
    pub(super) fn begin_warm<T>(
        &self,
        cx: &Cx,
        work: impl FnOnce(&mut Change<'_>) -> Result<T>,
    ) -> Option<Result<(T, Option<Submitted>)>> {
        let mut state = self.memory.state.try_write_for(AT_ONCE)?;
        let mut change = Change::begin(self, Access::Warm(&mut state), cx);
        let result = work(&mut change);
        if change.is_cold() {
            drop(change);
            return None;
        }
        let worked = self.work_out(change, |_| result);
        state.shrink();
        Some(worked)
    }

    fn work_out<T>(
        &self,
        mut change: Change<'_>,
        work: impl FnOnce(&mut Change<'_>) -> Result<T>,
    ) -> Result<(T, Option<Submitted>)> {
        let result = work(&mut change)?;
        Ok((result, change.submit(&self.journal)?))
    }

    /// Looks something up: in memory, beside other readers. What is not there is read from the disk
    /// without holding anybody up; what changes at the same moment, under the lock.
    pub(crate) fn look<T>(
        &self,
        cx: &Cx,
        work: impl Fn(&mut Change<'_>) -> Result<T>,
    ) -> Result<T> {
        for attempt in 0..ATTEMPTS {
            let (result, missing) = {
                let state = self.memory.state.read();
                let mut change = Change::begin(self, Access::Shared(&state), cx);
                (work(&mut change), change.missing())
            };
            let Some(missing) = missing else {
                if attempt > 0 {
                    self.memory.state.write().shrink();
                }
                return result;
            };
            if !blocking(|| self.fetch(cx, missing)) {
                break;
            }
        }
        blocking(|| {
            let mut state = self.memory.state.write();
            let result = work(&mut Change::begin(self, Access::Exclusive(&mut state), cx));
            state.shrink();
            result
        })
    }
}

/// Reads files without holding up the other tasks of this thread, where the runtime has others.
pub(super) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    let threads = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    match threads {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
