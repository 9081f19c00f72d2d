//! A full database (P14): inputs that need room are refused, and nothing else suffers.
//!
//! A write that fails for space has changed no row, but memory may be ahead of the rows. So memory
//! is rebuilt from them, as after a sleep, while every connection stays: everything shown is
//! stored, and nothing unstored was shown.

use super::context::Context;
use super::parts;
use crate::protocol::ids::Timestamp;
use crate::store::StoreError;

/// The pause, in milliseconds, before events of the clock are tried again.
const AGAIN_MS: Timestamp = 60_000;

/// Continues after a write that failed for space; any other failure is passed on.
pub(super) fn survive(cx: &mut Context<'_>, error: StoreError) -> Result<(), StoreError> {
    if !error.is_full() {
        return Err(error);
    }
    cx.engine.rebuild()?;
    parts::load(cx)?;
    let until = cx.engine.now.saturating_add(AGAIN_MS);
    cx.engine.state.clock.hold(until);
    Ok(())
}
