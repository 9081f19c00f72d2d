//! A reader's progress, where the platform does not report it (P13.7).

use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{DRAIN_MS, DRAIN_MS_LEAST, Limits};

/// A reader's progress, where the platform does not report it (P13.7).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Probe {
    /// Bytes sent to it.
    pub(super) sent: u64,
    /// Bytes that it has certainly taken.
    seen: u64,
    /// The number of the last probe, and the bytes sent before it.
    last: u64,
    sent_at_last: u64,
    /// When the probe was sent.
    out_since: Option<Timestamp>,
}

impl Probe {
    /// The next probe, once a quarter of the unsent bound has gone out since the last.
    pub(super) fn next(&mut self, now: Timestamp, limits: &Limits) -> Option<u64> {
        if self.out_since.is_some() || self.sent - self.seen < limits.unsent_bytes / 4 {
            return None;
        }
        self.out_since = Some(now);
        self.last += 1;
        self.sent_at_last = self.sent;
        Some(self.last)
    }

    /// Whether too much is in flight, and the reader had time to acknowledge some of it.
    pub(super) fn is_late(&self, now: Timestamp, allowance: u64) -> bool {
        let unsent = self.sent - self.seen;
        let given = if allowance.saturating_mul(2) < unsent {
            DRAIN_MS_LEAST
        } else {
            DRAIN_MS
        };
        let is_given = |since: Timestamp| given <= now.saturating_sub(since);
        allowance < unsent && self.out_since.is_some_and(is_given)
    }

    /// The reader answered; returns whether that was the probe in flight.
    pub(crate) fn answered(&mut self, n: u64) -> bool {
        let is_last = self.out_since.is_some() && n == self.last;
        if is_last {
            self.out_since = None;
            self.seen = self.sent_at_last;
        }
        is_last
    }

    /// Bytes that it has not confirmed.
    pub(super) fn unseen(&self) -> u64 {
        self.sent - self.seen
    }

    /// A replay went out.
    pub(crate) fn replayed(&mut self, bytes: u64) {
        self.sent += bytes;
    }
}
