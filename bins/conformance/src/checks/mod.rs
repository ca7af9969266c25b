//! The checks by topic; each file registers its own.

mod litmus;
mod rclone;

use crate::harness::Plan;

/// Adds every check but the facts.
pub(crate) fn register(plan: &mut Plan) {
    litmus::register(plan);
    rclone::register(plan);
}
