//! The numbering of a message's segments.

use crate::protocol::serial::Place;
use crate::store::sql::Value;

/// Segment `n` of a message, counted from 1, has the id `serial * SEGMENTS + n`: it stays below
/// 2^53, and all segments of a message are one range of ids.
pub(super) const SEGMENTS: u64 = 1 << 20;

/// The factor between a message's serial and its segments' ids.
pub(super) fn first_segment(place: Place) -> u64 {
    place.saturating_mul(SEGMENTS)
}

/// The ids of all segments of a message, first and last.
pub(super) fn segments(place: Place) -> [Value; 2] {
    let base = first_segment(place);
    [Value::number(base + 1), Value::number(base + SEGMENTS - 1)]
}
