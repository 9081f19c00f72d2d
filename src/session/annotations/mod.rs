//! Annotations: notes on messages, and what they add up to (P9.3). A message's sums are one row;
//! nothing is kept in memory.

pub(super) mod annotate;
pub(super) mod list;
mod sums;
