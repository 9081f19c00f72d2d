//! Rates (P14).

use crate::protocol::ids::Timestamp;

/// A bucket that fills evenly and is emptied by use, in thousandths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    /// Below 0 after a use whose size was known only afterwards.
    level: i64,
    capacity: i64,
    per_second: i64,
    pub(crate) filled_at: Timestamp,
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

impl Bucket {
    /// So many a second, and so many at once.
    pub(crate) fn new(per_second: u64, burst: u64) -> Self {
        let capacity = signed(burst).saturating_mul(1000);
        Self {
            level: capacity,
            capacity,
            per_second: signed(per_second),
            filled_at: Timestamp::MIN,
        }
    }

    fn fill(&mut self, now: Timestamp) {
        let passed = now.saturating_sub(self.filled_at).max(0);
        // So many a second are as many thousandths a millisecond.
        let filled = self
            .level
            .saturating_add(passed.saturating_mul(self.per_second));
        self.level = filled.min(self.capacity);
        self.filled_at = self.filled_at.max(now);
    }

    /// Takes an amount, or returns for how many milliseconds there is too little.
    pub(crate) fn take(&mut self, now: Timestamp, amount: u64) -> Result<(), u64> {
        self.look(now, amount)?;
        self.level -= signed(amount).saturating_mul(1000);
        Ok(())
    }

    /// Checks an amount without taking it.
    pub(crate) fn look(&mut self, now: Timestamp, amount: u64) -> Result<(), u64> {
        self.fill(now);
        let wanted = signed(amount).saturating_mul(1000);
        if wanted <= self.level {
            return Ok(());
        }
        let lacking = u64::try_from(wanted.saturating_sub(self.level)).unwrap_or(0);
        let per_second = u64::try_from(self.per_second).unwrap_or(1);
        Err(lacking.div_ceil(per_second.max(1)))
    }

    /// Takes an amount that is spent already.
    pub(crate) fn charge(&mut self, now: Timestamp, amount: u64) {
        self.fill(now);
        let spent = signed(amount).saturating_mul(1000);
        self.level = self.level.saturating_sub(spent);
    }

    /// Whether the bucket is full.
    pub(crate) fn is_full(&mut self, now: Timestamp) -> bool {
        self.fill(now);
        self.level == self.capacity
    }
}
