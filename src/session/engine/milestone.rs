//! The bound on milestones (P11.8, P14).

use crate::machine::Bucket;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{MILESTONES_BURST, MILESTONES_PER_SECOND};

/// The bound on milestones, and how many were beyond it since the last one.
#[derive(Debug)]
pub(super) struct Milestones {
    rate: Bucket,
    missed: u64,
}

impl Default for Milestones {
    fn default() -> Self {
        Self {
            rate: Bucket::new(MILESTONES_PER_SECOND, MILESTONES_BURST),
            missed: 0,
        }
    }
}

impl Milestones {
    /// Takes one more: gives the number of those that were missed before it, or nothing if it is
    /// missed too.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<u64> {
        if self.rate.take(now, 1).is_err() {
            self.missed += 1;
            return None;
        }
        Some(std::mem::take(&mut self.missed))
    }
}
