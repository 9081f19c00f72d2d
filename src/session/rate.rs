//! How fast a connection may send (P14). Kept in memory alone: a session that slept has
//! nothing to hold against anybody.

use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::Limits;

/// A bucket that fills evenly and is emptied by what is sent, in thousandths.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: u64,
    capacity: u64,
    per_second: u64,
    filled_at: Timestamp,
}

impl Bucket {
    fn new(per_second: u64, burst: u64) -> Self {
        let capacity = burst.saturating_mul(1000);
        Self {
            level: capacity,
            capacity,
            per_second,
            filled_at: Timestamp::MIN,
        }
    }

    /// Takes an amount, or says for how many milliseconds there is too little.
    fn take(&mut self, now: Timestamp, amount: u64) -> Result<(), u64> {
        let passed = u64::try_from(now.saturating_sub(self.filled_at)).unwrap_or(0);
        // So many a second are as many thousandths a millisecond.
        let filled = self
            .level
            .saturating_add(passed.saturating_mul(self.per_second));
        self.level = filled.min(self.capacity);
        self.filled_at = self.filled_at.max(now);
        let wanted = amount.saturating_mul(1000);
        match self.level.checked_sub(wanted) {
            Some(rest) => {
                self.level = rest;
                Ok(())
            }
            None => Err((wanted - self.level).div_ceil(self.per_second.max(1))),
        }
    }
}

/// The buckets of one connection.
#[derive(Debug)]
pub(super) struct Rates {
    messages: Bucket,
    text: Bucket,
    frames: Bucket,
    signals: Bucket,
}

impl Rates {
    pub(super) fn new(limits: &Limits) -> Self {
        let text = limits.text_bytes_per_second;
        let signals = limits.signals_per_second;
        Self {
            messages: Bucket::new(limits.messages_per_second, limits.messages_burst),
            // A second's worth, so that no single message is too much at any time.
            text: Bucket::new(text, text.max(limits.frame_bytes)),
            frames: Bucket::new(limits.frames_per_second, limits.frames_burst),
            signals: Bucket::new(signals, signals),
        }
    }

    /// One WebSocket message: `Err` means that the connection is to be closed, since even
    /// refusing so many costs more than they may.
    pub(super) fn message(&mut self, now: Timestamp) -> Result<(), u64> {
        self.messages.take(now, 1)
    }

    /// The bytes of one WebSocket message.
    pub(super) fn text(&mut self, now: Timestamp, bytes: usize) -> Result<(), ErrorInfo> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.text
            .take(now, bytes)
            .map_err(|wait| limited("send so much text", wait))
    }

    /// One frame that goes to everybody.
    pub(super) fn frame(&mut self, now: Timestamp, verb: &str) -> Result<(), ErrorInfo> {
        self.frames.take(now, 1).map_err(|wait| limited(verb, wait))
    }

    /// One signal.
    pub(super) fn signal(&mut self, now: Timestamp) -> Result<(), ErrorInfo> {
        self.signals
            .take(now, 1)
            .map_err(|wait| limited("signal", wait))
    }
}

fn limited(verb: &str, wait_ms: u64) -> ErrorInfo {
    let message = format!("unable to {verb}; the connection sends too fast, wait {wait_ms} ms");
    let mut error = ErrorInfo::new(ErrorCode::RateLimited, message);
    error.retry_after_ms = Some(wait_ms);
    error
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_burst_passes_and_the_rest_waits_for_its_turn() {
        let mut bucket = Bucket::new(20, 3);
        for _ in 0..3 {
            bucket.take(1_000, 1).unwrap();
        }
        assert_eq!(bucket.take(1_000, 1), Err(50));
        assert_eq!(bucket.take(1_049, 1), Err(1));
        bucket.take(1_050, 1).unwrap();
    }

    #[test]
    fn a_clock_that_jumps_back_gives_nothing_twice() {
        let mut bucket = Bucket::new(1, 1);
        bucket.take(10_000, 1).unwrap();
        assert!(bucket.take(0, 1).is_err());
        assert!(bucket.take(10_001, 1).is_err());
    }
}
