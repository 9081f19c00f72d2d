//! Numbers of calls that go out of an object.

use crate::protocol::ids::Timestamp;

/// Numbers per millisecond, before they run ahead of the clock.
const PER_MS: u64 = 1 << 10;

/// The first number of a time.
pub(crate) fn first_number(at: Timestamp) -> u64 {
    u64::try_from(at).unwrap_or(0).saturating_mul(PER_MS)
}

/// The number after the last one: by the time, since rows of earlier numbers may be gone, and none
/// of an earlier life may come again.
pub(crate) fn next_number(now: Timestamp, last: u64) -> u64 {
    first_number(now).max(last + 1)
}
