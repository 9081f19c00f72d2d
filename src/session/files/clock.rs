//! The time that files wait for.

use crate::protocol::ids::Timestamp;
use crate::protocol::limits::UPLOAD_SLACK_MS;
use crate::session::context::Context;
use crate::session::engine::{Owner, Wait, after};

/// Files wait for the end of those that arrive, and for the age of the oldest.
pub(super) const FILES: Owner = Owner {
    name: "files",
    wait: Wait::Alarm,
};

/// The files have changed: their next time is computed anew.
pub(super) fn stir_files(cx: &mut Context<'_>) {
    cx.engine.state.clock.stir(FILES);
}

/// When an upload that began then has broken off for sure.
pub(super) fn broken_at(cx: &Context<'_>, at: Timestamp) -> Timestamp {
    after(
        at,
        cx.engine.limits.upload_ms.saturating_add(UPLOAD_SLACK_MS),
    )
}
