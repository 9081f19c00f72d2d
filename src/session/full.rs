//! A database that takes no more (P14): what needs room is refused, and nothing else suffers.
//!
//! A write that fails for space has changed no row, and memory may be ahead of the rows by then.
//! So memory is made anew from them, as a session that wakes does it, while everybody stays: what
//! was shown is stored, and what is not stored was not shown.

use super::context::Context;
use super::parts;
use crate::protocol::ids::Timestamp;
use crate::store::StoreError;

/// How long what happens by the clock waits before it is tried again, in milliseconds.
const AGAIN_MS: Timestamp = 60_000;

/// Goes on after a write that failed for space; any other failure stays one.
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
