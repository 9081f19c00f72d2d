//! The time that files wait for.

use crate::session::context::Context;
use crate::session::engine::{Owner, Wait};

/// Files wait for the end of those that arrive, and for the age of the oldest.
pub(super) const FILES: Owner = Owner {
    name: "files",
    wait: Wait::Alarm,
};

/// The files have changed: their next time is computed anew.
pub(super) fn stir_files(cx: &mut Context<'_>) {
    cx.engine.state.clock.stir(FILES);
}
