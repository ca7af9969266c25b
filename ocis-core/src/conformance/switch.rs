//! Switches that leave out one permission check each, to show that some test notices.
//!
//! A check is known by the place that calls [`crate::access::require`] or
//! [`crate::access::is_allowed`]. The switch is one for the whole process: a test that uses it must be
//! the only one in its program.

use std::collections::BTreeSet;
use std::panic::Location;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// A place in the source: file and line.
pub type Place = (&'static str, u32);

static IS_USED: AtomicBool = AtomicBool::new(false);
static STATE: Mutex<State> = Mutex::new(State { seen: BTreeSet::new(), left_out: None });

struct State {
    seen: BTreeSet<Place>,
    left_out: Option<Place>,
}

/// Runs `work` without the check at `place`, or with all of them, and gives the places of the checks
/// that were made.
pub fn without<T>(place: Option<Place>, work: impl FnOnce() -> T) -> (T, BTreeSet<Place>) {
    *STATE.lock().unwrap() = State { seen: BTreeSet::new(), left_out: place };
    IS_USED.store(true, Ordering::SeqCst);
    let result = work();
    IS_USED.store(false, Ordering::SeqCst);
    (result, std::mem::take(&mut STATE.lock().unwrap().seen))
}

/// Whether the check that is made at `location` is left out.
pub(crate) fn leaves_out(location: &'static Location<'static>) -> bool {
    if !IS_USED.load(Ordering::Relaxed) {
        return false;
    }
    let place = (location.file(), location.line());
    let mut state = STATE.lock().unwrap();
    state.seen.insert(place);
    state.left_out == Some(place)
}
